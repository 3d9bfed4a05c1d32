"""Databases that fail as real ones do, and are mended again."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

from tests.postgres import Postgres

#: More bytes than any page that is there already has room for.
_TOO_MUCH = 4_000_000
_WRITES = ("INSERT", "UPDATE", "DELETE")


class SmallDisk:
    """A SQLite database that may grow no more while ``full`` is set: the next statement that writes meets SQLite's own
    SQLITE_FULL, whatever room its tables' pages still have."""

    def __init__(self, engine: Engine) -> None:
        self.full = False
        self._refused = 0
        self._changed = threading.Condition()
        event.listen(engine, "do_execute", self._execute)

    def _execute(self, cursor: Any, statement: str, _parameters: Any, _context: Any) -> None:
        if not statement.startswith(_WRITES):
            return
        if not self.full:
            cursor.execute("PRAGMA max_page_count = 4294967294")
            return
        with self._changed:
            self._refused += 1
            self._changed.notify_all()
        cursor.execute("PRAGMA max_page_count = 1")  # SQLite takes it for what the file has already
        cursor.execute("INSERT INTO meta (name, value) VALUES ('too much', zeroblob(?))", (_TOO_MUCH,))

    def wait_refused(self, times: int) -> None:
        """Until so many more statements were refused."""
        with self._changed:
            wanted = self._refused + times
            assert self._changed.wait_for(lambda: self._refused >= wanted, 15), "nobody tries to write"


class OnlyReading:
    """A SQLite database whose connections may only read while ``on`` is set: SQLITE_READONLY."""

    def __init__(self, engine: Engine) -> None:
        self.on = False
        event.listen(engine, "checkout", self._checkout)

    def _checkout(self, connection: Any, _record: Any, _proxy: Any) -> None:
        connection.execute(f"PRAGMA query_only = {int(self.on)}")


@contextmanager
def server_of_its_own() -> Iterator[tuple[Postgres, str]]:
    """A PostgreSQL server that a test may stop, which keeps what was committed, and the URL of a fresh database on it."""
    server = Postgres(synchronous_commit="on")
    try:
        server.start()
        yield server, server.url(server.create())
    finally:
        server.close()
