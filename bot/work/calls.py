"""Each call that a request makes to its PBX is an event, told in the transaction that holds what came of it.

Before a call that changes something there is one, too (`bot.work.progress.Progress.intend`): where no second follows, the
process ended in between. Nobody is told of these events; they are for the audit trail.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

import structlog
from sqlalchemy.orm import Session

from bot.domain.events import BOT, EventKind
from bot.exceptions import StoreError
from bot.pbx.overheard import Overheard, heard_so_far, listening
from bot.store import audit
from bot.store.engine import Store

log = structlog.get_logger(__name__)

#: The events of a request that change nothing about it: calls to its PBX, and clicks that were refused on its card.
ASIDE = frozenset({EventKind.REFUSED, EventKind.CALLING, EventKind.CALLED})


@contextmanager
def of_visit(store: Store, request: int, step: str = "") -> Iterator[Overheard]:
    """Listen to the calls of a visit. Those that none of its transactions told, as it came to nothing, are told at its end."""
    with listening(step) as heard:
        try:
            yield heard
        except Exception:
            _tell_the_rest(store, request, heard)
            raise
        _tell_the_rest(store, request, heard)


@contextmanager
def telling(store: Store, request: int) -> Iterator[Session]:
    """A transaction that begins with the calls since the last one, so that what follows from them comes after them."""
    heard = heard_so_far()
    with store.begin() as session:
        count = tell(session, store, request)
        yield session
    if heard is not None:
        del heard.calls[:count]


def tell(session: Session, store: Store, request: int) -> int:
    """How many there were."""
    heard = heard_so_far()
    calls = list(heard.calls) if heard is not None else []
    for step, call in calls:
        audit.append(session, store.now(), EventKind.CALLED, BOT, request, step=step, **asdict(call))
    return len(calls)


def _tell_the_rest(store: Store, request: int, heard: Overheard) -> None:
    if not heard.calls:
        return
    try:
        with telling(store, request):
            pass
    except StoreError as error:
        log.warning("calls.not_told", request=request, calls=[call.call for _, call in heard.calls], code=error.code)
