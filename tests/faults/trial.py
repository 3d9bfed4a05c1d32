"""One request on its way through one fault, and what must hold whatever the fault was."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bot.house import Waits
from bot.sandbox.slack.modal import Modal
from bot.sandbox.slack.records import Json
from bot.store.tables import SecretRow
from tests.faults.driving import PATIENCE, Driver, begins, lines
from tests.flow.world import ALI_ID, ALI_SECRET, World
from tests.schema import sqlite_file

CREATE = "certificate/create"
#: How each line of a thread begins that nothing disturbed, in order.
_BEGIN = ("👍 @Ana Lead approved it", "👍 *approved*", "⚙️ *applying*", "🔎 `hq` has room")
_FILES = (*_BEGIN, "📤 Uploaded as", "📥 `hq` took", "✅ *done*")
STORIES: Mapping[str, tuple[str, ...]] = {
    "trusted": _FILES,
    "import": _FILES,
    "apply": (*_BEGIN, "⏳ *waiting*: `hq` is applying", "📜 The certificate for", "✅ *done*"),
}
#: The line that is missing where the answer to create was lost: another one tells that it was found.
CREATED = ("📥 `hq` took", "⏳ *waiting*: `hq` is applying")
FOUND = "🔎 A call about"
#: Lines that tell of an interruption.
INTERRUPTIONS = ("🔁", "▶️", "🛑", "❓", "🔎 A call about", "🔎 @")
#: What the PBX lists at the end.
NAMES: Mapping[str, str] = {"trusted": "corp-root-r1.crt", "import": "pbx-r1.pem", "apply": "pbx.example.com.pem"}
NO_RATES = Waits(rates={})
HASTY = Waits(pbx=0.7, slack=1, rates={})


@contextmanager
def town(folder: Path, *, waits: Waits = NO_RATES, **how: Any) -> Iterator[World]:
    """A world whose bot starts on a migrated database; Slack's budget is not what these tests are about."""
    (folder / "bot.db").write_bytes(sqlite_file())
    world = World(folder, waits=waits, issuance_polls=1, hq_dates="DD/MM/YYYY", **how)
    # Whether an answer comes within Slack's three seconds is for other tests; here the machine may be slow.
    world.slack.ack_deadline = world.slack.trigger_lifetime = PATIENCE
    try:
        yield world
    finally:
        world.close()


class Trial:
    """The first request of a world, from its form to its end."""

    def __init__(self, world: World, kind: str) -> None:
        self.world = world
        self.kind = kind
        self.driver = Driver(world)
        self.card: Json = {}
        self.number = 1

    # The way

    def fill(self) -> Modal:
        form = self.world.open_form()
        if self.kind == "trusted":
            return self.world.fill_trusted(form)
        return self.world.fill_import(form) if self.kind == "import" else self.world.fill_apply(form)

    def check(self) -> Modal:
        """Submit the form, and wait for the evidence or for the form with its problems."""
        form = self.fill()
        assert form.submit().outcome == "acked"
        assert not form.errors, form.errors
        self.world.clock.advance(seconds=1)  # past the pause between Slack's answer and the check
        self.world.slack.wait_for(lambda: form.view["callback_id"] != "checking")
        return form

    def ask(self) -> Json:
        form = self.check()
        assert form.view["callback_id"] == "confirm", form.texts()
        form.submit()
        self.world.slack.wait_for(lambda: bool(self.world.cards()))
        self.card = self.world.cards()[0]
        self.driver.rest()
        return self.card

    def approve(self) -> None:
        self.world.approve(self.card)

    def story(self) -> tuple[str, ...]:
        return STORIES[self.kind]

    def told(self) -> list[str]:
        return lines(self.world, self.card)

    def until_over(self, jumps: int = 60, seconds: float = 31) -> None:
        """Until nothing more happens by itself. What refuses connections listens again once the thread tells of it."""
        self.driver.until(
            lambda: self.driver.is_over(self.number), jumps=jumps, seconds=seconds, at_rest=self._mend_what_was_told
        )

    def until_told(self, sign: str) -> None:
        self.driver.until(lambda: bool(begins(self.told(), sign)), at_rest=self._mend_what_was_told)
        self.driver.rest()

    def _mend_what_was_told(self) -> None:
        if self.is_mended_once_told and begins(self.told(), "🔁"):
            self.world.hq.reachable()

    #: Whether a broken network is mended as soon as the thread tells of it.
    is_mended_once_told = True

    # What it came to

    def is_whole(self, *, plain: bool = False) -> None:
        """Done: every line of the story once, in order; between them only what was interrupted. ``plain``: not even that."""
        told, story = self.told(), self.story()
        if begins(told, FOUND) and any("it had arrived" in line for line in told):
            story = tuple(line for line in story if line not in CREATED)
        self._follows(told if plain else [line for line in told if not line.startswith(INTERRUPTIONS)], story)
        assert told[-1].startswith("✅ *done*"), told
        assert self.ours() == 1, self.world.hq.certificates
        self.shows("approved, done")

    def has_failed(self, code: str) -> None:
        """Failed in words, with the code, and without any trace on the PBX."""
        told, story = self.told(), self.story()
        assert told[-1].startswith("❌ *failed*"), told
        assert code in told[-1], told[-1]
        before = [line for line in told[:-1] if not line.startswith(INTERRUPTIONS)]
        self._follows(before, story[: len(before)])
        assert self.ours() == 0
        self.shows("approved, failed")

    def is_asked(self) -> None:
        """A person is asked, with buttons, and nothing that is not known is told as done or failed."""
        told = self.told()
        assert told[-1].startswith("❓ *unknown*"), told
        assert "The bot cannot find out by itself" in told[-1]
        assert not begins(told, "✅", "❌")
        self.shows("approved, unknown")

    def _follows(self, told: list[str], story: tuple[str, ...]) -> None:
        """A file that is uploaded again is told again."""
        if sum(line.startswith("📤") for line in told) == 2:
            story = tuple(line for each in story for line in ((each, each) if each.startswith("📤") else (each,)))
        assert len(told) == len(story), f"{told} does not tell {story}"
        assert [line for line, begin in zip(told, story, strict=True) if not line.startswith(begin)] == []

    def ours(self) -> int:
        return sum(one.name == NAMES[self.kind] for one in self.world.hq.certificates)

    def shows(self, state: str) -> None:
        """The card shows this state in the end."""
        self.driver.rest()
        assert state in self.world.card(self.card).replace("*", ""), self.world.card(self.card)

    # What always holds

    def holds(self, deleted: int = 0) -> None:
        """``deleted``: how many of ours another administrator deleted, so that they may be there once more."""
        world = self.world
        assert world.hq.count(CREATE, 0) - deleted <= 1, "the effect is there more than once"
        assert len(world.cards()) == 1
        self.is_in_order()
        world.verify_chain()
        self.is_silent()
        if (request := self.driver.request(self.number)).has_ended or request.awaits_word:
            assert self.sealed() == [], "secrets outlive the request"

    def is_in_order(self) -> None:
        """Each event once, in the order in which it happened, by the ids in the messages' metadata."""
        told = self.world.slack.messages(self.card["channel"], thread_ts=self.card["ts"])
        ids = [number for message in told for number in _events(message)]
        assert ids == sorted(set(ids)), ids

    def is_silent(self) -> None:
        """Neither keys nor credentials nor tokens are in anything that Slack was sent."""
        sent = [str(call.args) for call in self.world.slack.log]
        sent += [str(delivery.ack) for delivery in self.world.slack.deliveries]
        for secret in (ALI_ID, ALI_SECRET, self.world.hq.client_secret, "access_token=", "PRIVATE KEY-----"):
            assert not any(secret in each for each in sent), f"{secret[:12]}... was shown"

    def sealed(self) -> list[str]:
        assert self.world.bot is not None
        with self.world.bot.store.begin() as session:
            return list(session.scalars(select(SecretRow.name).filter_by(request=self.number)))


def _events(message: Json) -> list[int]:
    """The events that a message tells of: one, and those told with it."""
    payload = message["metadata"]["event_payload"]
    return [int(each.rpartition("/")[2]) for each in (payload["event"], *payload.get("also", "").split())]
