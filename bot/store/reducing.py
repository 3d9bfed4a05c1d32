"""Personal data of ended requests, reduced to what the audit chain needs (`bot.domain.trail`, `bot.domain.reduced`).

Each reduction is one transaction: the events are emptied, the rows that say the same are, and an event names what was reduced.
It begins by taking the chain's head, so that nobody writes beside it and what it reads stays as it is.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, null, select, update
from sqlalchemy.orm import Session

from bot.domain import reduced
from bot.domain.events import BOT, EventKind
from bot.domain.rules import REDUCED
from bot.domain.trail import NEVER_REDUCED, NO_SALT, NOBODY, NOTHING
from bot.store import audit, posts
from bot.store.agenda import Work
from bot.store.posts import CARD
from bot.store.tables import AgendaRow, EventRow, RequestRow, StepRow, VersionRow, VoteRow

#: So many events at most are named by one event.
TOGETHER = 500

_KEPT = [kind.value for kind in NEVER_REDUCED]


def next_request(session: Session, ended_before: datetime) -> int | None:
    """One that ended before then and still has its personal data. An emergency that nobody has confirmed waits for that."""
    unconfirmed = exists().where(AgendaRow.request == RequestRow.id, AgendaRow.kind == Work.CONFIRM.value)
    due = select(RequestRow.id).where(RequestRow.reduced_at.is_(None), RequestRow.ended_at < ended_before, ~unconfirmed)
    return session.scalars(due.order_by(RequestRow.id).limit(1)).first()


def reduce_request(session: Session, now: datetime, number: int) -> None:
    audit.head(session)
    row = session.get_one(RequestRow, number, populate_existing=True)
    if row.reduced_at is not None or row.ended_at is None:
        return
    while numbers := _events(session, EventRow.request == number):
        empty(session, now, numbers, number)
    row.requester, row.view_id, row.asked_in, row.delivery = NOBODY, "", "", f"{REDUCED}{number}"
    row.ask, row.evidence, row.plan = reduced.ask(row.ask), reduced.evidence(row.evidence), reduced.plan(row.plan)
    row.problems, row.outcome = [], reduced.outcome(row.outcome)
    row.rule, row.rule_now, row.reduced_at = _rule(row.rule), _rule(row.rule_now), now
    _reduce_votes(session, number)
    _reduce_versions(session, number)
    session.execute(update(StepRow).where(StepRow.request == number).values(result={}))
    posts.forget(session, number, *(purpose for purpose in posts.of(session, number) if not _in_channel(purpose)))
    session.execute(delete(AgendaRow).where(AgendaRow.request == number, AgendaRow.owner.is_(None)))
    session.flush()


def _in_channel(purpose: str) -> bool:
    """The card and its thread; every other message was for one person."""
    return purpose == CARD or purpose.isdecimal()


def _reduce_votes(session: Session, number: int) -> None:
    """The voters stay apart from each other, so that they can be counted."""
    for vote in session.scalars(select(VoteRow).filter_by(request=number).execution_options(populate_existing=True)):
        vote.user, vote.reason, vote.reply_to = f"{REDUCED}{vote.id}", "", None
        vote.delivery = vote.user


def _reduce_versions(session: Session, number: int) -> None:
    for old in session.scalars(select(VersionRow).filter_by(request=number).execution_options(populate_existing=True)):
        old.ask, old.evidence, old.plan = reduced.ask(old.ask), reduced.evidence(old.evidence), reduced.plan(old.plan)
        old.rule = _rule(old.rule)


def _rule(data: Mapping[str, Any] | None) -> Any:
    return null() if data is None else reduced.rule(data)


def reduce_loose(session: Session, now: datetime, before: datetime) -> bool:
    """The events of no request that were written before then; False when there is none any more."""
    audit.head(session)
    numbers = _events(session, EventRow.request.is_(None), EventRow.at < before)
    if numbers:
        empty(session, now, numbers, None)
    for number in numbers:
        about = posts.of_event(number)
        posts.forget(session, about, *posts.of(session, about))
    return bool(numbers)


def _events(session: Session, *which: object) -> Sequence[int]:
    """The oldest that can be reduced, so many as go together."""
    wanted = select(EventRow.id).where(EventRow.reduced_at.is_(None), EventRow.kind.not_in(_KEPT), *which)  # type: ignore[arg-type]
    return session.scalars(wanted.order_by(EventRow.id).limit(TOGETHER)).all()


def empty(session: Session, now: datetime, numbers: Sequence[int], request: int | None) -> None:
    """Reduce these events of a request, or of none."""
    audit.append(session, now, EventKind.REDUCED, BOT, request, events=list(numbers))
    emptied = update(EventRow).where(EventRow.id.in_(numbers))
    session.execute(
        emptied.values(actor=NOBODY, data=NOTHING, salt=NO_SALT, reduced_at=now).execution_options(synchronize_session=False)
    )
