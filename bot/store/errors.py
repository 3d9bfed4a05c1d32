"""The one place where the database's errors become ours."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import exc

from bot.exceptions import StoreBusy, StoreError, StoreUnavailable

_SAVED = "so nothing was saved"
#: What each cause means for people, and what to do about it.
SENTENCES: Mapping[str, str] = {
    "disk_full": f"The disk under the bot's database is full, {_SAVED}. An operator has to make room on it.",
    "disk_error": f"The disk under the bot's database fails or is at its quota, {_SAVED}. An operator has to look at it.",
    "read_only": f"The bot's database can only be read, {_SAVED}. An operator has to make it writable again.",
    "database_gone": f"The bot's database cannot be reached, {_SAVED}. An operator has to look whether it is running.",
    "damaged": f"The bot's database is damaged, {_SAVED}. An operator has to put back a backup.",
}

_SOME_OTHER = "store_unavailable"
#: SQLite's result codes by their beginning (sqlite.org/rescode.html); the first that fits counts. None means busy.
_SQLITE: Mapping[str, str | None] = {
    "SQLITE_BUSY": None,
    "SQLITE_LOCKED": None,
    "SQLITE_PROTOCOL": None,
    "SQLITE_FULL": "disk_full",
    "SQLITE_READONLY_DBMOVED": "database_gone",
    "SQLITE_READONLY": "read_only",
    "SQLITE_PERM": "read_only",
    "SQLITE_CANTOPEN": "database_gone",
    "SQLITE_CORRUPT": "damaged",
    "SQLITE_NOTADB": "damaged",
    "SQLITE_IOERR": "disk_error",
}
#: PostgreSQL's codes by their beginning (its manual's appendix "PostgreSQL Error Codes").
_POSTGRESQL: Mapping[str, str | None] = {
    "40": None,  # serialization failure, deadlock
    "55P03": None,  # a lock was not given in time
    "57014": None,  # a statement took longer than it may
    "533": None,  # too many connections
    "53100": "disk_full",
    "25006": "read_only",
    "25P03": None,  # we were halted in the middle of a transaction, so that the server gave our locks to others
    "42501": "read_only",
    "08": "database_gone",
    "3D000": "database_gone",
    "42P01": _SOME_OTHER,  # no such table: not our schema, or not any more
    "57P": "database_gone",
    "58": "disk_error",
    "XX001": "damaged",
    "XX002": "damaged",
}
#: The classes of PEP 249 that tell of the database's state rather than of a statement.
_STATES = (exc.OperationalError, exc.InterfaceError, exc.InternalError)


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the caller can do nothing about into StoreBusy or StoreUnavailable.

    Neither carries the statement: its parameters may hold what people typed. An IntegrityError passes, because those who
    rely on a unique index handle it themselves.
    """
    try:
        yield
    except exc.TimeoutError:
        raise StoreBusy from None
    except exc.DBAPIError as error:
        ours = _ours(error)
        if ours is None:
            raise
        raise ours from None
    except exc.DisconnectionError:
        raise unavailable("database_gone") from None


def unavailable(code: str) -> StoreUnavailable:
    """The error for a cause, in a sentence."""
    return StoreUnavailable(SENTENCES.get(code), code=code)


def of_sqlite(error: sqlite3.Error) -> StoreError:
    """For those who use SQLite without SQLAlchemy."""
    return _known(_SQLITE, getattr(error, "sqlite_errorname", "")) or unavailable(_SOME_OTHER)


def _ours(error: exc.DBAPIError) -> StoreError | None:
    """None for a mistake of ours or a rule of the schema's: neither is the database's state."""
    causes, code = _POSTGRESQL, getattr(error.orig, "sqlstate", None) or ""
    if isinstance(error.orig, sqlite3.Error):
        causes, code = _SQLITE, getattr(error.orig, "sqlite_errorname", "")
    elif not code and isinstance(error, _STATES):  # psycopg has none for a line that broke or never was
        return unavailable("database_gone")
    known = _known(causes, code)
    if known is None and (isinstance(error, _STATES) or type(error) is exc.DatabaseError):
        return unavailable(_SOME_OTHER)
    return known


def _known(causes: Mapping[str, str | None], code: str) -> StoreError | None:
    for beginning, cause in causes.items():
        if code.startswith(beginning):
            return StoreBusy() if cause is None else unavailable(cause)
    return None
