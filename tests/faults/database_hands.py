"""Databases that fail, and are mended again."""

import sqlite3
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg import sql

from bot.store.engine import WRITERS
from tests.flow.outages import OnlyReading, SmallDisk, server_of_its_own
from tests.flow.world import World
from tests.postgres import Postgres

#: The code in the answer to who pressed something meanwhile.
CODES = {
    "locked longer than a click waits": "store_busy",
    "locked longer than a worker waits": "store_busy",
    "disk full": "disk_full",
    "read-only": "read_only",
    "gone for ten seconds": "database_gone",
}
#: Seconds for which a fault lasts: longer than `LISTENER_WAIT`, and longer than `WORKER_PATIENCE`.
LASTS = {"locked longer than a click waits": 1.3, "locked longer than a worker waits": 2.5, "gone for ten seconds": 10.0}
WORKER_PATIENCE = 1.5


class Broken(ABC):
    """A fault of the world's database; both may be called from any thread."""

    def __init__(self, world: World, server: Postgres | None) -> None:
        assert world.bot is not None
        self._world = world
        self._engine = world.bot.store.engine
        self._server = server

    @abstractmethod
    def begin(self) -> None: ...

    @abstractmethod
    def end(self) -> None: ...

    def _admin(self, statement: str) -> None:
        """Run one on the server; ``{}`` is the name of the bot's database."""
        assert self._server is not None
        name = Postgres.name_of(self._world.database_url)
        with self._server.connect("postgres") as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(name)))


class Locked(Broken):
    """Another writer holds the lock for which every writer stands in line."""

    def begin(self) -> None:
        if self._server is None:
            path = self._world.database_url.removeprefix("sqlite:///")
            self._file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._file.execute("BEGIN IMMEDIATE")
        else:
            self._line = self._server.connect(Postgres.name_of(self._world.database_url))
            self._line.execute("SELECT pg_advisory_lock(%s)", (WRITERS,))

    def end(self) -> None:
        if self._server is None:
            self._file.execute("ROLLBACK")
            self._file.close()
        else:
            self._line.close()


class Full(Broken):
    def __init__(self, world: World, server: Postgres | None) -> None:
        super().__init__(world, server)
        self._disk = SmallDisk(self._engine)

    def begin(self) -> None:
        self._disk.full = True

    def end(self) -> None:
        self._disk.full = False


class ReadOnly(Broken):
    def __init__(self, world: World, server: Postgres | None) -> None:
        super().__init__(world, server)
        self._reading = OnlyReading(self._engine) if server is None else None

    def begin(self) -> None:
        if self._reading is not None:
            self._reading.on = True
            return
        self._admin("ALTER DATABASE {} SET default_transaction_read_only = on")
        self._part_everybody()

    def end(self) -> None:
        if self._reading is not None:
            self._reading.on = False
            return
        self._admin("ALTER DATABASE {} RESET default_transaction_read_only")
        self._part_everybody()

    def _part_everybody(self) -> None:
        """The setting counts for new connections."""
        self._admin(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IS NOT NULL AND pid <> pg_backend_pid()"
        )


class Gone(Broken):
    def begin(self) -> None:
        assert self._server is not None
        self._server.stop("immediate")

    def end(self) -> None:
        assert self._server is not None
        self._server.start()


KINDS: dict[str, type[Broken]] = {
    "locked longer than a click waits": Locked,
    "locked longer than a worker waits": Locked,
    "disk full": Full,
    "read-only": ReadOnly,
    "gone for ten seconds": Gone,
}


def last(fault: str) -> None:
    """Let the fault last for as long as its name says."""
    threading.Event().wait(LASTS.get(fault, 0))


@contextmanager
def database(kind: str, folder: Path) -> Iterator[tuple[str, Postgres | None]]:
    """The URL of a database to break, and its server if it has one."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/bot.db", None
        return
    with server_of_its_own() as (server, url):
        yield url, server
