"""Messages to Slack: intended before they are sent, so that one whose fate is unknown is looked for, not sent again."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.store.tables import PostRow

#: The purposes that are not an event's number.
CARD, LINK, LINK_DIRECT, OUTCOME = "card", "link", "link:direct", "outcome"
#: In place of a ts, for what Slack shows one person and does not keep.
EPHEMERAL = "ephemeral"
#: In place of a ts, for what Slack does not let us tell this person at all.
REFUSED = "refused"


@dataclass(frozen=True)
class Post:
    """``ts`` is empty while it is not known to have arrived; ``shown`` is the SHA-256 of what it shows."""

    purpose: str
    channel: str
    ts: str
    shown: str
    intended_at: datetime


def of(session: Session, request: int) -> dict[str, Post]:
    rows = session.scalars(select(PostRow).filter_by(request=request).execution_options(populate_existing=True))
    return {row.purpose: Post(row.purpose, row.channel, row.ts, row.shown, row.intended_at) for row in rows}


def intend(session: Session, now: datetime, request: int, purpose: str, channel: str) -> None:
    session.add(PostRow(request=request, purpose=purpose, channel=channel, ts="", shown="", intended_at=now))


def arrived(session: Session, request: int, purpose: str, channel: str, ts: str, shown: str = "") -> None:
    row = session.get_one(PostRow, (request, purpose))
    row.channel, row.ts, row.shown = channel, ts, shown


def forget(session: Session, request: int, purpose: str) -> None:
    """It did not arrive, and that is certain."""
    row = session.get(PostRow, (request, purpose))
    if row is not None:
        session.delete(row)
