"""Tell a request's events in its card's thread: each once, in order, and several in one message where they come together.

What was intended together stays together until its fate is known. What is new goes out at once if people may act on it; the
bot's own steps wait a moment for the next ones, so that a run costs few calls.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from bot.blocks import lines
from bot.blocks.parts import Block
from bot.domain.events import Event, EventKind
from bot.domain.requests import Request
from bot.store import posts
from bot.store.agenda import Entry
from bot.store.engine import Store
from bot.store.posts import Post
from bot.work.posting import Poster

#: As many lines as a person reads in one go, and as much text as Slack shows of a notification.
MOST_LINES, MOST_TEXT = 10, 3000
#: While the bot is at work, its card and its thread change at most so often.
PACE = timedelta(seconds=3)
#: The bot's own steps: nobody has to do anything about them, so they may wait for each other.
STEPS = frozenset({
    EventKind.APPLYING, EventKind.LOOKED, EventKind.UPLOADED, EventKind.CREATED, EventKind.ISSUING, EventKind.ISSUED,
    EventKind.SETTLED, EventKind.ANSWERING,
})  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One event as it is told. A line with a button is the last of its message, so that it is clear what the button is for."""

    event: Event
    blocks: Sequence[Block]
    text: str

    @property
    def purpose(self) -> str:
        return str(self.event.id)

    @property
    def has_button(self) -> bool:
        return len(self.blocks) > 1


class Thread:
    """The lines below a card."""

    def __init__(self, store: Store, poster: Poster) -> None:
        self._store = store
        self._poster = poster

    def tell(
        self, entry: Entry, request: Request, events: Iterable[Event], card: Post, operators: Sequence[str]
    ) -> datetime | None:
        """Post what is not there yet. Returns when to come back if the rest may wait. Raises like `Poster.once`."""
        with self._store.begin() as session:
            told = posts.of(session, request.id)
        untold = [line for line in _lines(events, request, operators) if not _is_there(told, line)]
        for message in messages(untold, told):
            due = None if message[0].purpose in told else self._may_wait(request, untold, told)
            if due is not None:
                return due
            self._post(entry, request, message, card)
        return None

    def _post(self, entry: Entry, request: Request, message: Sequence[Line], card: Post) -> None:
        first, *others = message
        blocks = [block for line in message for block in line.blocks]
        text, also = "\n".join(line.text for line in message), [line.purpose for line in others]
        self._poster.once(request.id, first.purpose, card.channel, blocks, text, thread=card.ts, also=also, fence=entry)

    def _may_wait(self, request: Request, untold: Sequence[Line], told: Mapping[str, Post]) -> datetime | None:
        """Until when, if all of it are steps of a request that goes on and the thread has just been written to."""
        if request.has_ended or any(line.event.kind not in STEPS for line in untold):
            return None
        last = max((post.intended_at for purpose, post in told.items() if purpose.isdecimal()), default=None)
        due = last + PACE if last else None
        return due if due and due > self._store.now() else None


def messages(untold: Sequence[Line], told: Mapping[str, Post]) -> Iterator[list[Line]]:
    """The lines in order, parted into messages: as they were intended, or as many as fit."""

    def intended(line: Line) -> str:
        return told[line.purpose].told_with if line.purpose in told else ""

    for name, group in groupby(untold, intended):
        together = list(group)
        yield from [together] if name else _packed(together)


def _packed(group: Iterable[Line]) -> Iterator[list[Line]]:
    message: list[Line] = []
    for line in group:
        length = sum(len(each.text) + 1 for each in message)
        is_full = len(message) >= MOST_LINES or length + len(line.text) > MOST_TEXT
        if message and (is_full or message[-1].has_button):
            yield message
            message = []
        message.append(line)
    if message:
        yield message


def _lines(events: Iterable[Event], request: Request, operators: Sequence[str]) -> Iterator[Line]:
    for event in events:
        blocks = lines.line_blocks(event, request, operators)
        if blocks is not None:
            yield Line(event, blocks, lines.line(event, request, operators) or "")


def _is_there(told: Mapping[str, Post], line: Line) -> bool:
    return line.purpose in told and bool(told[line.purpose].ts)
