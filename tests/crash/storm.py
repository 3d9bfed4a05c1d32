"""Hours of requests in minutes, with everything going wrong by chance; `tests.crash.storm_verdict` says what must be so then.

The seed decides what each person wants and does, and which faults and kills come one after the other. What meets what is up to
the threads, so that a seed that failed may have to be tried more than once: ``STORM_SEED=N pytest tests/crash/test_storm.py``.
"""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from bot.sandbox.pki import Authority
from bot.sandbox.slack import Delivery, Modal, Person, PersonRefused
from tests.crash.herd import Herd
from tests.crash.storm_world import PENDING_FOR, StormWorld
from tests.crash.weather import Weather, pause

#: How often a person tries the same thing, and for how many real seconds they look at a screen on which nothing changes.
TRIES, GLANCE = 8, 6.0
#: What is decided of a card, and how likely.
FATES = (("approve", 76), ("reject", 9), ("withdraw", 7), ("leave", 8))
#: A draft that nobody confirms lives so long, in seconds.
_DRAFTS = 3700.0


class Vanished(Exception):
    """What a person waited for did not appear."""


class Storm:
    """``size`` requests by all requesters of the world."""

    def __init__(self, herd: Herd, world: StormWorld, seed: str, size: int) -> None:
        self._herd = herd
        self._world = world
        self._seed = seed
        self._size = size
        self._next = iter(range(size))
        self._taking = threading.Lock()
        self._asked_all = threading.Event()
        self._root = Authority.make("Storm Root")
        self.weather = Weather(herd, world, seed)
        self.given_up = 0

    def rage(self) -> None:
        """Until everything was asked for and decided or left, and everything that is due has been done in calm weather."""
        self.weather.begin()
        try:
            with ThreadPoolExecutor(12) as people:
                asking = [people.submit(self._ask_all, person) for person in self._world.requesters]
                deciding = [people.submit(self._decide_all, place) for place in range(len(self._world.leads_of_all))]
                try:
                    for each in asking:
                        each.result()
                finally:
                    self._asked_all.set()  # or those who decide would wait for ever
                for each in deciding:
                    each.result()
        finally:
            self.weather.clear()
        self._calm()

    def _calm(self) -> None:
        """Time passes until nobody waits for anything: what was left has expired, and every card was looked at once more."""
        self._herd.start(0)
        self._until_nothing_is_due()
        for seconds in (PENDING_FOR, _DRAFTS, *[61.0] * 25):
            self._world.clock.advance(seconds=seconds)
            self._until_nothing_is_due()

    def _until_nothing_is_due(self) -> None:
        def nothing_is_due() -> bool:
            self._world.make_room()
            seen = self._herd.awake[0].look()
            return bool(seen) and not seen["held"] and seen["next"] is None

        self._herd.pass_time(nothing_is_due, at_most=48 * 3600, patience=240)

    # Those who ask

    def _ask_all(self, person: Person) -> None:
        while (number := self._take()) is not None:
            for attempt in range(TRIES):
                with suppress(PersonRefused, TimeoutError, Vanished):
                    self._ask(person, number, f"host{number}-{attempt}.example.com")
                    break
                self._close_all(person)
            else:
                self.given_up += 1
            self._close_all(person)

    def _take(self) -> int | None:
        with self._taking:
            return next(self._next, None)

    def _ask(self, person: Person, number: int, domain: str) -> None:
        """Command, form, evidence; whoever is told of problems begins anew."""
        person.command("/pbx-cert", "", self._world.certs)
        form = person.wait_modal(callback_id="form", timeout=GLANCE)
        self._fill(form, random.Random(f"{self._seed} request {number}"), domain)
        if form.submit().outcome != "acked":
            raise Vanished
        _see(lambda: form.view["callback_id"] != "checking")
        if form.view["callback_id"] != "confirm":
            raise Vanished
        _press(lambda: form.submit().outcome == "acked" and form.view["callback_id"] == "asked")

    def _fill(self, form: Modal, dice: random.Random, domain: str) -> None:
        """``domain`` is of this attempt alone: a draft that was left behind has another."""
        kind = dice.choices(("trusted", "import", "apply"), (60, 20, 20))[0]
        if kind != "trusted":
            shows = {"import": "f0:auto_renewal", "apply": "f0:domain"}[kind]
            form.choose("kind", kind)
            _see(lambda: any(block.get("block_id") == shows for block in form.view["blocks"]))
        form.pick("pbx", dice.choice([*self._world.pbxs]))
        if kind == "apply":
            form.type("domain", domain)
            form.choose("dns", "corp")
        else:
            issued = self._root.issue(domain, sans=[domain]) if kind == "import" else Authority.make(f"Root of {domain}")
            form.attach("files", (f"{domain}.pem", issued.bundle_pem if kind == "import" else issued.cert_pem))
        form.type("reason", f"{domain} lies in the storm")

    def _close_all(self, person: Person) -> None:
        for modal in reversed(person.modals):
            with suppress(PersonRefused, TimeoutError):
                modal.close()

    # Those who decide

    def _decide_all(self, place: int) -> None:
        """Each card by its number, so that every lead knows what all of them think of it."""
        seen = 0
        while True:
            finished = self._asked_all.is_set()
            while seen < len(self._world.posted):
                card = self._world.posted[seen]
                with suppress(PersonRefused):
                    self._decide(place, card, random.Random(f"{self._seed} card {seen}"), seen)
                seen += 1
            if finished:
                return
            pause(0.2)

    def _decide(self, place: int, card: dict[str, Any], dice: random.Random, seen: int) -> None:
        fate = dice.choices([name for name, _ in FATES], [weight for _, weight in FATES])[0]
        crowd = dice.random() < 0.2  # all leads press at once
        lead = self._world.leads_of_all[place]
        mine = crowd or seen % len(self._world.leads_of_all) in (place, (place + 1) % len(self._world.leads_of_all))
        if fate == "approve" and mine:
            _press(lambda: lead.click(card, "approve").outcome == "acked")
        elif fate == "reject" and seen % len(self._world.leads_of_all) == place:
            _press(lambda: self._reject(lead, card))
        elif fate == "withdraw" and place == 0:
            _press(lambda: self._withdraw(card))

    def _reject(self, lead: Person, card: dict[str, Any]) -> bool:
        self._close_all(lead)
        lead.click(card, "reject")
        try:
            modal = lead.wait_modal(callback_id="reject", timeout=GLANCE)
            modal.type("reason", "Not during a storm, please")
            return modal.submit().outcome == "acked"
        except TimeoutError:
            return False

    def _withdraw(self, card: dict[str, Any]) -> bool:
        text = next(
            self._world.slack.read(one) for one in self._world.slack.messages(card["channel"]) if one["ts"] == card["ts"]
        )
        requester = next(person for person in self._world.requesters if f"Asked for by @{person.name} " in text)
        return requester.click(card, "withdraw").outcome == "acked"


def _see(shown: Callable[[], bool]) -> None:
    """Look at the screen until it is there; raises Vanished."""
    for _ in range(int(GLANCE / 0.05)):
        if shown():
            return
        pause()
    raise Vanished


def _press(taken: Callable[[], bool]) -> None:
    """Again and again, as people do when Slack says that it had trouble; PersonRefused when the button is gone."""
    for _ in range(TRIES):
        if taken():
            return
        pause(0.3)


def acknowledged(deliveries: list[Delivery], kind: str) -> list[Delivery]:
    return [one for one in deliveries if one.kind == kind and one.outcome == "acked"]
