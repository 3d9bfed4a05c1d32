"""What happens because nobody did anything: open requests expire, forgotten drafts go."""

from typing import Any

from sqlalchemy.orm import Session

from bot.domain.events import BOT
from bot.domain.requests import Decision, Request
from bot.exceptions import Stale
from bot.store import agenda, audit, ledger
from bot.store.agenda import Entry, Work
from bot.work.context import Context
from bot.work.remind import escalated_to, who_is_missing


class Expirer:
    """Ends a request that nobody decided, and a draft that nobody confirmed, with their secrets."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def visit(self, entry: Entry) -> None:
        """An entry that came too late for its state does nothing; nor does one beside a later one, for then it was touched."""
        store = self._context.store
        try:
            with store.begin() as session:
                agenda.finish(session, entry)
                request = ledger.load(session, entry.request or 0)
                if request is not None and _is_over(request, entry) and not agenda.awaits(session, entry.kind, request.id):
                    involved = _involved(session, request)
                    ledger.close(session, store.now(), store.vault, request, Decision.EXPIRED, BOT, **involved)
        except Stale:  # somebody was faster; there is nothing left to expire
            with store.begin() as session:
                agenda.finish(session, entry)


def _is_over(request: Request, entry: Entry) -> bool:
    expected = Decision.PENDING if entry.kind is Work.EXPIRE else Decision.DRAFT
    return request.decision is expected


def _involved(session: Session, request: Request) -> dict[str, Any]:
    """Of what nobody decided: whom it waited for, and who was told of that. Of a draft nobody knows but its requester."""
    if not request.is_open:
        return {}
    return {**who_is_missing(request), "to": escalated_to(audit.events_of(session, request.id))}
