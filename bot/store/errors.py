"""The one place where the database's errors become ours."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from bot.exceptions import StoreBusy, StoreUnavailable

#: What SQLite and psycopg say when a lock was not given in time.
_BUSY = ("database is locked", "database table is locked", "lock timeout", "deadlock detected", "could not obtain lock")


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
    except exc.OperationalError as error:
        said = str(error.orig).lower()
        raise (StoreBusy if any(words in said for words in _BUSY) else StoreUnavailable) from None
    except (exc.InterfaceError, exc.DisconnectionError, exc.InternalError):
        raise StoreUnavailable from None
    except exc.DatabaseError as error:
        if type(error) is exc.DatabaseError:  # SQLite's for a file that is damaged, or none of its own
            raise StoreUnavailable from None
        raise
