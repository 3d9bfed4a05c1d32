"""The audit chain as values: how an event is hashed, and the walk that finds the first one that does not fit.

Three hashes stand on each other, all of them SHA-256 over canonical JSON, in hex::

    personal = of [actor, data, salt]               who it was and what they said
    body     = of [request, kind, at, personal]     the event
    hash     = of [previous, number, body]          its place in the chain

So an event can be *reduced*: actor, data and salt are emptied, ``personal`` stands for them, and the chain still verifies. The
salt is random and goes with them, or who it was could be found out by trying everybody. A reduced event counts only if a later
event of the chain says that it was reduced, and when; everything else of it is still proven by its hash.

An *outline* shows an event's place in the chain and nothing of what happened.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.domain.events import EventKind
from bot.domain.requests import canonical

#: The hash before the first event.
GENESIS = "0" * 64
#: What a reduced event has in the place of its actor, data and salt.
NOBODY, NOTHING, NO_SALT = "", "{}", ""
#: They name nobody, and the chain or the telling of outages needs what they say.
NEVER_REDUCED = frozenset({
    EventKind.REDUCED, EventKind.WITNESSED, EventKind.RECHAINED, EventKind.RESTORED, EventKind.PBX_SILENT,
    EventKind.PBX_ANSWERS, EventKind.CONFIG_DIFFERS,
})  # fmt: skip


@dataclass(frozen=True)
class Outline:
    """An event's place in the chain."""

    number: int
    previous: str
    body: str
    hash: str

    def fits(self, previous: str) -> bool:
        """Whether it comes after that hash and is what its own hash says."""
        return self.previous == previous and self.hash == hash_of(self.previous, self.number, self.body)


@dataclass(frozen=True)
class Link:
    """An event with everything that is stored of it; ``data`` is canonical JSON, and ``at`` is None where it is no time."""

    number: int
    request: int | None
    kind: str
    actor: str
    at: datetime | None
    data: str
    salt: str
    personal: str
    previous: str
    hash: str
    reduced_at: datetime | None = None

    @property
    def is_reduced(self) -> bool:
        return self.reduced_at is not None

    @property
    def outline(self) -> Outline:
        return Outline(self.number, self.previous, body_of(self.request, self.kind, self.at, self.personal), self.hash)

    def fits(self, previous: str) -> bool:
        """As for an outline; and its content is what was hashed, or is as empty as a reduced event's. Whether it was to be
        reduced is for `Walk` to say."""
        try:
            return self.at is not None and self._is_whole() and self.outline.fits(previous)
        except (TypeError, ValueError):  # something that no event holds, such as bytes
            return False

    def _is_whole(self) -> bool:
        if self.is_reduced:
            return self.kind not in NEVER_REDUCED and (self.actor, self.data, self.salt) == (NOBODY, NOTHING, NO_SALT)
        return self.personal == personal_of(self.actor, self.data, self.salt)


def personal_of(actor: str, data: str, salt: str) -> str:
    return _sha256([actor, data, salt])


def body_of(request: int | None, kind: str, at: datetime | None, personal: str) -> str:
    return _sha256([request, kind, at and at.astimezone(UTC).isoformat(), personal])


def hash_of(previous: str, number: int, body: str) -> str:
    return _sha256([previous, number, body])


def _sha256(value: object) -> str:
    return hashlib.sha256(canonical(value).encode()).hexdigest()


class Walk:
    """Takes one event after the other, and knows the first that does not fit.

    It goes on behind that one only to see what was reduced, because an earlier one may turn out not to have been.
    """

    def __init__(self, number: int = 0, previous: str = GENESIS) -> None:
        """``number`` and ``previous`` are those of the event before the first."""
        self.number = number
        self.hash = previous
        self._wrong: tuple[int, str] | None = None
        #: When each event was reduced, by what it says itself, and by what later ones that fit say of it.
        self._reduced: dict[int, datetime] = {}
        self._told: dict[int, datetime] = {}
        #: What may have been reduced for all that can be seen behind a break; None is everything.
        self._perhaps: set[int] | None = set()

    def take(self, link: Link | Outline) -> None:
        if self._wrong is None and (what := self._mistake(link)):
            self._wrong = what
            self._break(link)
        elif self._wrong is None:
            self.number, self.hash = link.number, link.hash
            self._note(link)
        elif isinstance(link, Link) and link.kind == EventKind.REDUCED and self._perhaps is not None:
            self._perhaps.update(named_by(link))

    def _mistake(self, link: Link | Outline) -> tuple[int, str] | None:
        due = self.number + 1
        if link.number > due:
            return due, f"Event {due} is missing from the audit chain; the next one there is {link.number}."
        if link.number < due:
            return link.number, f"Event {link.number} was put into the audit chain; {due} was due there."
        if not link.fits(self.hash):
            return due, f"Event {due} in the audit chain was changed after it was written."
        return None

    def _note(self, link: Link | Outline) -> None:
        if not isinstance(link, Link):
            return
        if link.reduced_at is not None:
            self._reduced[link.number] = link.reduced_at
        if link.kind == EventKind.REDUCED and link.at is not None:
            self._told.update(dict.fromkeys(named_by(link), link.at))

    def _break(self, link: Link | Outline) -> None:
        """Where the break is, an event of a reduction may have been."""
        is_gap = link.number > self.number + 1
        if is_gap or not isinstance(link, Link) or link.kind == EventKind.REDUCED:
            self._perhaps = None
        else:
            self._perhaps = set(named_by(link))

    def end(self, length: int, head: str) -> None:
        """What the head of the chain says: how many events were written, and the last one's hash."""
        if self._wrong is not None or (length, head) == (self.number, self.hash):
            return
        if length == self.number:
            self._wrong = self.number, f"Event {self.number} is the last, and the head of the audit chain is not its hash."
        elif length < self.number:
            self._wrong = length + 1, f"Event {length + 1} was added behind the head of the audit chain."
        else:
            due = self.number + 1
            said = f"it ends at event {self.number}, but {length} were written."
            self._wrong, self._perhaps = (due, f"Event {due} is missing from the audit chain: {said}"), None

    def wrong(self) -> tuple[int, str] | None:
        """The first event that does not fit, and a sentence that says so."""
        found = [self._wrong] if self._wrong else []
        for number in self._reduced.keys() | {number for number in self._told if number <= self.number}:
            if what := self._unfit(number):
                found.append((number, f"Event {number} in the audit chain {what}"))
        return min(found, default=None)

    def _unfit(self, number: int) -> str:
        reduced, told = self._reduced.get(number), self._told.get(number)
        if reduced == told:
            return ""
        if told is None:
            perhaps = self._perhaps is None or number in self._perhaps
            return "" if perhaps else "was emptied, and no later event says that it was reduced."
        return "was reduced at another time than it says." if reduced else "was reduced, and holds something again."


def named_by(link: Link) -> Iterable[int]:
    """The earlier events that an event of a reduction names; none where it cannot be read, which its hash then says."""
    try:
        numbers = json.loads(link.data)["events"]
        return [number for number in numbers if type(number) is int and number < link.number]
    except (TypeError, ValueError, KeyError):
        return []
