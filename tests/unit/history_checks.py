"""What must be true of a request's rows at any moment, told from the rows alone."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.domain.events import EventKind
from bot.domain.requests import Decision, Request
from bot.store import audit
from bot.store.agenda import Work
from bot.store.tables import AgendaRow, VoteRow

_ENDS = ("rejected", "withdrawn", "expired", "done", "failed")


def has_its_quorum(session: Session, request: Request, approvers: frozenset[str]) -> None:
    """Told from the rows alone, whatever the model believes: it runs if, and only if, enough others said yes to this."""
    every = session.scalars(select(VoteRow).filter_by(request=request.id, state="counted")).all()
    assert all(row.version <= request.version for row in every)
    counted = [row for row in every if row.version == request.version]
    assert all(row.digest == request.digest for row in counted)
    voters = [row.user for row in counted]
    assert len(voters) == len({*voters})
    assert {*voters} <= approvers - {request.requester}
    approvals = sum(row.verdict == "approve" for row in counted)
    was_approved = EventKind.APPROVED in {event.kind for event in audit.events_of(session, request.id)}
    assert (approvals >= request.approvals_needed) == was_approved
    assert (request.execution is not None) == (request.decision is Decision.APPROVED)


def is_done_once(session: Session, request: Request) -> None:
    """One approval, one end, and one entry on the agenda for as long as there is something to do."""
    kinds = [event.kind.value for event in audit.events_of(session, request.id)]
    due = session.scalars(select(AgendaRow.kind).filter_by(request=request.id)).all()
    is_running = request.decision is Decision.APPROVED and not request.has_ended
    assert due.count(Work.FULFIL.value) == int(is_running)
    taken_back = request.decision is Decision.WITHDRAWN and "approved" in kinds
    assert kinds.count("approved") == int(request.decision is Decision.APPROVED or taken_back)
    assert sum(kind in _ENDS for kind in kinds) == int(request.has_ended)
