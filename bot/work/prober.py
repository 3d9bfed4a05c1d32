"""Look from time to time whether a PBX that does not answer is back, also when nobody has work for it."""

import structlog

from bot.exceptions import PbxError
from bot.store import agenda, breakers
from bot.store.agenda import Entry
from bot.work.context import Context

log = structlog.get_logger(__name__)


class Prober:
    """One visit is one harmless call. What it finds out, the breaker notes; here only the next look is arranged.

    Nobody else is let through to a PBX that is away, so the hands that do the work are never held by it.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def visit(self, entry: Entry) -> None:
        pbx = entry.key.removeprefix(breakers.probe_key(""))
        if self._context.config.pbx_named(pbx) is not None:
            self._probe(pbx)
        with self._context.store.begin() as session:
            away = breakers.away(session, pbx) if self._context.config.pbx_named(pbx) else None
            if away is None:
                agenda.finish(session, entry)
            else:
                agenda.again(session, entry, away.retry_at)

    def _probe(self, pbx: str) -> None:
        try:
            self._context.pbx(pbx).probe()
        except PbxError as error:  # silence keeps the breaker open, a refusal has closed it
            log.info("pbx.probed", pbx=pbx, error=type(error).__name__, code=error.code)
