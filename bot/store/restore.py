"""A database that was put back from a backup: what it says is open or under way happened otherwise since, or did not.

So such a database bears a mark, and whoever opens it to work on it first ends, in one transaction, all that could be done a
second time: nothing is replayed.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from bot.domain.events import BOT, EventKind
from bot.domain.requests import Decision, Request
from bot.store import agenda, audit, fates, ledger, posts
from bot.store.agenda import Work
from bot.store.engine import Store
from bot.store.tables import AgendaRow, EventRow, MetaRow, RequestRow, TokenRow, VoteRow

log = structlog.get_logger(__name__)

#: The row of the table ``meta`` that says: a copy, as of this moment (ISO 8601).
MARK = "copy of"
#: Requests have been numbered since the backup of which the database knows nothing. Their numbers are on cards in Slack and in
#: names of files on the PBXs, so they must not be given again: this many are skipped, and one more for each minute since then,
#: so that a second restore of the same backup skips what was numbered after the first.
SKIPPED = 1_000
#: What is on the agenda of a moment that is long past. What is to be told is still to be told.
_REPLAYS = (Work.CHECK, Work.DECIDE, Work.FULFIL, Work.EXPIRE, Work.WIPE)


@dataclass(frozen=True)
class Voided:
    """What was ended because the database was put back. ``until`` is the last moment of which it knows."""

    until: datetime
    void: tuple[int, ...]
    unknown: tuple[int, ...]


def mark_as_copy(session: Session, at: datetime) -> None:
    """This database is a copy as of then."""
    session.merge(MetaRow(name=MARK, value=at.isoformat().encode()))


def mark_as_put_back(session: Session, now: datetime) -> datetime:
    """Say so of a database that was copied by other means; returns the last moment of which it knows."""
    known = session.get(MetaRow, MARK)
    if known is not None:
        return _until(known.value)
    last = session.scalars(select(EventRow.at).order_by(EventRow.id.desc()).limit(1)).first()
    mark_as_copy(session, last or now)
    return last or now


def _until(mark: bytes) -> datetime:
    return datetime.fromisoformat(mark.decode()).astimezone(UTC)


def void_what_was_put_back(store: Store) -> Voided | None:
    """Nothing, unless the database bears the mark. To be called before anything else is done on it."""
    with store.begin() as session:
        found = session.scalars(delete(MetaRow).where(MetaRow.name == MARK).returning(MetaRow.value)).one_or_none()
        if found is None:
            return None
        voided = _void(session, store, _until(found))
    log.warning("database.restored", until=voided.until.isoformat(), void=voided.void, unknown=voided.unknown)
    return voided


def _void(session: Session, store: Store, until: datetime) -> Voided:
    now = store.now()
    _look_for_what_was_told(session, until)
    session.execute(delete(AgendaRow).where(AgendaRow.kind.in_([kind.value for kind in _REPLAYS])))
    agenda.end_all_leases(session)
    session.execute(update(TokenRow).values(sealed=None, login_until=None, login_owner=""))  # others may hold them by now
    _skip_numbers(session, SKIPPED + round(max(0.0, (now - until).total_seconds()) / 60))
    undecided = _requests(session, RequestRow.decision.in_([Decision.DRAFT.value, Decision.PENDING.value]))
    under_way = _requests(session, (RequestRow.decision == Decision.APPROVED.value) & RequestRow.ended_at.is_(None))
    audit.append(session, now, EventKind.RESTORED, BOT, until=_moment(until), void=[one.id for one in undecided if one.is_open],
                 unknown=[one.id for one in under_way])  # fmt: skip
    session.execute(update(VoteRow).where(VoteRow.state == "recorded").values(state="refused", decided_at=now, reply_to=None))
    for request in undecided:
        ledger.close(session, now, store.vault, request, Decision.VOID, BOT, until=_moment(until))
    for request in under_way:
        fates.park(session, now, store.vault, request, _sentence(request, until))
    agenda.put(session, Work.HERALD, "herald", now)
    return Voided(until, tuple(one.id for one in undecided if one.is_open), tuple(one.id for one in under_way))


def _requests(session: Session, which: object) -> list[Request]:
    numbers = session.scalars(select(RequestRow.id).where(which).order_by(RequestRow.id)).all()  # type: ignore[arg-type]
    return [request for number in numbers if (request := ledger.load(session, number)) is not None]


def _look_for_what_was_told(session: Session, until: datetime) -> None:
    """What was still to be told at the moment of the backup has been told since, most likely: with an intent the narrator looks
    for each message before it posts it."""
    telling = select(AgendaRow.request).where(AgendaRow.kind == Work.NARRATE.value, AgendaRow.request.is_not(None))
    for number in session.scalars(telling.distinct()).all():
        request = ledger.load(session, number or 0)
        if request is None or request.decision is Decision.DRAFT:
            continue
        known = posts.of(session, request.id)
        purposes = (posts.CARD, *(str(event.id) for event in audit.events_of(session, request.id)))
        for purpose in purposes:
            if purpose not in known:
                posts.intend(session, until, request.id, purpose, request.channel)


def _skip_numbers(session: Session, count: int) -> None:
    if session.get_bind().dialect.name == "sqlite":
        last = session.scalars(select(func.coalesce(func.max(RequestRow.id), 0))).one()
        known = session.execute(text("UPDATE sqlite_sequence SET seq = seq + :count WHERE name = 'requests'"), {"count": count})
        if not known.rowcount:  # type: ignore[attr-defined]
            insert = text("INSERT INTO sqlite_sequence (name, seq) VALUES ('requests', :seq)")
            session.execute(insert, {"seq": last + count})
        return
    sequence = "pg_get_serial_sequence('requests', 'id')"
    session.execute(text(f"SELECT setval({sequence}, nextval({sequence}) + :count)"), {"count": count})


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC")


def _sentence(request: Request, until: datetime) -> str:
    return (
        f"The bot's database was put back from a backup and knows nothing of what happened after {_moment(until)}. What has"
        f" become of this on {request.ask.pbx} since is not known."
    )
