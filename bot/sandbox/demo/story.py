"""The requests, as people make and decide them."""

import re
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from bot.sandbox.demo.feed import Feed, Message
from bot.sandbox.demo.process import RunningBot
from bot.sandbox.demo.screen import Screen
from bot.sandbox.demo.stage import Stage
from bot.sandbox.pbx import PbxSimulator
from bot.sandbox.slack import Channel, Delivery, Modal, Person

T = TypeVar("T")

#: Seconds between two looks at what does not announce itself: the bot's process, the PBXs, the clock.
TICK = 0.2
#: What the card says again and the reader has seen already.
_FIRST_LINES = 4
_ENDED = re.compile(r"\*(done|failed|unknown|rejected|withdrawn|expired)\*")


class DemoFailed(Exception):
    """Something did not go as it should; the text says what."""


class Story:
    """Three requests. ``deadline`` is on the monotonic clock; what does not happen by then has failed."""

    def __init__(self, stage: Stage, bot: RunningBot, screen: Screen, deadline: float) -> None:
        self._stage = stage
        self._bot = bot
        self._screen = screen
        self._deadline = deadline
        self._feed = Feed(stage)
        #: How often the PBX was asked while it was issuing.
        self.looks = 0
        #: The calls that the PBX got until its requester's own approval was refused; None until then.
        self.done_before_approval: list[str] | None = None

    def wait_for_the_bot(self) -> None:
        self._until(lambda: self._stage.slack.connected, "the bot to connect to the workspace")

    def trusted(self) -> None:
        """A CA that the headquarters' PBX shall trust."""
        stage = self._stage
        self._screen.heading("1  A trusted CA certificate for hq")
        form = self._open(stage.tess, stage.telephony)
        form.pick("pbx", "hq")
        form.attach("files", ("telecom-root.crt", stage.trunk_ca.cert_pem))
        form.type("reason", "The new SIP trunk's certificate comes from this CA.")
        card = self._ask(form, stage.tess, stage.approvals)
        self._approve(card, stage.ana)
        self._end(card)
        self._outcome(stage.tess, 1)

    def imported(self) -> None:
        """A server certificate from three files, and a lead who would like to approve it alone."""
        stage, leaf = self._stage, self._stage.leaf
        self._screen.heading("2  A server certificate for branch, from three files, and a self-approval")
        form = self._open(stage.ana, stage.branch_channel)
        self._choose(form, "import", "auto_renewal")
        files = {"branch.crt": leaf.cert_pem, "chain.pem": leaf.chain_pem, "branch.key": leaf.key_pem}
        form.attach("files", *files.items())
        form.type("reason", "The old one expires on Friday.")
        card = self._ask(form, stage.ana, stage.branch_channel)
        self._approve(card, stage.ana)
        self._until(lambda: self._told(stage.ana, "somebody else has to decide"), "the refusal of Ana's own approval")
        self.done_before_approval = [call.path for call in stage.branch.calls]
        self._approve(card, stage.ben)
        self._end(card)

    def applied(self) -> None:
        """A certificate that the PBX applies for itself, which takes a while."""
        stage = self._stage
        self._screen.heading("3  A server certificate that hq applies for itself, by DNS")
        form = self._open(stage.tess, stage.telephony)
        self._choose(form, "apply", "domain")
        form.pick("pbx", "hq")
        form.type("domain", "pbx.example.com")
        form.choose("dns", "corp")
        form.type("reason", "People see a warning when they open the web client.")
        card = self._ask(form, stage.tess, stage.approvals)
        self._approve(card, stage.ben)
        self._issuing(stage.hq)
        self._end(card)
        self._outcome(stage.tess, 2)

    # What people do

    def _open(self, person: Person, channel: Channel) -> Modal:
        self._screen.act(person.name, f"types `/pbx-cert` in #{channel.name}")
        self._answered(person.command("/pbx-cert", "", channel), "The command")
        return person.wait_modal(callback_id="form", timeout=self._left())

    def _choose(self, form: Modal, kind: str, field: str) -> None:
        """Choose the kind, and wait until the form shows a field that only this kind has."""
        form.choose("kind", kind)
        self._until(lambda: field in _fields(form), f"the form's fields for {kind}")

    def _ask(self, form: Modal, person: Person, channel: Channel) -> Message:
        """Check and confirm; the card that appears."""
        known = [card["ts"] for card in self._cards(channel)]
        self._screen.block("The form, filled in", self._read(form.view), "magenta")
        self._screen.act(person.name, "presses Check")
        self._submit(form)
        self._until(lambda: form.view["callback_id"] != "checking", "the check to end")
        if form.view["callback_id"] != "confirm":
            raise DemoFailed("The check was not content: " + " ".join(form.texts()))
        self._screen.block("The same window, a moment later", self._beginning(form.view), "magenta")
        self._screen.act(person.name, f"presses {form.view['submit']['text']}")
        self._submit(form)
        fresh = self._until(lambda: [c for c in self._cards(channel) if c["ts"] not in known], "the card")
        form.close()  # or whoever opens the page later finds the window in front of everything
        return fresh[0]

    def _submit(self, form: Modal) -> None:
        self._answered(form.submit(), "The form")
        if form.errors:
            raise DemoFailed("The form was not accepted: " + " ".join(form.errors.values()))

    def _approve(self, card: Message, person: Person) -> None:
        self._screen.act(person.name, "presses Approve on the card")
        self._answered(person.click(card, "approve"), "The click")

    def _answered(self, delivery: Delivery, what: str) -> None:
        if delivery.outcome != "acked" or delivery.problem:
            raise DemoFailed(f"{what} was not answered in time or not well: {delivery.problem or delivery.outcome}.")

    # What comes of it

    def _end(self, card: Message) -> None:
        """Wait for the thread's last line, and show what the card says then."""
        last = self._until(lambda: self._last_line(card), "the thread to end")
        if "*done*" not in last:
            raise DemoFailed(f"The request did not end well: {last}")
        shown = self._until(
            lambda: self._card(card) if ", done*" in self._read(self._card(card)) else None, "the card to follow"
        )
        self._screen.block("The card now", self._beginning(shown), "blue")

    def _last_line(self, card: Message) -> str:
        replies = self._stage.slack.messages(card["channel"], thread_ts=card["ts"])
        ends = [line for line in map(self._read, replies) if _ENDED.search(line)]
        return ends[-1] if ends else ""

    def _outcome(self, person: Person, count: int) -> None:
        """Who is not in the card's channel hears of the end by direct message."""
        self._until(lambda: len(person.dms()) >= count, f"the direct message to {person.name}")

    def _issuing(self, pbx: PbxSimulator) -> None:
        self._until(lambda: _is_issuing(pbx), f"{pbx.name} to begin")
        doing = f"{pbx.name} is applying for the certificate"
        with self._screen.progress(doing) as tell:

            def issued() -> bool:
                self.looks = _looks(pbx)
                tell(f"{doing}; how often the bot has looked: {self.looks}")
                return not _is_issuing(pbx)

            self._until(issued, f"{pbx.name} to issue the certificate")

    def _told(self, person: Person, words: str) -> bool:
        seen = [message for channel in self._stage.channels for message in person.messages(channel)]
        return any(words in self._read(message) for message in seen if message.get("is_ephemeral"))

    def _cards(self, channel: Channel) -> list[Message]:
        """Only cards begin with a header."""
        messages = self._stage.slack.messages(channel)
        return [message for message in messages if message.get("blocks", [{}])[0].get("type") == "header"]

    def _card(self, card: Message) -> Message:
        return next(each for each in self._stage.slack.messages(card["channel"]) if each["ts"] == card["ts"])

    def _read(self, thing: dict[str, Any]) -> str:
        return self._stage.slack.read(thing)

    def _beginning(self, thing: dict[str, Any]) -> str:
        lines = self._read(thing).split("\n")
        more = len(lines) - _FIRST_LINES
        return "\n".join([*lines[:_FIRST_LINES], *([f"_({more} more lines)_"] if more > 0 else [])])

    # Waiting

    def _until(self, happened: Callable[[], T | None], what: str) -> T:
        """Show what is said until this has happened. Raises DemoFailed when it is too late, or when the bot is gone."""
        while True:
            found = happened()
            self._show_news()
            if found:
                return found
            if self._bot.has_ended():
                raise DemoFailed(f"The bot's process has ended while the demonstration waited for {what}.")
            self._left(what)
            with suppress(TimeoutError):
                self._stage.slack.wait_for(lambda: self._feed.has_news() or happened(), TICK)

    def _left(self, what: str = "the form") -> float:
        """Seconds until the deadline."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise DemoFailed(f"The time is over, and the demonstration still waited for {what}.")
        return left

    def _show_news(self) -> None:
        for place, message in self._feed.news():
            self._screen.said(place, self._read(message))


def _fields(form: Modal) -> set[str]:
    """The names in the form's block ids, which also hold a number that changes."""
    return {str(block.get("block_id", "")).rpartition(":")[2] for block in form.view["blocks"]}


def _is_issuing(pbx: PbxSimulator) -> bool:
    return any(one.apply_status == "issuing" for one in pbx.certificates)


def _looks(pbx: PbxSimulator) -> int:
    """How often the list was read since the last certificate was created."""
    paths = [call.path for call in pbx.calls]
    return paths[::-1].index("certificate/create") if "certificate/create" in paths else 0
