"""The audit chain: each event holds the hash of the one before (`bot.domain.trail`)."""

import json
import secrets
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import String, select, true, type_coerce, update
from sqlalchemy.orm import Session

from bot.domain.events import Event, EventKind
from bot.domain.policy import Verdict
from bot.domain.requests import canonical
from bot.domain.trail import GENESIS as GENESIS
from bot.domain.trail import Link, Walk, body_of, hash_of, personal_of
from bot.exceptions import ChainBroken
from bot.store.tables import ChainRow, EventRow


@dataclass(frozen=True)
class Verified:
    """What `verify` found in order; ``at`` is the event whose hash is the head that was asked for, None if there is none."""

    length: int
    head: str
    at: int | None = None


def append(session: Session, now: datetime, kind: EventKind, actor: str, request: int | None = None, **data: Any) -> int:
    """Add one event at the head and return its number. Nothing secret may be in ``data``.

    Moving the head takes its row's lock, so writers stand in line until the one before has committed.
    """
    number, previous = _step(session)
    text, salt = canonical(data), secrets.token_hex(16)
    personal = personal_of(actor, text, salt)
    link = hash_of(previous, number, body_of(request, kind.value, now, personal))
    session.add(EventRow(id=number, request=request, kind=kind.value, actor=actor, at=now, data=text, salt=salt,
                         personal=personal, previous=previous, hash=link))  # fmt: skip
    session.execute(update(ChainRow).where(ChainRow.id == 1).values(hash=link))
    session.flush()
    return number


def refused(session: Session, now: datetime, user: str, what: str, why: Verdict, request: int | None = None) -> None:
    """Somebody may not do something; that they tried is an event like any other."""
    append(session, now, EventKind.REFUSED, user, request, verdict=what, code=why.code, reason=why.reason, rule=why.rule)


def _step(session: Session) -> tuple[int, str]:
    """The next event's number, and the hash before it."""
    step = update(ChainRow).where(ChainRow.id == 1).values(length=ChainRow.length + 1)
    number, previous = session.execute(step.returning(ChainRow.length, ChainRow.hash)).one()
    return int(number), str(previous)


def head(session: Session) -> Verified:
    """Where the chain ends, as it says itself. Whoever asks is the only writer until this transaction ends."""
    still = update(ChainRow).where(ChainRow.id == 1).values(length=ChainRow.length)
    length, link = session.execute(still.returning(ChainRow.length, ChainRow.hash)).one()
    return Verified(length, link)


def events_of(session: Session, request: int) -> list[Event]:
    rows = session.scalars(select(EventRow).filter_by(request=request).order_by(EventRow.id))
    return [event_of(row) for row in rows]


def of_pbx(session: Session, pbx: str, last: int) -> list[Event]:
    """How a PBX fell silent and answered again, the last so many times and the newest first. No request has these events."""
    told = select(EventRow).where(
        EventRow.request.is_(None),
        EventRow.kind.in_([EventKind.PBX_SILENT.value, EventKind.PBX_ANSWERS.value]),
        EventRow.data.contains(canonical({"pbx": pbx})[1:-1], autoescape=True),
    )
    return [event_of(row) for row in session.scalars(told.order_by(EventRow.id.desc()).limit(last))]


def last_of(session: Session, kind: EventKind) -> Event | None:
    """The latest event of this kind, whatever it is about."""
    row = session.scalars(select(EventRow).filter_by(kind=kind.value).order_by(EventRow.id.desc()).limit(1)).first()
    return event_of(row) if row else None


def event_of(row: EventRow) -> Event:
    data: Mapping[str, Any] = json.loads(row.data)
    return Event(row.id, row.request, EventKind(row.kind), row.actor, row.at, data)


def verify(session: Session, head: str = "") -> Verified:
    """Walk the whole chain. Raises ChainBroken, naming the first event that does not fit.

    ``head`` are at least the first digits of a hash that somebody wrote down: the chain is the one that had this head only if
    one of its events has this hash.
    """
    walk, at = Walk(), None
    ends: tuple[int, str] | None = None
    with closing(_links(session)) as links:
        for length, last, link in links:
            ends = length, last
            if link is None:
                break
            walk.take(link)
            at = link.number if head and at is None and link.hash.startswith(head) else at
    if ends is None:
        raise ChainBroken("The audit chain has lost its head.")
    walk.end(*ends)
    if (wrong := walk.wrong()) is not None:
        raise ChainBroken(wrong[1])
    return Verified(walk.number, walk.hash, at)


#: What `link_of` takes. Times as the database has them, because what somebody put there may be none.
COLUMNS = (
    EventRow.id, EventRow.request, EventRow.kind, EventRow.actor, type_coerce(EventRow.at, String), EventRow.data,
    EventRow.salt, EventRow.personal, EventRow.previous, EventRow.hash, type_coerce(EventRow.reduced_at, String),
)  # fmt: skip
_NO_TIME = datetime.min.replace(tzinfo=UTC)


def link_of(values: Sequence[Any]) -> Link:
    """A row of `COLUMNS`, whatever it holds."""
    number, request, kind, actor, at, data, salt, personal, previous, link, reduced_at = values
    reduced = None if reduced_at is None else _time(reduced_at) or _NO_TIME
    return Link(number, request, kind, actor, _time(at), data, salt, personal, previous, link, reduced)


def _time(value: Any) -> datetime | None:
    """None for what the bot would not have written so; SQLite has texts."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    try:
        at = datetime.fromisoformat(value).replace(tzinfo=UTC)
    except (TypeError, ValueError):
        return None
    return at if at.replace(tzinfo=None).isoformat(" ", "microseconds") == value else None


def _links(session: Session) -> Generator[tuple[int, str, Link | None]]:
    """The head beside each event, or alone when there is none. One statement, because events may be written meanwhile."""
    together = select(ChainRow.length, ChainRow.hash, *COLUMNS).outerjoin(EventRow, true()).where(ChainRow.id == 1)
    with session.execute(together.order_by(EventRow.id).execution_options(yield_per=1000)) as rows:
        for length, last, *values in rows:
            yield length, last, link_of(values) if values[0] is not None else None
