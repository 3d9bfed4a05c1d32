"""One engine, and one way to begin a transaction on it."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy import Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.orm import Session

from bot import crashpoints
from bot.exceptions import StoreClosed, StoreUnavailable
from bot.store import alone
from bot.store.errors import translated
from bot.store.vault import Vault

#: Seconds that a listener waits for a lock: Slack wants its answer within three, we give ours within 1.5.
LISTENER_WAIT = 1.0
#: Seconds that a worker waits; nobody is looking at a spinner.
WORKER_WAIT = 30.0

#: The lock for which everybody who changes something on PostgreSQL stands in line (its manual, "Advisory Locks"): a number that
#: nobody else uses in this database.
WRITERS = 7_028_354_817
#: What a transaction begins with that changes something, as SQLite's driver sees it, too.
_CHANGES = frozenset({"INSERT", "UPDATE", "DELETE"})
#: The channel of PostgreSQL's NOTIFY by which a commit wakes the other replicas.
NEWS = "pbx_cert_bot"
#: How the line to PostgreSQL behaves (its manual, "Parameter Key Words"). A server that is silent is noticed within seconds.
#: A process that was halted in the middle of a transaction, or whose machine is gone, loses its locks: everybody waits for it.
LINE: Mapping[str, Any] = {
    "application_name": "pbx-cert-bot",
    "connect_timeout": 2,  # seconds; the library's least
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,  # milliseconds
    "options": "-c idle_in_transaction_session_timeout=10s",
}

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


class Store:
    """The database, the clock by which its rows are dated, and the key to its secrets.

    ``committed`` is called after each commit that changed the agenda, so that its workers wake at once; ``failed`` with each
    error that says that the database is full, read-only, gone or damaged. ``owner`` names this process in leases.
    ``wait`` is how long a transaction waits for another writer, in seconds, unless it says otherwise.
    """

    def __init__(self, url: str, key: bytes, now: Callable[[], datetime], wait: float = WORKER_WAIT) -> None:
        self.url = url
        self._wait = wait
        self.now = now
        self.vault = Vault(key)
        self.owner = secrets.token_hex(8)
        self.committed: Callable[[], None] = lambda: None
        self.failed: Callable[[StoreUnavailable], None] = lambda _: None
        self._closed = False
        alone.refuse_foreign_log(url)
        self.engine = _engine(url, wait)

    @contextmanager
    def begin(self, wait: float | None = None) -> Iterator[Session]:
        """One transaction: committed when the block ends, rolled back when it raises.

        Waits at most ``wait`` seconds for another writer. Raises StoreBusy, StoreUnavailable or StoreClosed.
        """
        self._must_be_open()
        with self._noticed(), translated(), Session(self.engine, expire_on_commit=False) as session:
            self._limit(session, self._wait if wait is None else wait)
            yield session
            self._must_be_open()
            due = session.info.get("wake", False)
            if due and self.engine.dialect.name == "postgresql":  # reaches the other replicas when this is committed
                session.execute(select(func.pg_notify(NEWS, self.owner)))
            with crashpoints.around("commit"):
                session.commit()
        if due:
            self.committed()

    def _limit(self, session: Session, wait: float) -> None:
        """How long a statement may wait for another writer (see `_limits`)."""
        if self.engine.dialect.name == "sqlite":
            line = session.connection()
            if line.info.get("wait") != wait:  # it stays as it is from one transaction to the next
                # Read to its end: an open cursor would keep the snapshot of the first SELECT, and a write on top of an old
                # snapshot is refused at once, whatever the timeout.
                line.exec_driver_sql(f"PRAGMA busy_timeout = {int(wait * 1000)}").all()
                line.info["wait"] = wait
        elif wait != self._wait:  # which each line has from its beginning
            changes = (f"set_config('{name}', '{limit}', true)" for name, limit in _limits(wait).items())
            session.connection().exec_driver_sql(f"SELECT {', '.join(changes)}")

    def migrate(self) -> None:
        """Bring the schema up to date, and make sure that the configured key opens what is stored."""
        config = AlembicConfig()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["engine"] = self.engine
        with translated(), crashpoints.around("migration"):
            command.upgrade(config, "head")
        with self.begin() as session:
            self.vault.check(session)

    def close(self) -> None:
        """Nothing is committed any more: what still runs in a thread of this process has been given to others."""
        self._closed = True
        self.engine.dispose()

    def _must_be_open(self) -> None:
        if self._closed:
            raise StoreClosed

    @contextmanager
    def _noticed(self) -> Iterator[None]:
        try:
            yield
        except StoreUnavailable as error:
            self.failed(error)
            raise


def _engine(url: str, wait: float) -> Engine:
    return _sqlite(url) if make_url(url).get_backend_name() == "sqlite" else _postgresql(url, wait)


def _limits(wait: float) -> Mapping[str, int]:
    """PostgreSQL's settings for whoever waits so many seconds, in milliseconds: for a lock, and for a statement as a whole.

    One that waits for nobody must end, too.
    """
    return {"lock_timeout": int(wait * 1000), "statement_timeout": int(wait * 1500)}


def _sqlite(url: str) -> Engine:
    # The driver itself opens each writing transaction with BEGIN IMMEDIATE: a plain BEGIN that is upgraded later fails
    # at once when another writer was faster, whatever the busy timeout says.
    options: dict[str, Any] = {"isolation_level": "IMMEDIATE", "check_same_thread": False}
    engine = create_engine(url, connect_args=options, pool_size=24, max_overflow=8, pool_timeout=LISTENER_WAIT)

    @event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: Any) -> None:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _postgresql(url: str, wait: float) -> Engine:
    """READ COMMITTED, one writer at a time: the same as with SQLite, where nobody can do otherwise.

    Before the first row that it changes or locks each transaction takes one lock that ends with it. So two of them never hold
    rows that the other one wants, in whatever order they take them, and each statement from then on sees all that was committed
    before. It costs little: the audit chain's head puts nearly every writer in line anyway, and so does NOTIFY at the commit.
    """
    options = " ".join([LINE["options"], *(f"-c {name}={limit}" for name, limit in _limits(wait).items())])
    engine = create_engine(
        url, connect_args={**LINE, "options": options}, pool_size=24, max_overflow=0, pool_timeout=LISTENER_WAIT,
        pool_pre_ping=True, isolation_level="READ COMMITTED",
    )  # fmt: skip

    @event.listens_for(engine, "begin")
    def _only_reads_so_far(connection: Connection) -> None:
        connection.info["writes"] = False

    @event.listens_for(engine, "before_cursor_execute")
    def _stand_in_line(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if not connection.info["writes"] and _takes_a_lock(statement):
            connection.info["writes"] = True
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS})")

    return engine


def _takes_a_lock(statement: str) -> bool:
    return statement.lstrip()[:6].upper() in _CHANGES or "FOR UPDATE" in statement


def utc_now() -> datetime:
    return datetime.now(UTC)
