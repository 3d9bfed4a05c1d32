"""What the store has of PostgreSQL alone: limits of time, a line that breaks, and the news of what others commit."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import func, select, text, update

from bot.exceptions import StoreBusy, StoreError, StoreUnavailable
from bot.store import agenda
from bot.store.agenda import Entry, Work
from bot.store.engine import LISTENER_WAIT, NEWS, WRITERS, Store
from bot.store.tables import ChainRow
from bot.store.wakes import Wakes
from bot.work.loop import Crew, Loop
from tests.postgres import Postgres
from tests.unit.store_kit import KEY, NOW, Clock, read


@pytest.fixture
def url(postgres: Postgres) -> Iterator[str]:
    with postgres.database() as url:
        yield url


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with closing(Store(url, KEY, Clock())) as store:
        yield store


@pytest.fixture
def other(url: str) -> Iterator[Store]:
    """The store of another process."""
    with closing(Store(url, KEY, Clock())) as other:
        yield other


#: Who stands in the writers' line, for longer than a hasty one may.
WAITING = """
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event = 'advisory' AND clock_timestamp() - query_start > interval '200 ms'
"""


def write(store: Store, wait: float = 30) -> None:
    with store.begin(wait) as session:
        session.execute(update(ChainRow).values(length=ChainRow.length))


def test_a_listener_waits_a_second_for_another_writer(store: Store, other: Store) -> None:
    """Whoever cannot write within the wait is told so, and nothing that they read waits at all."""
    with other.begin() as holding:
        holding.execute(update(ChainRow).values(length=99))
        assert read(store, lambda session: session.scalars(select(ChainRow.length)).one()) == 0
        with pytest.raises(StoreBusy):
            write(store, wait=0.1)
    write(store, wait=LISTENER_WAIT)


def test_no_statement_takes_for_ever(store: Store) -> None:
    """A statement of a listener ends after half as long again as it may wait."""
    with pytest.raises(StoreBusy), store.begin(0.2) as session:
        session.execute(select(func.pg_sleep(60)))
    assert read(store, lambda session: session.execute(text("SHOW statement_timeout")).scalar_one()) == "45s"


def test_migrating_takes_as_long_as_it_takes(url: str, postgres: Postgres) -> None:
    """The limits are for the daily work: whoever migrates waits for the others beyond them."""
    with closing(Store(url, KEY, Clock(), wait=0.1)) as hasty, postgres.connect(Postgres.name_of(url)) as holding:
        holding.execute(f"SELECT pg_advisory_lock({WRITERS})")
        migrating = threading.Thread(target=hasty.migrate)
        migrating.start()
        while not holding.execute(WAITING).fetchall():
            assert migrating.is_alive()
        holding.execute("SELECT pg_advisory_unlock_all()")
        migrating.join()
        write(hasty)


def test_whoever_is_halted_in_a_transaction_loses_the_right_to_write(store: Store, other: Store) -> None:
    """As after SIGSTOP: the server ends the transaction, others write, and what the halted one brings later is not kept."""
    with pytest.raises(StoreError), store.begin() as halted:  # noqa: PT012 - the whole transaction is the point
        halted.execute(text("SET LOCAL idle_in_transaction_session_timeout = '100ms'"))
        halted.execute(update(ChainRow).values(length=99))
        write(other)
        halted.execute(update(ChainRow).values(length=99))
    assert read(other, lambda session: session.scalars(select(ChainRow.length)).one()) == 0


def test_every_line_has_that_limit(store: Store) -> None:
    """Nobody holds up the others for longer than ten seconds."""
    assert read(store, lambda session: session.scalar(text("SHOW idle_in_transaction_session_timeout"))) == "10s"


def test_lines_that_broke_are_made_anew(store: Store, url: str, postgres: Postgres) -> None:
    """After the server ended all sessions, the next transaction goes well."""
    read(store, lambda session: session.scalar(select(1)))
    _end_sessions(postgres, url)
    write(store)


def test_a_server_that_is_gone_is_unavailable_and_comes_back(postgres: Postgres) -> None:
    """While there is no server each transaction says so; when it is back, the same store writes again."""
    server = Postgres().start()
    try:
        with closing(Store(server.url(server.create()), KEY, Clock())) as store:
            write(store)
            server.stop()
            with pytest.raises(StoreUnavailable) as caught:
                write(store)
            assert caught.value.code == "database_gone"
            server.start()
            write(store)
    finally:
        server.close()


def _end_sessions(postgres: Postgres, url: str, listening: bool = False) -> None:
    """All sessions of that database, or only those that listen."""
    end = """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE %s
    """
    with postgres.connect(Postgres.name_of(url)) as admin:
        assert admin.execute(end, ["LISTEN %" if listening else "%"]).fetchall() != []


# The news


class Ear:
    """A loop that looks at the agenda once an hour, unless it hears something; and what it did."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.done: list[int | None] = []
        self.changed = threading.Condition()
        self.loop = Loop(store, [Crew(store, "ear", {Work.FULFIL: self._do}, 1)], poll=3600)
        self.wakes = Wakes(store)

    def _do(self, entry: Entry) -> None:
        with self.store.begin() as session:
            agenda.finish(session, entry)
        with self.changed:
            self.done.append(entry.request)
            self.changed.notify_all()

    def wait(self, request: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: request in self.done, 30), self.done


@contextmanager
def ear(store: Store) -> Iterator[Ear]:
    ear = Ear(store)
    ear.loop.start()
    ear.wakes.start()
    yield ear
    ear.wakes.stop(10)
    ear.loop.stop(10)


def put(store: Store, request: int) -> None:
    with store.begin() as session:
        agenda.put(session, Work.FULFIL, f"pbx:{request}", NOW, request)


def test_what_another_process_commits_is_begun_at_once(store: Store, other: Store) -> None:
    """A process that looks at the agenda once an hour does what another one commits, because it hears of it."""
    with ear(store) as listening:
        for request in (1, 2, 3):
            put(other, request)
            listening.wait(request)


def test_a_line_that_broke_listens_again(store: Store, other: Store, url: str, postgres: Postgres) -> None:
    """What is committed while nobody listens is found when the line is there again."""
    with ear(store) as listening:
        put(other, 1)
        listening.wait(1)
        _end_sessions(postgres, url, listening=True)
        put(other, 2)
        listening.wait(2)


def test_what_was_rolled_back_is_no_news(store: Store, other: Store) -> None:
    """Nobody is told of what was not committed, and commits without work for others say nothing."""
    said: list[str] = []
    with psycopg.connect(store.url.replace("+psycopg", ""), autocommit=True) as line:
        line.execute(f"LISTEN {NEWS}")
        with pytest.raises(ZeroDivisionError), other.begin() as session:  # noqa: PT012 - the whole transaction is the point
            agenda.put(session, Work.FULFIL, "pbx:hq", NOW, 1)
            raise ZeroDivisionError
        write(other)
        put(other, 2)
        said += [news.payload for news in line.notifies(timeout=10, stop_after=1)]
        said += [news.payload for news in line.notifies(timeout=0)]
    assert said == [other.owner]


def test_sqlite_has_nobody_to_listen_to(tmp_path: Path) -> None:
    """With SQLite no thread is started, and stopping is no matter."""
    with closing(Store(f"sqlite:///{tmp_path}/bot.db", KEY, Clock())) as store:
        listening = Wakes(store)
        listening.start()
        listening.stop(0)
        assert "wakes" not in {thread.name for thread in threading.enumerate()}
