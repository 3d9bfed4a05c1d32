"""Somebody else at the bot's database, be it SQLite or PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, MetaData, NullPool, create_engine, make_url, select

from bot.store.engine import WRITERS

#: To hold the right to write, and to let it go.
_HOLD = {"sqlite": "BEGIN IMMEDIATE", "postgresql": f"SELECT pg_advisory_lock({WRITERS})"}
_LET_GO = {"sqlite": "ROLLBACK", "postgresql": f"SELECT pg_advisory_unlock({WRITERS})"}


@contextmanager
def meddling(url: str) -> Iterator[Connection]:
    """A connection past the bot and its rules; each statement counts at once."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@contextmanager
def busy(url: str) -> Iterator[None]:
    """Somebody else is writing into the database."""
    with meddling(url) as other:
        other.exec_driver_sql(_HOLD[other.dialect.name])
        try:
            yield
        finally:
            other.exec_driver_sql(_LET_GO[other.dialect.name])


def guards_of(connection: Connection) -> list[str]:
    """The statements that take away the triggers which keep the events as they are."""
    if connection.dialect.name == "sqlite":
        names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars()
        return [f'DROP TRIGGER "{name}"' for name in names]
    names = connection.exec_driver_sql("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal").scalars()
    return [f'DROP TRIGGER "{name}" ON events' for name in names]


def everything_in(url: str) -> bytes:
    """All that lies in the database: SQLite's files to the last byte, or each row of each table on a server."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        file = Path(address.database or "")
        return b"".join(path.read_bytes() for path in sorted(file.parent.glob(f"{file.name}*")))
    with meddling(url) as connection:
        found = MetaData()
        found.reflect(connection)
        return "\n".join(repr(row) for table in found.sorted_tables for row in connection.execute(select(table))).encode()
