"""When the thread of an open request is reminded, and when others are told of it: entries of the agenda.

They are made in the transaction in which it is asked for, and again with each new version of it. One that comes due for what is
decided by then, or beside a later one, does nothing (`bot.work.remind`).
"""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from bot.domain.requests import Request
from bot.store import agenda
from bot.store.agenda import Work, thread_key

#: Each pause is twice as long as the one before; after the first few reminders none is shorter than this.
FEW, AT_LEAST = 3, timedelta(hours=1)


def schedule(session: Session, now: datetime, request: Request) -> None:
    """Begin anew, as its rule says: it is asked for now, or its new version is."""
    drop(session, request.id)
    rule = request.rule
    if rule is not None and rule.remind_after is not None:
        _put(session, Work.REMIND, request, now + rule.remind_after)
    if rule is not None and rule.escalate_after is not None:
        _put(session, Work.ESCALATE, request, now + rule.escalate_after)


def again(session: Session, now: datetime, request: Request, number: int) -> None:
    """The next reminder after the ``number``-th."""
    if request.rule is not None and request.rule.remind_after is not None:
        _put(session, Work.REMIND, request, now + pause(request.rule.remind_after, number))


def pause(first: timedelta, number: int) -> timedelta:
    """How long nobody is reminded after the ``number``-th time; ``first`` is the pause before the first."""
    longer = first * (1 << number)
    return longer if number < FEW else max(longer, AT_LEAST)


def drop(session: Session, number: int) -> None:
    """There is nothing to wait for any more."""
    agenda.drop(session, Work.REMIND, number)
    agenda.drop(session, Work.ESCALATE, number)


def _put(session: Session, kind: Work, request: Request, due: datetime) -> None:
    """Nobody is reminded of what has expired."""
    if request.expires_at is None or due < request.expires_at:
        agenda.put(session, kind, thread_key(request.id), due, request.id)
