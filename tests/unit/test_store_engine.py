"""The engine: a transaction waits its turn, says when it cannot, and finds the schema that the models mean."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, exc, inspect, select, text, update

from bot.exceptions import StoreBusy, StoreError, StoreUnavailable
from bot.store.engine import MIGRATIONS, Store
from bot.store.tables import AgendaRow, Base, ChainRow, RequestRow
from tests.unit.store_kit import KEY, NOW, Clock, at_once, new_draft, open_store, read

pytestmark = pytest.mark.usefixtures("any_database")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path)
    yield store
    store.close()


def bump(store: Store, wait: float = 30) -> None:
    """Read, and then write: what fails at once as locked where a transaction begins with its read."""
    with store.begin(wait) as session:
        length = session.scalars(select(ChainRow.length)).one()
        assert length >= 0
        session.execute(update(ChainRow).values(length=ChainRow.length + 1))


def test_read_then_write(store: Store) -> None:
    """However many read and then write at once, each waits its turn and none is lost."""

    def bump_often() -> None:
        for _ in range(15):
            bump(store)

    assert at_once([bump_often] * 12) == [None] * 12
    assert read(store, lambda session: session.scalars(select(ChainRow.length)).one()) == 180


def test_loaded_then_changed(store: Store) -> None:
    """The same holds where rows are loaded, looked through and then changed."""
    for number in range(20):
        new_draft(store, delivery=f"d{number}")

    def change() -> None:
        for _ in range(10):
            with store.begin() as session:
                next(iter(session.scalars(select(RequestRow).order_by(RequestRow.id))))
                session.get(RequestRow, 3)
                session.execute(select(RequestRow.id)).first()
                session.execute(update(ChainRow).values(length=ChainRow.length + 1))

    assert at_once([change] * 8) == [None] * 8


def test_busy(store: Store) -> None:
    """Whoever cannot write within the wait is told so, then and not before; the next attempt succeeds."""
    with store.begin() as holding:
        holding.execute(update(ChainRow).values(length=0))
        began = time.monotonic()
        with pytest.raises(StoreBusy):
            bump(store, wait=0.3)
        assert 0.25 <= time.monotonic() - began < 2
    bump(store, wait=0.3)


@pytest.mark.sqlite_only("its busy_timeout")
def test_waits(store: Store) -> None:
    """Each transaction has its own wait, also on a connection that another one used with a shorter one."""
    for _ in range(2):
        with pytest.raises(StoreBusy), store.begin() as holding:  # noqa: PT012 - one writes while another holds
            holding.execute(update(ChainRow).values(length=0))
            bump(store, wait=0.05)
    with store.begin(7) as session:
        assert session.execute(text("PRAGMA busy_timeout")).scalar_one() == 7000


def test_reading_never_waits(store: Store) -> None:
    """Readers see what is committed while somebody writes."""
    with store.begin() as holding:
        holding.execute(update(ChainRow).values(length=99))
        with store.begin(0) as session:
            assert session.scalars(select(ChainRow.length)).one() == 0


@pytest.mark.sqlite_only("how many connections its pool has")
def test_no_connection_left(store: Store) -> None:
    """When all connections are in use, that is busy, too."""
    with ExitStack() as held:
        for _ in range(32):
            held.enter_context(store.begin())
        with pytest.raises(StoreBusy):
            held.enter_context(store.begin())


def test_missing(tmp_path: Path) -> None:
    """A database that cannot be opened is unavailable, and the error tells nothing that was asked of it."""
    store = Store(f"sqlite:///{tmp_path}/none/bot.db", KEY, Clock())
    with pytest.raises(StoreUnavailable) as caught:
        read(store, lambda session: session.execute(text("SELECT 'typed by somebody'")).one())
    assert "typed" not in f"{caught.value!r}{caught.value.__cause__!r}"
    store.close()


@pytest.mark.sqlite_only("its file")
def test_no_database(tmp_path: Path) -> None:
    """A file that is no database, or is damaged, is unavailable as well."""
    store = open_store(tmp_path)
    (tmp_path / "bot.db").write_bytes(b"This is no database at all. " * 400)
    with pytest.raises(StoreUnavailable):
        bump(store)
    store.close()


def test_own_errors_pass(store: Store) -> None:
    """What the caller raises, and what the unique indexes say, comes out as it is."""
    new_draft(store, delivery="once")
    with pytest.raises(exc.IntegrityError):
        new_draft(store, delivery="once")
    with pytest.raises(ZeroDivisionError), store.begin():
        raise ZeroDivisionError
    with pytest.raises(StoreError, match="Mine"), store.begin():
        raise StoreError("Mine.")


@pytest.mark.sqlite_only("its pragmas")
def test_pragmas(store: Store) -> None:
    """Every connection keeps what is committed through a power cut, and what is deleted from being read again."""
    expected = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
    with ExitStack() as held:
        for session in [held.enter_context(store.begin()) for _ in range(5)]:
            assert {name: session.execute(text(f"PRAGMA {name}")).scalar_one() for name in expected} == expected


def test_foreign_keys(store: Store) -> None:
    """Nothing can belong to a request that there is not."""
    with pytest.raises(exc.IntegrityError), store.begin() as session:
        store.vault.put(session, 99, "bundle", b"")


@pytest.mark.parametrize("moment", [NOW, NOW.astimezone(timezone(timedelta(hours=-5))), NOW.replace(microsecond=1)])
def test_moments(store: Store, moment: datetime) -> None:
    """A moment comes back as the same moment, in UTC, to the microsecond."""
    draft = new_draft(store)
    with store.begin() as session:
        session.execute(update(RequestRow).values(expires_at=moment))
    found = read(store, lambda session: session.get_one(RequestRow, draft.id)).expires_at
    assert (found, found.tzinfo) == (moment, UTC)


def test_naive_moments(store: Store) -> None:
    """A moment without a time zone is refused, because nobody could say what it means."""
    with pytest.raises(exc.StatementError, match="without a time zone"), store.begin() as session:
        session.execute(update(AgendaRow).values(due_at=NOW.replace(tzinfo=None)))


# The schema


def test_migrations_make_the_models(store: Store) -> None:
    """Alembic finds nothing to change between what its migrations make and what the models say."""
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


@pytest.mark.sqlite_only("how it words an index")
def test_same_indexes(store: Store, tmp_path: Path) -> None:
    """Each index is the same to the letter, with the conditions on which correctness rests; Alembic compares no conditions."""
    engine = create_engine(f"sqlite:///{tmp_path}/models.db")
    Base.metadata.create_all(engine)
    mine, models = (_indexes(tmp_path / name) for name in ("bot.db", "models.db"))
    engine.dispose()
    assert mine == models
    assert "WHERE state = 'counted'" in mine["ux_votes_counted"]
    assert "WHERE owner IS NOT NULL" in mine["ux_agenda_key"]


def _indexes(file: Path) -> dict[str, str]:
    connection = sqlite3.connect(file)
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").fetchall()
    connection.close()
    return dict(rows)


def alembic_of(store: Store) -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["engine"] = store.engine
    return config


def test_down_and_up(store: Store) -> None:
    """The migrations lead back to nothing, and up again to a chain that begins anew."""
    before = set(inspect(store.engine).get_table_names())
    new_draft(store)
    command.downgrade(alembic_of(store), "base")
    assert set(inspect(store.engine).get_table_names()) == {"alembic_version"}
    store.migrate()
    assert set(inspect(store.engine).get_table_names()) == before
    new_draft(store)
    assert read(store, lambda session: session.scalars(select(ChainRow.length)).one()) == 1


def test_migrated_twice(store: Store) -> None:
    """Migrating what is up to date changes nothing."""
    draft = new_draft(store)
    store.migrate()
    assert read(store, partial(lambda number, session: session.get(RequestRow, number), draft.id)).id == draft.id
