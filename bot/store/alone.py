"""SQLite serves one process: it holds a lock beside the database's file as long as it lives. And what else lies there."""

import fcntl
from pathlib import Path
from typing import TextIO

from sqlalchemy import make_url

from bot.exceptions import ConfigError, StoreUnavailable


def on(url: str) -> TextIO | None:
    """The lock, which lasts until it is closed; None for a database that serves many. Raises ConfigError."""
    file = sqlite_file(url)
    if file is None:
        return None
    path = Path(f"{file}.lock")
    try:
        held = path.open("w")
    except OSError as error:
        raise ConfigError(
            f"The database's folder cannot be written ({path}: {error.strerror}). Correct database.url."
        ) from None
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        held.close()
        raise ConfigError(f"Another bot is running on {file}; stop it first, or use PostgreSQL.") from None
    return held


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite database; None for any other, and for one in memory."""
    address = make_url(url)
    is_file = address.get_backend_name() == "sqlite" and address.database not in (None, "", ":memory:")
    return Path(address.database or "") if is_file else None


def refuse_foreign_log(url: str) -> None:
    """Raises StoreUnavailable when a backup was put in the place of a database whose write-ahead log still lies there.

    SQLite would play that log into the backup and so destroy it (sqlite.org/howtocorrupt.html). Only a file that nobody has
    worked on since `bot.store.backup` made it says in its header that it has no log (bytes 18 and 19 of its format).
    """
    file = sqlite_file(url)
    log = Path(f"{file}-wal")
    if file is None or not file.is_file() or not log.exists():
        return
    with file.open("rb") as opened:
        header = opened.read(20)
    if header[18:20] == b"\x01\x01":
        raise StoreUnavailable(
            f"{log} belongs to another database than the one that was put back. Move it and {file}-shm away, then start again.",
            code="foreign_log",
        )
