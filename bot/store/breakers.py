"""The circuit breakers, in the database, so that every process and every restart knows which PBX is to be left alone.

Each change is one conditional UPDATE. A PBX that answers costs one look at its row a call and no write. The transactions that
open and close a breaker also hold the event, the notice to the channel, and the entries of the agenda that go with it. Their
order of locks: the breaker, the audit chain, the agenda.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.domain.events import BOT, EventKind
from bot.domain.requests import Decision
from bot.exceptions import PbxAway, PbxError, StoreError
from bot.store import agenda, audit
from bot.store.agenda import Work
from bot.store.engine import Store
from bot.store.ledger import pbx_key
from bot.store.tables import AgendaRow, BreakerRow, RequestRow

#: So many calls in a row without an answer open the breaker.
THRESHOLD = 3
#: A login whose answer was lost weighs more, and the next one waits for the longest pause, so that half an hour has at most 4.
#: The PBX may have counted it as failed (five in a row block our address), or as one of the 8 tokens of half an hour.
LOST_LOGIN = 2
#: The pause before the first probe; each further one doubles it, up to the longest.
FIRST, LONGEST = timedelta(seconds=30), timedelta(minutes=10)
#: A PBX that falls silent again so soon after it was back is told of only at the end of that time, if it still is.
FLAPPING = timedelta(minutes=10)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Away:
    """An open breaker: the PBX has not answered since then."""

    pbx: str
    since: datetime
    retry_at: datetime


class Breakers:
    """Implements `bot.pbx.breaker.Breaker`. What cannot be noted because of our own database is logged: it must not hide what
    the PBX said, and a call that is not noted is noted the next time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        #: The PBXs whose row may tell of trouble, so that an answer is news.
        self._unwell: set[str] = set()

    def check(self, pbx: str) -> None:
        with self._store.begin() as session:
            row = session.get(BreakerRow, pbx)
        if row is not None and row.failures:
            self._mark(pbx)
        if (known := _away(row)) is not None:
            raise PbxAway(pbx, known.since, known.retry_at)

    def probe(self, pbx: str) -> None:
        """Moving ``retry_at`` on is the permission, so that of several processes one has it: by more than a call and
        its login can take, so that there is never a second probe beside the first."""
        now = self._store.now()
        with self._store.begin() as session:
            known = _away(session.get(BreakerRow, pbx))
            if known is not None and not _permitted(session, known, now):
                raise PbxAway(pbx, known.since, known.retry_at)
        self._mark(pbx)

    def answered(self, pbx: str) -> None:
        with self._lock:
            if pbx not in self._unwell:
                return
            self._unwell.discard(pbx)
        self._note(pbx, lambda session: _well(session, self._store.now(), pbx))

    def silent(self, pbx: str, error: PbxError, *, lost_login: bool) -> None:
        self._note(pbx, lambda session: _silence(session, self._store.now(), pbx, error, lost_login))
        self._mark(pbx)

    def _mark(self, pbx: str) -> None:
        with self._lock:
            self._unwell.add(pbx)

    def _note(self, pbx: str, change: Callable[[Session], None]) -> None:
        try:
            with self._store.begin() as session:
                change(session)
        except StoreError as error:
            log.warning("breaker.not_noted", pbx=pbx, code=error.code)


def away(session: Session, pbx: str) -> Away | None:
    """Whether this PBX is left alone, and since when."""
    return _away(session.get(BreakerRow, pbx, populate_existing=True))


def still_away(session: Session, pbx: str) -> bool:
    """The same, and it stays so until this is committed: who closes the breaker then sees what this transaction leaves."""
    return _away(session.get(BreakerRow, pbx, populate_existing=True, with_for_update=True)) is not None


def adopt(session: Session, pbx: str) -> None:
    """Whatever became of the entries of the agenda: a PBX that is left alone is probed when it is time."""
    if (known := away(session, pbx)) is not None:
        agenda.put(session, Work.PROBE, probe_key(pbx), known.retry_at)


def retry_now(session: Session, pbx: str, now: datetime) -> None:
    """A person says that it is worth a try: the next probe is permitted at once."""
    sooner = update(BreakerRow).where(BreakerRow.pbx == pbx, BreakerRow.opened_at.is_not(None), BreakerRow.retry_at > now)
    session.execute(sooner.values(retry_at=now).execution_options(synchronize_session=False))


def probe_key(pbx: str) -> str:
    """The agenda's key for looking whether a PBX is back: not that of its queue, which a probe must not hold up."""
    return f"probe:{pbx}"


def notice_key(pbx: str) -> str:
    return f"notice:{pbx}"


def _away(row: BreakerRow | None) -> Away | None:
    if row is None or row.opened_at is None:
        return None
    return Away(row.pbx, row.since or row.opened_at, row.retry_at or row.opened_at)


def _permitted(session: Session, known: Away, now: datetime) -> bool:
    """While it is open, ``failures`` counts the probes that were permitted, so that the pauses grow with them."""
    row = session.get_one(BreakerRow, known.pbx)
    pause = min(LONGEST, 2 * FIRST * 2.0 ** min(max(row.failures - THRESHOLD, 0), 16))
    take = update(BreakerRow).where(
        BreakerRow.pbx == known.pbx, BreakerRow.opened_at.is_not(None), BreakerRow.retry_at == known.retry_at,
        BreakerRow.retry_at <= now,
    )  # fmt: skip
    taken = take.values(retry_at=now + pause, failures=BreakerRow.failures + 1).returning(BreakerRow.pbx)
    return session.execute(taken.execution_options(synchronize_session=False)).one_or_none() is not None


def _silence(session: Session, now: datetime, pbx: str, error: PbxError, lost_login: bool) -> None:
    counted = _count(session, now, pbx, LOST_LOGIN if lost_login else 1)
    pause = LONGEST if lost_login else FIRST
    ready = update(BreakerRow).where(
        BreakerRow.pbx == pbx, BreakerRow.opened_at.is_(None), BreakerRow.failures >= THRESHOLD
    )  # fmt: skip
    opened = ready.values(opened_at=now, failures=THRESHOLD, retry_at=now + pause).returning(BreakerRow.since)
    row = session.execute(opened.execution_options(synchronize_session=False)).one_or_none()
    if row is not None:
        _opened(session, now, pbx, error, row.since, now + pause)
    elif lost_login and not counted:
        _not_before(session, pbx, now + LONGEST)


def _count(session: Session, now: datetime, pbx: str, weight: int) -> bool:
    """One more in a row. False while the breaker is open: then it is not counted, for calls that had left before it opened come
    in late, and probes are counted when they are permitted."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    new = dialect.insert(BreakerRow).values(pbx=pbx, failures=weight, since=now)
    more = new.on_conflict_do_update(
        index_elements=[BreakerRow.pbx],
        set_={"failures": BreakerRow.failures + weight, "since": func.coalesce(BreakerRow.since, new.excluded.since)},
        where=BreakerRow.opened_at.is_(None),
    )
    return session.execute(more.returning(BreakerRow.pbx)).one_or_none() is not None


def _not_before(session: Session, pbx: str, moment: datetime) -> None:
    """The next probe would log in again."""
    later = update(BreakerRow).where(
        BreakerRow.pbx == pbx, BreakerRow.opened_at.is_not(None), BreakerRow.retry_at < moment
    )  # fmt: skip
    session.execute(later.values(retry_at=moment).execution_options(synchronize_session=False))


def _opened(session: Session, now: datetime, pbx: str, error: PbxError, since: datetime, retry_at: datetime) -> None:
    log.warning("breaker.opened", pbx=pbx, code=error.code)
    told_at = max(now, _back_at(session, pbx, now) + FLAPPING)
    audit.append(session, now, EventKind.PBX_SILENT, BOT, pbx=pbx, since=since.isoformat(), waiting=_waiting(session, pbx, now),
                 sentence=error.message)  # fmt: skip
    agenda.put(session, Work.NOTICE, notice_key(pbx), told_at)
    agenda.put(session, Work.PROBE, probe_key(pbx), retry_at)


def _well(session: Session, now: datetime, pbx: str) -> None:
    """An answer: what was counted is forgotten, and an open breaker closes, for whoever finds it so first."""
    row = session.get(BreakerRow, pbx)
    if row is None or not row.failures:
        return
    known = _away(row)
    close = update(BreakerRow).where(
        BreakerRow.pbx == pbx, BreakerRow.failures > 0,
        BreakerRow.opened_at.is_(None) if known is None else BreakerRow.opened_at == row.opened_at,
    )  # fmt: skip
    clean = close.values(failures=0, since=None, opened_at=None, retry_at=None).returning(BreakerRow.pbx)
    closed = session.execute(clean.execution_options(synchronize_session=False)).one_or_none() is not None
    if closed and known is not None:
        _closed(session, now, known)


def _closed(session: Session, now: datetime, known: Away) -> None:
    seconds = round((now - known.since).total_seconds())
    log.warning("breaker.closed", pbx=known.pbx, seconds=seconds)
    audit.append(
        session, now, EventKind.PBX_ANSWERS, BOT, pbx=known.pbx, seconds=seconds, waiting=_waiting(session, known.pbx, now)
    )
    agenda.put(session, Work.NOTICE, notice_key(known.pbx), now)
    _go_on(session, known.pbx, now)


def _go_on(session: Session, pbx: str, now: datetime) -> None:
    """What waits for this PBX is due now, in the order of the approvals."""
    waiting = select(AgendaRow.id).join(RequestRow, RequestRow.id == AgendaRow.request)
    waiting = waiting.where(AgendaRow.key == pbx_key(pbx), AgendaRow.owner.is_(None))
    latest_first = session.scalars(waiting.order_by(RequestRow.decided_at.desc(), RequestRow.id.desc())).all()
    for place, number in enumerate(latest_first):
        ours = update(AgendaRow).where(AgendaRow.id == number, AgendaRow.owner.is_(None))
        session.execute(ours.values(due_at=now - timedelta(microseconds=place)))
    agenda.wake(session)


def _back_at(session: Session, pbx: str, now: datetime) -> datetime:
    """When it last came back; long ago, if never."""
    latest = audit.of_pbx(session, pbx, last=1)
    return latest[0].at if latest else now - FLAPPING


def _waiting(session: Session, pbx: str, now: datetime) -> int:
    """How many approved requests have not ended; those that begin later do not wait yet."""
    live = select(func.count()).where(
        RequestRow.pbx == pbx, RequestRow.decision == Decision.APPROVED.value, RequestRow.ended_at.is_(None),
        or_(RequestRow.starts_at.is_(None), RequestRow.starts_at <= now),
    )  # fmt: skip
    return session.scalars(live.select_from(RequestRow)).one()
