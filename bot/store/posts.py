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

#: A request's number, or `of_event` for what concerns no single request.
About = int | str


@dataclass(frozen=True)
class Post:
    """``ts`` is empty while it is not known to have arrived; ``shown`` is the SHA-256 of what it shows.

    ``told_with`` is the purpose whose id the message bears: another than its own where several are told in one message.
    """

    purpose: str
    channel: str
    ts: str
    shown: str
    intended_at: datetime
    told_with: str


def of_event(number: int) -> str:
    """What a message is about that tells of an event without a request."""
    return f"event:{number}"


def of(session: Session, about: About) -> dict[str, Post]:
    rows = session.scalars(select(PostRow).filter_by(about=str(about)).execution_options(populate_existing=True))
    return {row.purpose: _post(row) for row in rows}


def _post(row: PostRow) -> Post:
    return Post(row.purpose, row.channel, row.ts, row.shown, row.intended_at, row.told_with)


def intend(session: Session, now: datetime, about: About, purpose: str, channel: str, told_with: str = "") -> None:
    session.add(PostRow(about=str(about), purpose=purpose, told_with=told_with or purpose, channel=channel, ts="", shown="",
                        intended_at=now))  # fmt: skip


def arrived(session: Session, about: About, purpose: str, channel: str, ts: str, shown: str = "") -> None:
    row = session.get_one(PostRow, (str(about), purpose))
    row.channel, row.ts, row.shown = channel, ts, shown


def forget(session: Session, about: About, purpose: str) -> None:
    """It did not arrive, and that is certain."""
    row = session.get(PostRow, (str(about), purpose))
    if row is not None:
        session.delete(row)
