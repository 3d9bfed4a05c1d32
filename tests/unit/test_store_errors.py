"""What a database says is told apart: busy, or full, read-only, gone, damaged, each with what to do about it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import Engine, create_engine, exc, text

from bot.exceptions import StoreBusy, StoreUnavailable
from bot.store.errors import SENTENCES, translated, unavailable


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A SQLite file with one table, whose driver does not wait for locks."""
    engine = create_engine(f"sqlite:///{tmp_path}/a.db", connect_args={"timeout": 0})
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE things (value BLOB)"))
    yield engine
    engine.dispose()


def cause_of(engine: Engine, *statements: str) -> str:
    """The code of what these statements fail with."""
    with pytest.raises(StoreUnavailable) as caught, translated(), engine.begin() as connection:  # noqa: PT012
        for statement in statements:
            connection.execute(text(statement))
    assert caught.value.message == SENTENCES[caught.value.code]
    assert caught.value.__cause__ is None
    return caught.value.code


def test_a_full_sqlite_file(engine: Engine) -> None:
    """A file that may not grow is a full disk."""
    full = ("PRAGMA max_page_count = 1", "INSERT INTO things VALUES (zeroblob(100000))")
    assert cause_of(engine, *full) == "disk_full"


def test_a_sqlite_file_that_can_only_be_read(engine: Engine) -> None:
    """A write to what may only be read says so."""
    assert cause_of(engine, "PRAGMA query_only = 1", "INSERT INTO things VALUES (1)") == "read_only"


def test_a_sqlite_file_that_is_not_there(tmp_path: Path) -> None:
    """A file in a folder that is not there is gone."""
    assert cause_of(create_engine(f"sqlite:///{tmp_path}/none/a.db"), "SELECT 1") == "database_gone"


def test_a_file_that_is_no_database(engine: Engine, tmp_path: Path) -> None:
    """A file that was written over is damaged."""
    engine.dispose()
    (tmp_path / "a.db").write_bytes(b"no database at all, but long enough" * 100)
    assert cause_of(engine, "SELECT * FROM things") == "damaged"


def test_a_locked_sqlite_file_is_busy(engine: Engine, tmp_path: Path) -> None:
    """While another one writes, the database is busy and nothing else."""
    with closing(sqlite3.connect(tmp_path / "a.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy), translated(), engine.begin() as connection:
            connection.execute(text("INSERT INTO things VALUES (1)"))


@pytest.mark.parametrize(
    ("theirs", "code"),
    [
        (errors.DiskFull, "disk_full"),
        (errors.ReadOnlySqlTransaction, "read_only"),
        (errors.InsufficientPrivilege, "read_only"),
        (errors.AdminShutdown, "database_gone"),
        (errors.CrashShutdown, "database_gone"),
        (errors.CannotConnectNow, "database_gone"),
        (errors.ConnectionFailure, "database_gone"),
        (errors.InvalidCatalogName, "database_gone"),
        (psycopg.OperationalError, "database_gone"),
        (psycopg.InterfaceError, "database_gone"),
        (errors.IoError, "disk_error"),
        (errors.DataCorrupted, "damaged"),
        (errors.OutOfMemory, "store_unavailable"),
    ],
)
def test_what_postgresql_says(theirs: type[psycopg.Error], code: str) -> None:
    """PostgreSQL's codes are read, not its words; without a code the line is broken."""
    with pytest.raises(StoreUnavailable) as caught:
        _raise(theirs("in whatever language"))
    assert caught.value.code == code


@pytest.mark.parametrize(
    "theirs",
    [errors.LockNotAvailable, errors.DeadlockDetected, errors.SerializationFailure, errors.QueryCanceled,
     errors.TooManyConnections],
)  # fmt: skip
def test_what_is_over_soon_at_postgresql(theirs: type[psycopg.Error]) -> None:
    """A lock that was not given in time, a deadlock and too many connections are busy: the next attempt may succeed."""
    with pytest.raises(StoreBusy):
        _raise(theirs("in whatever language"))


@pytest.mark.parametrize("theirs", [errors.UniqueViolation, errors.UndefinedColumn, errors.InvalidTextRepresentation])
def test_what_is_no_state_of_the_database(theirs: type[psycopg.Error]) -> None:
    """What the schema refuses, and mistakes in a statement, pass as they are."""
    with pytest.raises(exc.DBAPIError):
        _raise(theirs("in whatever language"))


def test_each_cause_says_what_to_do() -> None:
    """Each sentence says that nothing was saved and whom it takes; a cause without one has the class's own."""
    for sentence in SENTENCES.values():
        assert "so nothing was saved. An operator has to" in sentence
    assert unavailable("store_unavailable").message == "The bot's database cannot be reached or written; nothing was saved."


def _raise(error: psycopg.Error) -> None:
    """As SQLAlchemy hands it on."""
    with translated():
        raise exc.DBAPIError.instance("SELECT 1", {}, error, psycopg.Error, connection_invalidated=False)
