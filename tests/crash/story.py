"""One request from the command to its end, with people who try again when the bot dies under their hands."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from bot.sandbox.slack.errors import PersonRefused
from bot.sandbox.slack.modal import Modal
from tests.crash.life import PATIENCE, Life, Zygote
from tests.crash.points import Point
from tests.flow import breaking_glass as glass
from tests.flow.world import World

#: Which field only the form of this kind has.
_SHOWS = {"import": "f0:auto_renewal", "apply": "f0:domain"}
#: How often people try the same thing before they give up.
_TRIES = 12
#: How often time jumps before somebody asks what the bot is waiting for.
_JUMPS = 100
#: Seconds for which people look at a screen on which nothing changes.
_GLANCE = 0.03
#: Added to a jump, so that what is due then is due.
_MOMENT = 0.002


class Interrupted(Exception):
    """The bot died under somebody's hands."""


class Story:
    """Drives the world and the bot's lives; the first life ends at the armed point, if it is reached."""

    def __init__(self, zygote: Zygote, world: World, kind: str, armed: Point | None) -> None:
        self.world = world
        self.kind = kind
        self.lives: list[Life] = []
        self._zygote = zygote
        self._armed = armed
        if self.is_emergency:
            glass.with_rule(world, world.tess.id)
        self.config = world.write_config()
        self._is_voted = False
        self._skipped = 0.0
        self.material = world.leaf()  # the certificate that is imported

    @property
    def life(self) -> Life:
        return self.lives[-1]

    @property
    def is_emergency(self) -> bool:
        """A trusted CA that is let be done without approvals, and confirmed afterwards."""
        return self.kind == "emergency"

    @property
    def was_killed(self) -> bool:
        return len(self.lives) > 1

    def tell(self) -> None:
        """From nothing to the end of everything. Raises AssertionError where it does not get there."""
        self._until("a card is in the channel", self._is_asked, self._ask)
        if not self.is_emergency:
            self._until("the approval is on the card", self._is_decided, self._approve)
        self._until("the request has ended", self._has_ended, lambda: None)
        if self.is_emergency:
            self._until("somebody has looked at it", self._is_looked_at, self._look_at_it)
        self._come_to_rest()

    def end(self) -> None:
        if self.lives:
            self.life.end()

    # What people do

    def _is_asked(self) -> bool:
        return bool(self.world.cards())

    def _ask(self) -> None:
        """The next thing to be done for it, by what the person sees."""
        modals = self.world.tess.modals
        shown = modals[-1].view["callback_id"] if modals else ""
        if not modals:
            self._open()
        elif shown == "form":
            self._fill(modals[-1])
        elif shown == "confirm":
            modals[-1].submit()

    def _open(self) -> None:
        self.world.tess.command("/pbx-cert", "", self.world.certs)
        self._look_for(lambda: bool(self.world.tess.modals))

    def _fill(self, form: Modal) -> None:
        if self.kind in _SHOWS:
            form.choose("kind", self.kind)
            self._look_for(lambda: any(block.get("block_id") == _SHOWS[self.kind] for block in form.view["blocks"]))
        form.pick("pbx", "hq")
        if self.is_emergency:
            self._break_glass(form)
        if self.kind in ("trusted", "emergency"):
            form.attach("files", ("corp-root.crt", self.world.root.cert_pem))
        elif self.kind == "import":
            form.attach("files", ("pbx.pem", self.material.bundle_pem))
        else:
            form.type("domain", "pbx.example.com")
            form.choose("dns", "corp")
        form.type("reason", "The old one expires in a minute")
        form.submit()

    def _break_glass(self, form: Modal) -> None:
        self._look_for(lambda: glass.BOX in form.field_labels())
        form.check(glass.BOX, "1")
        self._look_for(lambda: glass.NAME in form.field_labels())
        form.type(glass.NAME, "hq")

    def _is_decided(self) -> bool:
        return "approved it" in "\n".join(self._thread())

    def _approve(self) -> None:
        """An acknowledged click must not be pressed again: it is the bot's to keep."""
        if not self._is_voted:
            self._is_voted = self.world.ana.click(self.world.cards()[0], "approve").outcome == "acked"

    def _is_looked_at(self) -> bool:
        return "confirms it" in "\n".join(self._thread())

    def _look_at_it(self) -> None:
        """The same holds for what was typed into a modal and acknowledged."""
        if self._is_voted:
            return
        self.world.ana.click(self.world.cards()[0], "confirm_afterwards")
        self._look_for(lambda: bool(self.world.ana.modals))
        self._is_voted = self.world.ana.modals[-1].submit().outcome == "acked"

    def _thread(self) -> list[str]:
        return [line for card in self.world.cards() for line in self.world.thread(card)]

    def _has_ended(self) -> bool:
        return any("*done*" in line or "*failed*" in line for line in self._thread())

    # Time and death

    def _until(self, what: str, goal: Callable[[], bool], act: Callable[[], Any]) -> None:
        trouble: Exception | None = None
        for _ in range(_TRIES):
            self._revive()
            if goal():
                return
            try:
                act()
            except (PersonRefused, Interrupted, TimeoutError) as error:
                trouble = error
            self._settle(goal)
            if goal():
                return
        raise AssertionError(f"It never came about that {what}; last trouble: {trouble!r}; thread: {self._thread()}")

    def _revive(self) -> None:
        if self.lives and not self.life.is_over:
            return
        while not self.lives or self.life.is_over:
            assert len(self.lives) < 4, "the bot dies by itself"
            armed = None if self.lives else self._armed
            self.lives.append(Life(self._zygote, self.world, self.config, self._skipped, armed))
        with suppress(TimeoutError):
            self.world.slack.wait_for(lambda: self.world.slack.connected or self.life.is_over, PATIENCE)

    def _settle(self, goal: Callable[[], bool]) -> Mapping[str, Any]:
        """Let the bot work, and time pass where it waits, until it is so, or it died, or it has nothing more to do.

        What the bot has taken on is on its agenda; returns what is there in the end.
        """
        jumps, deadline = 0, time.monotonic() + PATIENCE
        while True:
            seen = self.life.look()
            if time.monotonic() > deadline or jumps > _JUMPS:
                raise AssertionError(f"the bot does not come to rest: {seen}")
            if not seen or goal() or (not seen["busy"] and seen["next"] is None):
                return seen
            if not seen["busy"] and seen["next"] > 0:
                jumps += 1
                self._advance(seen["next"] + _MOMENT)
            with suppress(TimeoutError):
                self.world.slack.wait_for(goal, _GLANCE)

    def _come_to_rest(self) -> None:
        """Until nothing is left to be done, and nothing is left of drafts that nobody confirmed."""
        for _ in range(_TRIES):
            self._revive()
            seen = self._settle(lambda: False)
            if seen and not seen["wipes"]:
                return
            if seen:
                self._advance(3700)
        raise AssertionError("drafts that nobody confirmed are never wiped")

    def _advance(self, seconds: float) -> None:
        self._skipped += seconds
        self.world.clock.advance(seconds=seconds)
        self.life.advance(seconds)

    def _look_for(self, seen: Callable[[], bool]) -> None:
        """Wait for what the bot shall show."""
        deadline = time.monotonic() + 3
        while not seen():
            if self.life.is_over:
                raise Interrupted
            if time.monotonic() > deadline:
                raise TimeoutError("The bot did not show it.")
            with suppress(TimeoutError):
                self.world.slack.wait_for(seen, 0.05)
