"""What operators are told of the bot itself: which of its events have been told, as one number."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.domain.events import Event, EventKind
from bot.store import agenda, audit, meta
from bot.store.agenda import Work
from bot.store.tables import EventRow

#: The agenda's key: one teller at a time, so that they are told in order.
KEY = "bulletin"
#: The kinds of events that are told there.
KINDS = (EventKind.CONFIG_LOADED, EventKind.CONFIG_REFUSED, EventKind.CONFIG_DIFFERS, EventKind.POLICY_TROUBLE)

_TOLD = "bulletin told"


def due(session: Session, now: datetime) -> None:
    """There is something to tell."""
    agenda.put(session, Work.BULLETIN, KEY, now)


def untold(session: Session) -> list[Event]:
    """In order, and only what concerns no single request."""
    since = int(meta.get(session, _TOLD) or 0)
    rows = select(EventRow).where(
        EventRow.id > since, EventRow.request.is_(None), EventRow.kind.in_([kind.value for kind in KINDS]),
        EventRow.reduced_at.is_(None),
    )  # fmt: skip
    return [audit.event_of(row) for row in session.scalars(rows.order_by(EventRow.id))]


def told(session: Session, event: Event) -> None:
    """This one and all before it are told, or not to be told any more."""
    meta.put(session, _TOLD, str(event.id).encode())
