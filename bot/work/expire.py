"""What happens because nobody did anything: open requests expire, forgotten drafts go."""

from bot.domain.events import BOT
from bot.domain.requests import Decision, Request
from bot.exceptions import Stale
from bot.store import agenda, ledger
from bot.store.agenda import Entry, Work
from bot.work.context import Context


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
                    ledger.close(session, store.now(), store.vault, request, Decision.EXPIRED, BOT)
        except Stale:  # somebody was faster; there is nothing left to expire
            with store.begin() as session:
                agenda.finish(session, entry)


def _is_over(request: Request, entry: Entry) -> bool:
    expected = Decision.PENDING if entry.kind is Work.EXPIRE else Decision.DRAFT
    return request.decision is expected
