"""Messages to Slack: intended before they are sent, so that one whose fate is unknown is looked for, not sent again."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Text, cast, exists, or_, select
from sqlalchemy.orm import Session

from bot.store.agenda import Work
from bot.store.tables import AgendaRow, PostRow, RequestRow

#: The purposes that are not an event's number.
CARD, LINK, LINK_DIRECT, OUTCOME = "card", "link", "link:direct", "outcome"
#: No message, but what a look at the card has put right: its ``shown`` is the SHA-256 of what was there and what should be.
RIGHTED = "card:righted"
#: In place of a ts, for what Slack shows one person and does not keep.
EPHEMERAL = "ephemeral"
#: In place of a ts, for what Slack does not let us tell this person at all.
REFUSED = "refused"

#: A request's number, or `of_event` for what concerns no single request.
About = int | str


@dataclass(frozen=True)
class Post:
    """``ts`` is empty while it is not known to have arrived; ``shown`` is the SHA-256 of what it shows.

    ``intended_at`` is when what it shows was intended. ``told_with`` is the purpose whose id the message bears: another than
    its own where several are told in one message.
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


def cards(session: Session, numbers: Iterable[int]) -> dict[int, Post]:
    """The cards of these requests, as far as they were intended."""
    wanted = select(PostRow).where(PostRow.about.in_([str(number) for number in numbers]), PostRow.purpose == CARD)
    return {int(row.about): _post(row) for row in session.scalars(wanted.execution_options(populate_existing=True))}


def _post(row: PostRow) -> Post:
    return Post(row.purpose, row.channel, row.ts, row.shown, row.intended_at, row.told_with)


def intend(session: Session, now: datetime, about: About, purpose: str, channel: str, told_with: str = "") -> None:
    """It is about to be sent, perhaps once more, after a first attempt that certainly came to nothing."""
    values = {"told_with": told_with or purpose, "channel": channel, "ts": "", "shown": "", "intended_at": now}
    session.merge(PostRow(about=str(about), purpose=purpose, **values))
    session.flush()


def arrived(session: Session, now: datetime, about: About, purpose: str, channel: str, ts: str, shown: str = "") -> None:
    """It is there. Also if nobody knows of the intent any more: what is in Slack is a fact, whoever gave up on it meanwhile."""
    row = session.get(PostRow, (str(about), purpose), populate_existing=True)
    if row is None:
        row = PostRow(about=str(about), purpose=purpose, told_with=purpose, intended_at=now)
        session.add(row)
    row.channel, row.ts, row.shown = channel, ts, shown
    session.flush()


def repainted(session: Session, now: datetime, about: About, purpose: str, shown: str) -> None:
    """A message that is there shows this now; nothing if it was given up meanwhile."""
    row = session.get(PostRow, (str(about), purpose), populate_existing=True)
    if row is not None:
        row.shown, row.intended_at = shown, now


def forget(session: Session, about: About, *purposes: str) -> None:
    """They did not arrive, and that is certain."""
    for purpose in purposes:
        row = session.get(PostRow, (str(about), purpose), populate_existing=True)
        if row is not None:
            session.delete(row)
    session.flush()


def forget_thread(session: Session, about: About) -> None:
    """Somebody deleted the card: it and all the lines below it are to be told anew."""
    below = [purpose for purpose in of(session, about) if purpose.isdecimal()]
    forget(session, about, CARD, RIGHTED, *below)


def with_card(session: Session, since: datetime) -> list[int]:
    """The requests that have a card in Slack and are not ended, ended after ``since``, or still wait for somebody to look at
    them afterwards; by number."""
    card = exists().where(PostRow.about == cast(RequestRow.id, Text), PostRow.purpose == CARD, PostRow.ts != "")
    awaits = exists().where(AgendaRow.kind == Work.CONFIRM.value, AgendaRow.request == RequestRow.id)
    wanted = select(RequestRow.id).where(card, or_(RequestRow.ended_at.is_(None), RequestRow.ended_at > since, awaits))
    wanted = wanted.where(RequestRow.reduced_at.is_(None))
    return list(session.scalars(wanted.order_by(RequestRow.id)))
