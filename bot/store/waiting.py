"""The requests that wait for their approval."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.domain.requests import Decision, Request
from bot.store import ledger
from bot.store.tables import RequestRow


def waiting(session: Session, now: datetime) -> list[Request]:
    """All that can still be decided, oldest first."""
    still = select(RequestRow.id).where(RequestRow.decision == Decision.PENDING.value, RequestRow.expires_at > now)
    numbers = session.scalars(still.order_by(RequestRow.id)).all()
    return [ledger.expect(ledger.load(session, number)) for number in numbers]
