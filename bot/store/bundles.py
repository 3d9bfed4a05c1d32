"""One request as a file that an auditor can check without the database (`bot.domain.bundle`)."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.domain import records
from bot.domain.bundle import FORMAT
from bot.domain.events import EventKind
from bot.domain.trail import Link, Outline
from bot.exceptions import StoreError
from bot.store import audit
from bot.store.tables import EventRow, RequestRow, StepRow, VersionRow, VoteRow

#: Of each row. What is not named here is not in the file: sealed answers, ids of Slack's deliveries, and whatever comes later.
_REQUEST = (
    "version", "decision", "execution", "pbx", "requester", "ask", "evidence", "plan", "digest", "approvals_needed", "rule",
    "rule_now", "channel", "created_at", "expires_at", "decided_at", "starts_at", "ended_at", "outcome", "reduced_at",
)  # fmt: skip
_VERSION = ("version", "ask", "evidence", "plan", "digest", "rule", "replaced_at")
_VOTE = ("version", "digest", "user", "verdict", "reason", "state", "seats", "created_at", "decided_at")
_STEP = ("step", "state", "known", "result", "changed_at")


def bundle(session: Session, number: int, now: datetime) -> dict[str, Any]:
    """Everything about a request, its part of the chain from its first event to the first head that was witnessed after its
    last; of other requests' events only their place. Raises StoreError when there is no such request."""
    chain = audit.head(session)  # nobody writes meanwhile
    row = session.get(RequestRow, number)
    if row is None:
        raise StoreError(f"There is no request #{number}.", code="no_request")
    drafts = session.scalars(select(RequestRow.id).filter_by(edits=number).order_by(RequestRow.id)).all()
    return {
        "format": FORMAT,
        "made_at": records.moment(now),
        "request": {"number": number, **_values(row, _REQUEST)},
        "drafts": list(drafts),
        "versions": [_values(old, _VERSION) for old in _rows(session, VersionRow, number, VersionRow.version)],
        "votes": [_values(vote, _VOTE) for vote in _rows(session, VoteRow, number, VoteRow.id)],
        "steps": [_values(step, _STEP) for step in _rows(session, StepRow, number, StepRow.changed_at)],
        "chain": [records.to_json(link) for link in _segment(session, {number, *drafts})],
        "head": {"length": chain.length, "hash": chain.head},
    }


def _rows(session: Session, table: Any, number: int, order: Any) -> list[Any]:
    return list(session.scalars(select(table).filter_by(request=number).order_by(order)))


def _values(row: Any, names: tuple[str, ...]) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in names}
    return {name: records.moment(value) if isinstance(value, datetime) else value for name, value in values.items()}


def _segment(session: Session, own: set[int]) -> list[Link | Outline]:
    first, last = session.execute(select(func.min(EventRow.id), func.max(EventRow.id)).where(EventRow.request.in_(own))).one()
    witnessed = session.scalars(
        select(func.min(EventRow.id)).where(EventRow.kind == EventKind.WITNESSED.value, EventRow.id > (last or 0))
    ).one()
    between = select(*audit.COLUMNS).where(EventRow.id >= first)
    if witnessed is not None:
        between = between.where(EventRow.id <= witnessed)
    rows = session.execute(between.order_by(EventRow.id))
    return [_shown(audit.link_of(tuple(row)), own) for row in rows]


def _shown(link: Link, own: set[int]) -> Link | Outline:
    return link if link.request in own or link.kind == EventKind.WITNESSED else link.outline
