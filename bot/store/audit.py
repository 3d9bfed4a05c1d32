"""The audit chain: each event holds the hash of the one before."""

import hashlib
import json
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, true, update
from sqlalchemy.orm import Session

from bot.domain.events import Event, EventKind
from bot.domain.requests import canonical
from bot.exceptions import ChainBroken
from bot.store.tables import ChainRow, EventRow

#: The hash before the first event.
GENESIS = "0" * 64


@dataclass(frozen=True)
class Verified:
    """What `verify` found in order."""

    length: int
    head: str


def append(session: Session, now: datetime, kind: EventKind, actor: str, request: int | None = None, **data: Any) -> int:
    """Add one event at the head and return its number. Nothing secret may be in ``data``.

    Moving the head takes its row's lock, so writers stand in line until the one before has committed.
    """
    step = update(ChainRow).where(ChainRow.id == 1).values(length=ChainRow.length + 1)
    number, previous = session.execute(step.returning(ChainRow.length, ChainRow.hash)).one()
    text = canonical(data)
    link = link_hash(previous, number, request, kind.value, actor, now, text)
    session.add(EventRow(id=number, request=request, kind=kind.value, actor=actor, at=now, data=text,
                         previous=previous, hash=link))  # fmt: skip
    session.execute(update(ChainRow).where(ChainRow.id == 1).values(hash=link))
    session.flush()
    return int(number)


def link_hash(previous: str, number: int, request: int | None, kind: str, actor: str, at: datetime, data: str) -> str:
    """SHA-256 over every column of the event and the hash before it."""
    return hashlib.sha256(
        canonical([previous, number, request, kind, actor, at.astimezone(UTC).isoformat(), data]).encode()
    ).hexdigest()


def events_of(session: Session, request: int) -> list[Event]:
    rows = session.scalars(select(EventRow).filter_by(request=request).order_by(EventRow.id))
    return [_event(row) for row in rows]


def of_pbx(session: Session, pbx: str, last: int) -> list[Event]:
    """How a PBX fell silent and answered again, the last so many times and the newest first. No request has these events."""
    told = select(EventRow).where(
        EventRow.request.is_(None),
        EventRow.kind.in_([EventKind.PBX_SILENT.value, EventKind.PBX_ANSWERS.value]),
        EventRow.data.contains(canonical({"pbx": pbx})[1:-1], autoescape=True),
    )
    return [_event(row) for row in session.scalars(told.order_by(EventRow.id.desc()).limit(last))]


def event(session: Session, number: int) -> Event | None:
    row = session.get(EventRow, number)
    return _event(row) if row else None


def last_of(session: Session, kind: EventKind) -> Event | None:
    """The latest event of this kind, whatever it is about."""
    row = session.scalars(select(EventRow).filter_by(kind=kind.value).order_by(EventRow.id.desc()).limit(1)).first()
    return _event(row) if row else None


def _event(row: EventRow) -> Event:
    data: Mapping[str, Any] = json.loads(row.data)
    return Event(row.id, row.request, EventKind(row.kind), row.actor, row.at, data)


def verify(session: Session) -> Verified:
    """Walk the whole chain. Raises ChainBroken, naming the first event that does not fit."""
    number, previous, head = 0, GENESIS, None
    with closing(_rows(session)) as rows:
        for length, last, row in rows:
            head = length, last
            if row is None:
                break
            number += 1
            if row.id != number:
                raise ChainBroken(f"Event {number} is missing from the audit chain; the next one there is {row.id}.")
            expected = link_hash(previous, row.id, row.request, row.kind, row.actor, row.at, row.data)
            if row.previous != previous or row.hash != expected:
                raise ChainBroken(f"Event {number} in the audit chain was changed after it was written.")
            previous = row.hash
    if head is None:
        raise ChainBroken("The audit chain has lost its head.")
    if head != (number, previous):
        raise ChainBroken(f"The audit chain ends at event {number}, but {head[0]} were written.")
    return Verified(number, previous)


def _rows(session: Session) -> Generator[tuple[int, str, EventRow | None]]:
    """The head beside each event, or alone when there is none. One statement, because events may be written meanwhile."""
    together = select(ChainRow.length, ChainRow.hash, EventRow).outerjoin(EventRow, true()).where(ChainRow.id == 1)
    with session.execute(together.order_by(EventRow.id).execution_options(yield_per=1000)) as rows:
        for row in rows:
            yield row[0], row[1], row[2]
