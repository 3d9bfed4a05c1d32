"""Approved now, begun later: when it is due, what is told of that, and who wins when it is withdrawn as it begins."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from bot.domain.events import EventKind
from bot.domain.requests import Decision, Execution, Request
from bot.domain.schedule import Beginning, Why, beginning
from bot.domain.windows import Windows, parse
from bot.exceptions import Stale
from bot.store import agenda, audit, ledger
from bot.store.agenda import Entry, Work
from bot.store.engine import Store
from bot.store.tables import AgendaRow, RequestRow
from bot.work.progress import Progress
from tests.unit.breaker_kit import away, opened
from tests.unit.store_kit import ANA, NOW, TESS, Clock, approved, at_once, count, load, open_store, pending, read, record

pytestmark = pytest.mark.usefixtures("any_database")

SATURDAY = Windows((parse("Sat 22:00-04:00"),))
OPENING = NOW + timedelta(days=6, hours=10)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    store = open_store(tmp_path, clock)
    yield store
    store.close()


def scheduled(store: Store, windows: Windows = SATURDAY, delivery: str = "d1") -> Request:
    """Approved when no window is open."""
    request = pending(store, delivery=delivery)
    click = record(store, request, ANA)
    count(store, click, beginning(request, windows, store.now()))
    return load(store, request.id)


def due(store: Store, request: Request) -> list[datetime]:
    return list(read(store, lambda session: session.scalars(
        select(AgendaRow.due_at).filter_by(kind=Work.FULFIL.value, request=request.id)
    ).all()))  # fmt: skip


def starts(store: Store, request: Request) -> list[tuple[str, str]]:
    """What was told of its start, in order."""
    events = read(store, lambda session: audit.events_of(session, request.id))
    return [(event.data["start"], event.data["why"]) for event in events if event.kind is EventKind.SCHEDULED]


def visit(store: Store, windows: Windows = SATURDAY) -> Request | None:
    """The bot takes what is due, and begins it if it may."""
    with store.begin() as session:
        entry = agenda.claim(session, store.owner, store.now(), [Work.FULFIL])
    assert entry is not None, "nothing is due"
    return Progress(store).begin(entry, lambda request: beginning(request, windows, store.now()))


def withdraw(store: Store, request: Request) -> None:
    with store.begin() as session:
        ledger.close(session, store.now(), store.vault, request, Decision.WITHDRAWN, TESS)


def test_approved_for_later(store: Store) -> None:
    """What is approved outside the windows is due when the next one opens, and that is an event of its own."""
    request = scheduled(store)
    assert (request.execution, request.starts_at) == (Execution.QUEUED, OPENING)
    assert due(store, request) == [OPENING]
    assert starts(store, request) == [(OPENING.isoformat(), "window")]


def test_approved_for_now(store: Store) -> None:
    """What may begin at once is due at once, and nothing is told of a start."""
    request = scheduled(store, Windows())
    assert (request.starts_at, due(store, request), starts(store, request)) == (None, [NOW], [])


def test_woken_too_soon(store: Store, clock: Clock) -> None:
    """Whoever wakes it before its time, as a restart does, changes nothing and tells nothing."""
    request = scheduled(store)
    for _ in range(2):
        with store.begin() as session:
            agenda.bring_forward(session, ledger.pbx_key("hq"), clock.now)
        assert visit(store) is None
        assert (load(store, request.id).execution, due(store, request)) == (Execution.QUEUED, [OPENING])
    assert len(starts(store, request)) == 1
    clock.now = OPENING
    begun = visit(store)
    assert begun is not None
    assert begun.execution is Execution.APPLYING


def test_window_closed_meanwhile(store: Store, clock: Clock) -> None:
    """If the bot was down for the whole window, it begins with the next one; that is told once, and it is never lost."""
    request = scheduled(store)
    clock.now = OPENING + timedelta(hours=6)
    assert visit(store) is None
    following = OPENING + timedelta(days=7)
    assert (load(store, request.id).starts_at, due(store, request)) == (following, [following])
    assert starts(store, request)[1:] == [(following.isoformat(), "window")]
    clock.now = following
    assert visit(store) is not None


def test_begun_is_begun(store: Store, clock: Clock) -> None:
    """What has begun goes on when the window closes."""
    scheduled(store)
    clock.now = OPENING
    with store.begin() as session:
        entry = agenda.claim(session, store.owner, clock.now, [Work.FULFIL])
    assert entry is not None
    progress = Progress(store)
    assert progress.begin(entry, lambda request: beginning(request, SATURDAY, clock.now)) is not None
    clock.advance(days=1)
    assert progress.begin(entry, lambda request: beginning(request, SATURDAY, clock.now)) is not None


def test_windows_of_then(store: Store, clock: Clock) -> None:
    """The windows of the configuration of then count: one that is open now lets it begin as soon as somebody looks."""
    scheduled(store)
    with store.begin() as session:
        agenda.bring_forward(session, ledger.pbx_key("hq"), clock.now)
    assert visit(store, Windows()) is not None


def test_withdrawn_before_it_begins(store: Store, clock: Clock) -> None:
    """An approved request that has not begun can be withdrawn: its secrets go, nothing is due, and its execution never was."""
    request = scheduled(store)
    withdraw(store, request)
    after = load(store, request.id)
    assert (after.decision, after.execution, after.has_ended, due(store, after)) == (Decision.WITHDRAWN, None, True, [])
    assert read(store, lambda session: store.vault.names(session, request.id)) == []
    last = [event.kind for event in read(store, lambda session: audit.events_of(session, request.id))][-2:]
    assert last == [EventKind.WITHDRAWN, EventKind.WIPED]
    with pytest.raises(Stale):
        withdraw(store, after)


def test_withdrawn_as_it_is_claimed(store: Store, clock: Clock) -> None:
    """Whoever has claimed the work already finds nothing to do."""
    request = scheduled(store)
    clock.now = OPENING
    with store.begin() as session:
        entry = agenda.claim(session, store.owner, clock.now, [Work.FULFIL])
    assert entry is not None
    withdraw(store, request)
    assert Progress(store).begin(entry, lambda _: Beginning(clock.now, Why.WINDOW)) is None
    assert due(store, request) == []


@pytest.mark.parametrize("to", [Execution.APPLYING, Execution.UNKNOWN])
def test_too_late(store: Store, to: Execution) -> None:
    """What has begun cannot be withdrawn, also by somebody who saw it when it had not."""
    request = approved(store)
    with store.begin() as session:
        ledger.execute(session, request, to)
    for seen in (request, load(store, request.id)):
        with pytest.raises(Stale):
            withdraw(store, seen)
    assert load(store, request.id).decision is Decision.APPROVED


def _queued_again(store: Store, request: Request) -> Entry:
    """As it was when it had just been approved, and its work in somebody's hands."""
    with store.begin() as session:
        as_approved = {"decision": "approved", "execution": "queued", "ended_at": None}
        session.execute(update(RequestRow).where(RequestRow.id == request.id).values(**as_approved))
        session.execute(delete(AgendaRow))
        agenda.put(session, Work.FULFIL, ledger.pbx_key("hq"), store.now(), request.id)
        entry = agenda.claim(session, store.owner, store.now(), [Work.FULFIL])
    assert entry is not None
    return entry


@pytest.mark.timeout(300)
def test_race_of_beginning_and_withdrawal(store: Store) -> None:
    """A thousand times the bot begins as the requester withdraws: one of the two wins, and the other changes nothing."""
    request, progress = approved(store), Progress(store)
    wins = {Decision.WITHDRAWN: 0, Decision.APPROVED: 0}
    for turn in range(1000):
        begin = partial(progress.begin, _queued_again(store, request), lambda _: Beginning(store.now(), Why.WINDOW))
        both: list[Callable[[], object]] = [begin, partial(withdraw, store, request)]
        answers = at_once(both if turn % 2 else both[::-1])
        begun, withdrawn = answers if turn % 2 else answers[::-1]
        after = load(store, request.id)
        wins[after.decision] += 1
        if after.decision is Decision.WITHDRAWN:
            assert withdrawn is None
            assert begun is None or isinstance(begun, Stale)
            assert after.execution is None
        else:
            assert isinstance(withdrawn, Stale)
            assert isinstance(begun, Request)
            assert after.execution is Execution.APPLYING
    assert all(wins.values()), wins
    read(store, audit.verify)


def test_it_does_not_wait_for_an_outage_yet(store: Store, clock: Clock) -> None:
    """What begins later is not among the requests that wait for a PBX that is away, and its start stays when that is back."""
    request = scheduled(store)
    approved(store, delivery="d2")
    breaker = opened(store)
    (silent,) = read(store, lambda session: audit.of_pbx(session, "hq", 10))
    assert silent.data["waiting"] == 1
    clock.now = away(breaker).retry_at
    breaker.probe("hq")
    breaker.answered("hq")
    assert visit(store) is None
    assert (load(store, request.id).execution, due(store, request)) == (Execution.QUEUED, [OPENING])
