"""A copy of the database while the bot works on it, marked as one (`bot.store.restore`).

SQLite's online backup (sqlite.org/backup.html) in a single step: it reads one snapshot, which with a write-ahead log holds up
nobody who writes.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import mkstemp

from sqlalchemy import NullPool, create_engine
from sqlalchemy.orm import Session

from bot.exceptions import ChainBroken, StoreError
from bot.store import alone, audit, restore
from bot.store.audit import Verified
from bot.store.errors import of_sqlite, translated


def backup(url: str, target: Path, now: datetime) -> Verified:
    """Copy the database into a new file, and prove the copy; returns what its audit chain holds.

    The file has its name only once it is whole. Raises StoreError, and leaves no file behind then.
    """
    source = alone.sqlite_file(url)
    if source is None:
        raise StoreError(_OTHERS, code="no_sqlite")
    if not source.is_file():
        raise StoreError(f"There is no database at {source}.", code="database_gone")
    with _new(target) as copy:
        try:
            _copy(source, copy)
            verified = _prove(copy, now)
        except sqlite3.Error as error:
            raise _failed(of_sqlite(error).message) from None
        _sync(copy)
        copy.replace(target)
    _sync(target.absolute().parent)
    return verified


_OTHERS = (
    "This copies SQLite files only. Copy a PostgreSQL database with its own tool: pg_dump --format=custom --file=FILE DATABASE."
    " When it was put back with pg_restore, run `pbx-cert-bot restored` before the bot is started."
)


@contextmanager
def _new(target: Path) -> Iterator[Path]:
    """A file beside the target to write to; the target's name is taken meanwhile, and free again if this fails."""
    try:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        raise _failed(f"{target} exists already, and a backup is not written over anything.") from None
    except OSError as error:
        raise _failed(f"{target} cannot be written: {error.strerror}.") from None
    copy: Path | None = None
    try:
        handle, name = mkstemp(prefix=f".{target.name}.", dir=target.absolute().parent)  # readable by its owner alone
        os.close(handle)
        copy = Path(name)
        yield copy
    except BaseException as error:
        target.unlink()
        if isinstance(error, OSError):
            raise _failed(f"{target} cannot be written: {error.strerror}.") from None
        raise
    finally:
        if copy is not None:
            for left in (copy, copy.with_name(f"{copy.name}-wal"), copy.with_name(f"{copy.name}-shm")):
                left.unlink(missing_ok=True)


def _copy(source: Path, copy: Path) -> None:
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", uri=True)) as old,
        closing(sqlite3.connect(copy)) as new,
    ):
        old.backup(new)
        new.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it


def _prove(copy: Path, now: datetime) -> Verified:
    """SQLite finds its pages whole, and the audit chain is unbroken. The mark goes in before."""
    with closing(sqlite3.connect(copy)) as new:
        found = [row[0] for row in new.execute("PRAGMA integrity_check")]
    if found != ["ok"]:
        raise _failed("SQLite finds that the copy is damaged, and so the database most likely is, too.")
    engine = create_engine(f"sqlite:///{copy}", poolclass=NullPool)
    with translated(), Session(engine) as session:
        restore.mark_as_copy(session, now)
        session.commit()
        try:
            return audit.verify(session)
        except ChainBroken as error:
            raise _failed(error.message) from None


def _failed(why: str) -> StoreError:
    return StoreError(f"The backup was not made. {why}", code="no_backup")


def _sync(path: Path) -> None:
    """Onto the disk, the file or the folder's entry for it."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
