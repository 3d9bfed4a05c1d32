"""What is due: a table beside the ledger, written in the same transactions.

Each key has one worker at a time, in order of due time. An entry that is claimed carries a fence; whoever comes back with
an older one has lost its lease, and nothing it brings is accepted.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any, cast

from sqlalchemy import Row, Select, Table, and_, bindparam, case, delete, exists, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from bot.exceptions import LeaseLost
from bot.store.tables import AgendaRow

#: How long a claimed entry stays its worker's: longer than the slowest call with its timeouts. Before one that has an effect it
#: is held anew.
#: One machine's clock sets it and another's reads it. A clock that is ahead by more than what the call left of it takes the
#: entry while its worker still calls, and a thing could be done twice; one that is behind adopts late. So machines that share a
#: database keep their clocks by NTP, which leaves no more than fractions of a second.
LEASE = timedelta(seconds=60)

_AGENDA = cast(Table, AgendaRow.__table__)
_ROW = _AGENDA.c


class Work(StrEnum):
    """What the agenda calls for."""

    CHECK = "check"  #: a draft's files and its PBX
    DECIDE = "decide"  #: the clicks that are recorded and not yet counted
    FULFIL = "fulfil"  #: the next step of an approved request
    NARRATE = "narrate"  #: a request's card and thread
    EXPIRE = "expire"  #: a request nobody decided
    WIPE = "wipe"  #: a draft nobody confirmed
    PROBE = "probe"  #: a PBX that does not answer
    SWEEP = "sweep"  #: a look whether the cards are still there and show what they should
    NOTICE = "notice"  #: what a channel is told of a PBX
    HERALD = "herald"  #: what all channels are told after the database was put back
    REMIND = "remind"  #: a request that nobody has decided yet
    ESCALATE = "escalate"  #: one that nobody has decided for too long
    DIGEST = "digest"  #: once a day, to each approver: all that waits for them
    ALARM = "alarm"  #: those whom the policy names, each directly, of an emergency
    CONFIRM = "confirm"  #: an emergency that nobody has confirmed afterwards
    NIGHTLY = "nightly"  #: once a day: can everything still be approved by somebody?
    WITNESS = "witness"  #: once a day: the chain's head, for Slack to bear witness
    REDUCE = "reduce"  #: once a day: personal data that was kept for long enough
    BULLETIN = "bulletin"  #: what operators are told of the bot itself
    RULES = "rules"  #: after a change of the configuration: the open requests' rules


def thread_key(number: int) -> str:
    """The key of whatever changes this request's card and thread."""
    return f"thread:{number}"


@dataclass(frozen=True)
class Entry:
    """One claimed entry. ``attempt`` counts from 1; ``fence`` grows with each claim."""

    id: int
    kind: Work
    key: str
    request: int | None
    due_at: datetime
    attempt: int
    fence: int


def put(session: Session, kind: Work, key: str, due_at: datetime, request: int | None = None, *, one: bool = True) -> int:
    """Add an entry; returns its id. With ``one``, an equal entry that nobody claimed yet is brought forward instead."""
    slot = f"{kind.value}/{key}/{request or ''}" if one else None
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    new = dialect.insert(AgendaRow).values(
        kind=kind.value, key=key, request=request, slot=slot, due_at=due_at, attempt=0, fence=0
    )
    earlier = func.min if dialect is sqlite else func.least
    merged = new.on_conflict_do_update(
        index_elements=[AgendaRow.slot],
        index_where=AgendaRow.owner.is_(None),
        set_={"due_at": earlier(AgendaRow.due_at, new.excluded.due_at)},
    )
    wake(session)
    return int(session.execute(merged.returning(AgendaRow.id)).scalar_one())


def wake(session: Session) -> None:
    """Let the commit of this transaction wake the workers."""
    session.info["wake"] = True


def is_due(session: Session, now: datetime, kinds: Collection[Work]) -> bool:
    """Whether a claim may find something; a look that takes no lock."""
    return session.execute(_due(tuple(kinds)), {"now": now}).first() is not None


# After every commit somebody looks, so these statements are made once, and of the table itself: the ORM would take as long to
# build them as the database takes to answer.


@cache
def _due(kinds: tuple[Work, ...]) -> Select[int]:
    held = _AGENDA.alias()
    busy = exists().where(held.c.key == _ROW.key, held.c.owner.is_not(None), held.c.lease_until > bindparam("now"))
    return select(_ROW.id).where(_ROW.due_at <= bindparam("now"), _ROW.kind.in_(kinds), ~busy).limit(1)


def claim(session: Session, owner: str, now: datetime, kinds: Collection[Work]) -> Entry | None:
    """Take the oldest due entry of a free key, or one whose lease ran out; None when there is none.

    Whoever claims stands in the line of those who write (`bot.store.engine`), so nobody loses a race here; should somebody ever
    write who does not, the index ``ux_agenda_key`` refuses a second worker.
    """
    taken = session.execute(_taking(tuple(kinds)), {"now": now, "taker": owner, "until": now + LEASE}).one_or_none()
    return _entry(taken) if taken is not None else None


@cache
def _taking(kinds: tuple[Work, ...]) -> ReturningUpdate[Any]:
    other, now = _AGENDA.alias(), bindparam("now", type_=_ROW.due_at.type)
    free = ~exists().where(other.c.key == _ROW.key, other.c.owner.is_not(None), other.c.id != _ROW.id)
    oldest = (
        select(_ROW.id)
        .where(_ROW.due_at <= now, _ROW.kind.in_(kinds), or_(and_(_ROW.owner.is_(None), free), _ROW.lease_until <= now))
        .order_by(_ROW.due_at, _ROW.id)
        .limit(1)
    )
    return (
        update(_AGENDA)
        .where(_ROW.id == oldest.scalar_subquery())
        .values(owner=bindparam("taker"), lease_until=bindparam("until"), fence=_ROW.fence + 1, attempt=_ROW.attempt + 1)
        .returning(*_ROW)
    )


def _entry(row: AgendaRow | Row[Any]) -> Entry:
    return Entry(row.id, Work(row.kind), row.key, row.request, row.due_at, row.attempt, row.fence)


def finish(session: Session, entry: Entry) -> None:
    """The entry is done. Raises LeaseLost when somebody else holds it by now, which undoes the whole transaction."""
    done = delete(AgendaRow).where(AgendaRow.id == entry.id, AgendaRow.fence == entry.fence).returning(AgendaRow.id)
    if session.execute(done).one_or_none() is None:
        raise LeaseLost
    wake(session)


def hold(session: Session, entry: Entry, now: datetime) -> None:
    """Keep the entry for another lease, before something that takes its time. Raises LeaseLost like `finish`."""
    kept = update(AgendaRow).where(AgendaRow.id == entry.id, AgendaRow.fence == entry.fence)
    if session.execute(kept.values(lease_until=now + LEASE).returning(AgendaRow.id)).one_or_none() is None:
        raise LeaseLost


def again(session: Session, entry: Entry, due_at: datetime, *, fresh: bool = False) -> None:
    """Look again at ``due_at``; ``fresh`` counts the attempts anew. Raises LeaseLost like `finish`."""
    finish(session, entry)
    number = put(session, entry.kind, entry.key, due_at, entry.request)
    if not fresh:
        session.execute(update(AgendaRow).where(AgendaRow.id == number).values(attempt=entry.attempt))


def release(session: Session, kind: Work, request: int, due_at: datetime) -> None:
    """Bring forward what waits for this request: its answer to Slack has left."""
    session.execute(
        update(AgendaRow)
        .where(AgendaRow.kind == kind.value, AgendaRow.request == request, AgendaRow.owner.is_(None))
        .values(due_at=due_at)
    )
    wake(session)


def bring_forward(session: Session, key: str, now: datetime) -> None:
    """Everything that waits for this key is due now."""
    waiting = update(AgendaRow).where(AgendaRow.key == key, AgendaRow.owner.is_(None), AgendaRow.due_at > now)
    session.execute(waiting.values(due_at=now))
    wake(session)


def replan(session: Session, kind: Work, key: str, now: datetime, due_at: datetime) -> None:
    """What lies ahead for this key is due then instead, and begins then if nothing was planned. What is late stays due."""
    ahead = delete(AgendaRow).where(AgendaRow.kind == kind.value, AgendaRow.key == key, AgendaRow.due_at > now)
    session.execute(ahead.where(AgendaRow.owner.is_(None)))
    put(session, kind, key, due_at)


def drop(session: Session, kind: Work, request: int) -> None:
    """Forget unclaimed entries of this kind for a request."""
    unclaimed = delete(AgendaRow).where(AgendaRow.kind == kind.value, AgendaRow.request == request)
    session.execute(unclaimed.where(AgendaRow.owner.is_(None)))


def awaits(session: Session, kind: Work, request: int) -> bool:
    """Whether there is an entry of this kind for a request."""
    return session.scalars(select(AgendaRow.id).filter_by(kind=kind.value, request=request).limit(1)).first() is not None


def give_back(session: Session, owner: str) -> list[Entry]:
    """End the leases of all that this process holds, so that the next one adopts it at once. Returns what it was.

    The fence moves on: whoever still works on one of these in this process brings nothing in any more.
    """
    wake(session)
    held = update(AgendaRow).where(AgendaRow.owner == owner)
    ended = held.values(lease_until=datetime(1970, 1, 1, tzinfo=UTC), fence=AgendaRow.fence + 1)
    return [_entry(row) for row in session.scalars(ended.returning(AgendaRow).execution_options(synchronize_session=False))]


def end_all_leases(session: Session) -> None:
    """Nobody else is alive: everything that is claimed is free to be adopted."""
    held = update(AgendaRow).where(AgendaRow.owner.is_not(None))
    session.execute(held.values(lease_until=datetime(1970, 1, 1, tzinfo=UTC)))
    wake(session)


def next_due(session: Session, now: datetime, kinds: Collection[Work]) -> datetime | None:
    """When something of these kinds is due next, or a lease runs out; what a busy key holds back does not count."""
    return session.scalars(_soonest(tuple(kinds)), {"now": now}).one()


@cache
def _soonest(kinds: tuple[Work, ...]) -> Select[datetime | None]:
    when = case((_ROW.owner.is_(None), _ROW.due_at), else_=_ROW.lease_until)
    return select(func.min(when)).where(_ROW.kind.in_(kinds), when > bindparam("now"))
