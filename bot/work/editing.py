"""A form that changes a request, while that goes on without it."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from bot.blocks.form import FormState
from bot.domain.problems import Problem
from bot.domain.requests import Decision, Request
from bot.store import edits, ledger

_MEANWHILE = {
    Decision.APPROVED: "was approved meanwhile",
    Decision.REJECTED: "was rejected meanwhile",
    Decision.WITHDRAWN: "was withdrawn meanwhile",
}


def can_be_changed(request: Request, now: datetime) -> bool:
    return request.is_open and (request.expires_at is None or request.expires_at > now)


def up_to_date(session: Session, now: datetime, state: FormState) -> tuple[FormState, tuple[Problem, ...]]:
    """The form with which one goes on, and what its requester has to know for that; nothing where all is as it was.

    What was changed in another window is changed upon that. What is not open any more becomes a request of its own.
    """
    request = ledger.load(session, state.edits) if state.edits else None
    if request is None:
        return state, ()
    if not can_be_changed(request, now):
        return replace(state, edits=None, edits_version=None, ask=replace(state.ask, after=request.id)), (_not_open(request),)
    if request.version == state.edits_version:
        return state, ()
    changes = " ".join(edits.changes_since(session, request, state.edits_version or 0))
    return replace(state, edits_version=request.version), (_changed(request, changes),)


def _not_open(request: Request) -> Problem:
    what = _MEANWHILE.get(request.decision, "is not open any more")
    told = f"#{request.id} {what}, so it cannot be changed. Nothing that you typed is lost"
    return Problem("", f"{told}: go on, and it becomes a new request, which names #{request.id}.", "not_open")


def _changed(request: Request, changes: str) -> Problem:
    told = f"#{request.id} was changed in another window meanwhile. {changes}".strip()
    return Problem("", f"{told} If you go on, what stands here takes the place of that.", "changed_meanwhile")
