"""Lists of requests, a page at a time: what is open, what is under way, what somebody asked for, and what ever was.

Each page goes on after the last request of the one before (keyset paging), so that it costs the same however far back it is,
and what is added meanwhile moves nothing. Drafts, and what never got further, are in none of them.
"""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import ColumnElement, Select, exists, or_, select
from sqlalchemy.orm import Session

from bot.domain.requests import Decision, Execution, Request
from bot.store import ledger
from bot.store.agenda import Work
from bot.store.tables import AgendaRow, RequestRow

#: At most so many requests after that one, of those that are meant; ``after`` 0 is the beginning.
Find = Callable[[Session, int, int], list[Request]]

_ASKED_FOR = (Decision.PENDING.value, Decision.APPROVED.value, Decision.REJECTED.value)


def pending(session: Session, after: int, most: int) -> list[Request]:
    """What is open, newest first."""
    return _newest(session, _live(Decision.PENDING), after, most)


def waiting(session: Session, after: int, most: int) -> list[Request]:
    """What is open, oldest first."""
    return _oldest(session, _live(Decision.PENDING), after, most)


def unconfirmed(session: Session, after: int, most: int) -> list[Request]:
    """Emergencies that nobody has looked at yet, oldest first."""
    raised = select(AgendaRow.request).where(AgendaRow.kind == Work.CONFIRM.value)
    return _oldest(session, select(RequestRow).where(RequestRow.id.in_(raised)), after, most)


def undecided(session: Session, now: datetime) -> list[Request]:
    """All that can still be decided at this moment, oldest first."""
    return ledger.load_all(session, _live(Decision.PENDING).where(RequestRow.expires_at > now).order_by(RequestRow.id))


def running(session: Session, after: int, most: int) -> list[Request]:
    """What is approved and has not ended, oldest first."""
    return _oldest(session, _live(Decision.APPROVED), after, most)


def everything(session: Session, after: int, most: int) -> list[Request]:
    """All that was ever asked for, newest first."""
    return _of()(session, after, most)


def by(user: str) -> Find:
    """What this person asked for, newest first."""
    return _of(RequestRow.requester == user)


def by_and_open(user: str) -> Find:
    """What this person asked for and has not ended, newest first."""
    return _of(RequestRow.requester == user, RequestRow.ended_at.is_(None))


def by_and_ended(user: str) -> Find:
    """What this person asked for and has ended, newest first."""
    return _of(RequestRow.requester == user, RequestRow.ended_at.is_not(None))


def on(pbx: str) -> Find:
    """What was asked for on this PBX, newest first."""
    return _of(RequestRow.pbx == pbx)


def of_name(name: str) -> Find:
    """What was asked for with this host name, or with one below it, newest first."""
    exactly = RequestRow.names.contains(f" {name} ", autoescape=True)
    below = RequestRow.names.contains(f".{name} ", autoescape=True)
    return _of(or_(exactly, below))


def knows_pbx(session: Session, pbx: str) -> bool:
    """Whether anything was ever asked for on a PBX of this name; it may not be configured any more."""
    return bool(session.scalar(select(exists().where(RequestRow.pbx == pbx))))


def last_done(session: Session, pbx: str) -> datetime | None:
    """When the bot last put something on this PBX, by its latest requests."""
    latest = (
        select(RequestRow.ended_at, RequestRow.execution).where(RequestRow.pbx == pbx).order_by(RequestRow.id.desc()).limit(20)
    )
    return max((ended for ended, execution in session.execute(latest) if ended and execution == Execution.DONE), default=None)


def _live(decision: Decision) -> Select[RequestRow]:
    return select(RequestRow).where(RequestRow.decision == decision.value, RequestRow.ended_at.is_(None))


def _of(*where: ColumnElement[bool]) -> Find:
    """Newest first; without what ended as a draft. Only what was shown to its approvers has a time at which it expires."""
    shown = or_(RequestRow.expires_at.is_not(None), RequestRow.decision.in_(_ASKED_FOR))
    wanted = select(RequestRow).where(*where, RequestRow.decision != Decision.DRAFT.value, RequestRow.edits.is_(None), shown)
    return lambda session, after, most: _newest(session, wanted, after, most)


def _newest(session: Session, wanted: Select[RequestRow], after: int, most: int) -> list[Request]:
    older = wanted.where(RequestRow.id < after) if after else wanted
    return ledger.load_all(session, older.order_by(RequestRow.id.desc()).limit(most))


def _oldest(session: Session, wanted: Select[RequestRow], after: int, most: int) -> list[Request]:
    return ledger.load_all(session, wanted.where(RequestRow.id > after).order_by(RequestRow.id).limit(most))
