"""The loop: what is due is done, what fails comes back later, and whoever has nothing to do is quiet."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, func, select

from bot.exceptions import Stale
from bot.store import agenda
from bot.store.agenda import Entry, Work
from bot.store.engine import Store
from bot.store.tables import AgendaRow
from bot.work.loop import BREATHER, Crew, Loop, later
from tests.unit.store_kit import NOW, Clock, Statements, open_store, read

pytestmark = pytest.mark.usefixtures("any_database")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    store = open_store(tmp_path, clock)
    yield store
    store.close()


class Bench:
    """One crew at work, and what it did."""

    def __init__(self, store: Store, visit: Callable[["Bench", Entry], None], hands: int = 2) -> None:
        self.store = store
        self.seen: list[Entry] = []
        self.changed = threading.Condition()
        self._visit = visit
        self.crew = Crew(store, "bench", {Work.FULFIL: self._do}, hands)
        self.loop = Loop(store, [self.crew])

    def _do(self, entry: Entry) -> None:
        with self.changed:
            self.seen.append(entry)
            self.changed.notify_all()
        self._visit(self, entry)

    def wait(self, count: int) -> list[Entry]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.seen) >= count, 10)
            return list(self.seen)

    def finish(self, entry: Entry) -> None:
        with self.store.begin() as session:
            agenda.finish(session, entry)

    def __enter__(self) -> "Bench":
        self.loop.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.stop()


def done(bench: Bench, entry: Entry) -> None:
    bench.finish(entry)


def put(store: Store, key: str = "k", after: float = 0, request: int | None = None, kind: Work = Work.FULFIL) -> None:
    with store.begin() as session:
        agenda.put(session, kind, key, store.now() + timedelta(seconds=after), request)


def rows(store: Store) -> list[AgendaRow]:
    return list(read(store, lambda session: session.scalars(select(AgendaRow)).all()))


def test_a_commit_wakes(store: Store) -> None:
    """What is put on the agenda is done at once, without waiting for the next poll."""
    with Bench(store, done) as bench:
        for number in range(1, 6):
            put(store, request=number)
            assert [entry.request for entry in bench.wait(number)] == list(range(1, number + 1))
    assert rows(store) == []


def test_what_was_left(store: Store) -> None:
    """What was due before the start is done after it; what is not due, and what is not this crew's, is not."""
    put(store, "a")
    put(store, "b", after=60)
    put(store, "c", kind=Work.NARRATE)
    with Bench(store, done) as bench:
        bench.wait(1)
    assert sorted(row.key for row in rows(store)) == ["b", "c"]


def test_due_later(store: Store, clock: Clock) -> None:
    """What becomes due is done as soon as somebody looks."""
    put(store, after=60)
    with Bench(store, done) as bench:
        clock.advance(seconds=60)
        bench.loop.wake()
        bench.wait(1)
    assert rows(store) == []


def test_exploding(store: Store, clock: Clock) -> None:
    """A visit that raises is put back with a pause that grows, and the crew goes on with other work."""

    def explode(bench: Bench, entry: Entry) -> None:
        if entry.key == "bad":
            raise ZeroDivisionError
        bench.finish(entry)

    pauses = []
    with Bench(store, explode) as bench:
        put(store, "bad", request=1)
        for attempt in range(1, 5):
            assert bench.wait(attempt * 2 - 1)[-1].attempt == attempt
            put(store, "good", request=attempt + 100)
            bench.wait(attempt * 2)
            due = _when_put_back(bench)
            pauses.append(due - clock.now)
            clock.now = due
            bench.loop.wake()
        bench.wait(9)
    assert pauses == [BREATHER * attempt for attempt in range(1, 5)]


def _when_put_back(bench: Bench, key: str = "bad") -> datetime:
    """When that one is due again, once it is free; every commit of the crew is heard of."""
    heard = threading.Condition()
    before = bench.store.committed

    def committed() -> None:
        before()
        with heard:
            heard.notify_all()

    bench.store.committed = committed
    with heard:
        assert heard.wait_for(lambda: all(row.owner is None for row in rows(bench.store) if row.key == key), 10)
    bench.store.committed = before
    return next(row.due_at for row in rows(bench.store) if row.key == key)


@pytest.mark.parametrize("error", [Stale(), ValueError("typed by somebody"), KeyError()])
def test_whatever_it_raises(store: Store, error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever is raised, the entry stays on the agenda and is free, and the error's text is not logged."""

    def explode(_bench: Bench, _entry: Entry) -> None:
        raise error

    with Bench(store, explode) as bench:
        put(store)
        bench.wait(1)
    left = rows(store)
    assert [(row.owner, row.attempt) for row in left] == [(None, 1)]
    assert left[0].due_at > NOW
    assert "typed by somebody" not in caplog.text


def test_lost_lease(store: Store, clock: Clock) -> None:
    """A visit that outlived its lease changes nothing, and what took over goes on undisturbed."""
    go = threading.Event()

    def slow(bench: Bench, entry: Entry) -> None:
        assert go.wait(10)
        bench.finish(entry)

    with Bench(store, slow, hands=1) as bench:  # no hand is left to adopt it itself
        put(store)
        bench.wait(1)
        clock.advance(hours=1)
        with store.begin() as session:
            adopted = agenda.claim(session, "another process", clock(), [Work.FULFIL])
        go.set()
    assert adopted is not None
    assert [(row.owner, row.fence) for row in rows(store)] == [("another process", adopted.fence)]


def test_stop_waits(store: Store) -> None:
    """Stopping waits for what is in hand and claims nothing more."""
    go, began = threading.Event(), threading.Event()

    def slow(bench: Bench, entry: Entry) -> None:
        began.set()
        assert go.wait(10)
        bench.finish(entry)

    bench = Bench(store, slow, hands=1)
    bench.loop.start()
    put(store, "first", request=1)
    assert began.wait(10)
    put(store, "second", request=2)
    stopper = threading.Thread(target=bench.loop.stop)
    stopper.start()
    stopper.join(0.2)
    assert stopper.is_alive()
    go.set()
    stopper.join(10)
    assert not stopper.is_alive()
    assert [(row.key, row.owner) for row in rows(store)] == [("second", None)]


def test_what_does_not_end_is_parked(store: Store, clock: Clock) -> None:
    """Stopping does not wait for ever: what is still in hand is free for the next process, and brings nothing in any more."""
    go, began, over = threading.Event(), threading.Event(), threading.Event()

    def hang(bench: Bench, entry: Entry) -> None:
        began.set()
        assert go.wait(20)
        try:
            bench.finish(entry)
        finally:
            over.set()

    bench = Bench(store, hang, hands=1)
    bench.loop.start()
    put(store, "stuck", request=1)
    assert began.wait(10)
    assert not bench.loop.stop(0.2)
    with store.begin() as session:
        adopted = agenda.claim(session, "the next process", clock(), [Work.FULFIL])
    assert adopted is not None
    assert adopted.request == 1
    go.set()
    assert over.wait(10)
    assert [(row.owner, row.fence) for row in rows(store)] == [("the next process", adopted.fence)]


@pytest.mark.sqlite_only("its words for a file that is gone")
def test_put_back_when_the_database_is_back(store: Store, clock: Clock) -> None:
    """What failed while the database was gone does not wait for its lease to run out: it is put back as soon as that works."""
    gone, refused = threading.Event(), threading.Semaphore(0)

    def connecting(*_: object) -> None:
        if gone.is_set():
            refused.release()
            raise sqlite3.OperationalError("unable to open database file")

    def lose(bench: Bench, entry: Entry) -> None:
        if entry.attempt == 1:
            gone.set()
            store.engine.dispose()
        bench.finish(entry)

    event.listen(store.engine, "do_connect", connecting)
    with Bench(store, lose, hands=1) as bench:
        put(store, "k", request=1)
        for _ in range(3):  # the visit's own transaction, putting it back, and putting it back before the next claim
            assert refused.acquire(timeout=10)
        gone.clear()
        bench.loop.wake()
        due = _when_put_back(bench, "k")
        assert due - clock.now == BREATHER
        clock.now = due
        bench.loop.wake()
        bench.wait(2)


def test_a_database_that_is_gone_is_not_asked_in_a_loop(store: Store) -> None:
    """While the database is gone, a crew looks for it once a poll."""
    gone, asked = threading.Event(), [0]

    def connecting(*_: object) -> None:
        if gone.is_set():
            asked[0] += 1
            raise sqlite3.OperationalError("unable to open database file")

    event.listen(store.engine, "do_connect", connecting)
    with Bench(store, done) as bench:
        gone.set()
        store.engine.dispose()
        bench.loop.wake()
        threading.Event().wait(1.0)  # what is measured is that little happens
        assert 1 <= asked[0] <= 3
        gone.clear()


def test_as_many_as_hands(store: Store) -> None:
    """No more is in hand at once than there are hands, and all of them are used."""
    barrier, most, now = threading.Barrier(3), [0], [0]
    lock = threading.Lock()

    def together(bench: Bench, entry: Entry) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        barrier.wait(10)
        with lock:
            now[0] -= 1
        bench.finish(entry)

    with Bench(store, together, hands=3) as bench:
        with store.begin() as session:
            for number in range(9):
                agenda.put(session, Work.FULFIL, f"k{number}", NOW, number)
        bench.wait(9)
    assert most == [3]


def test_a_busy_crew_holds_up_no_other(store: Store) -> None:
    """While all hands of one crew are busy and more waits for it, another crew's work is done."""
    go, told = threading.Event(), threading.Event()

    def tell(entry: Entry) -> None:
        with store.begin() as session:
            agenda.finish(session, entry)
        told.set()

    def slow(bench: Bench, entry: Entry) -> None:
        assert go.wait(10)
        bench.finish(entry)

    bench = Bench(store, slow, hands=1)
    bench.loop = Loop(store, [bench.crew, Crew(store, "other", {Work.NARRATE: tell}, 1)])
    with bench:
        put(store, "a")
        put(store, "b")
        bench.wait(1)
        put(store, "c", kind=Work.NARRATE)
        assert told.wait(10)
        assert len(bench.seen) == 1
        go.set()
        bench.wait(2)


def test_one_look_for_all_crews(store: Store) -> None:
    """A commit makes one thread look for all crews: what it asks does not grow with their number."""
    crews = [Crew(store, kind.value, {kind: lambda _: None}, 1) for kind in Work]
    loop = Loop(store, crews)
    loop.start()
    try:
        put(store, "future", after=3600)
        statements = Statements(store)
        put(store, "later", after=3600)
        threading.Event().wait(0.5)  # what is measured is that little happens
        assert 1 <= sum(sent.startswith("SELECT") and "agenda" in sent for sent in statements.sent) <= 6
    finally:
        loop.stop()


def test_idle_is_quiet(store: Store) -> None:
    """With nothing to do nobody looks again and again: once after the commit, once for the hand that is free again."""
    with Bench(store, done) as bench:
        put(store)
        put(store, "future", after=3600)
        bench.wait(1)
        _until_idle(store)
        statements = Statements(store)
        threading.Event().wait(1.0)  # what is measured is that nothing happens
        assert len(statements.sent) <= 6  # PostgreSQL is told our patience in each transaction


def _until_idle(store: Store) -> None:
    """Until the first entry is gone; the look after it is part of what is counted."""
    for _ in range(1000):
        if read(store, lambda session: session.scalar(select(func.count()).select_from(AgendaRow))) == 1:
            return
    raise AssertionError("the first entry was not done")


def test_busy_key_is_quiet(store: Store) -> None:
    """What waits for a key that is in hand is not asked for in a loop either."""
    go = threading.Event()

    def slow(bench: Bench, entry: Entry) -> None:
        assert go.wait(10)
        bench.finish(entry)

    with Bench(store, slow) as bench:
        put(store, request=1)
        put(store, request=2)
        bench.wait(1)
        statements = Statements(store)
        threading.Event().wait(1.0)  # what is measured is that nothing happens
        count = len(statements.sent)
        go.set()
        bench.wait(2)
    assert count <= 6


@pytest.mark.sqlite_only("its words for a file that is gone")
def test_outlives_its_database(store: Store) -> None:
    """While the database cannot be reached nothing is done; when it can be again, the crew is still there."""
    gone, tried = threading.Event(), threading.Event()

    def connecting(*_: object) -> None:
        if gone.is_set():
            tried.set()
            raise sqlite3.OperationalError("unable to open database file")

    event.listen(store.engine, "do_connect", connecting)
    with Bench(store, done) as bench:
        gone.set()
        store.engine.dispose()
        bench.loop.wake()
        assert tried.wait(10)
        gone.clear()
        put(store)
        bench.wait(1)


@pytest.mark.parametrize(
    ("attempt", "how", "seconds"),
    [(1, {}, 2), (2, {}, 4), (5, {}, 32), (6, {}, 60), (10**6, {}, 60), (1, {"first": 1.0}, 1), (9, {"longest": 30.0}, 30)],
)
def test_later(attempt: int, how: dict[str, float], seconds: float) -> None:
    """A pause doubles with each attempt up to the longest, and never overflows."""
    assert later(NOW, attempt, **how) == NOW + timedelta(seconds=seconds)
