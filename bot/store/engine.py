"""One engine, and one way to begin a transaction on it."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlalchemy.orm import Session

from bot.store.errors import translated
from bot.store.vault import Vault

#: Seconds that a listener waits for a lock: Slack wants its answer within three, we give ours within 1.5.
LISTENER_WAIT = 1.0
#: Seconds that a worker waits; nobody is looking at a spinner.
WORKER_WAIT = 30.0

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


class Store:
    """The database, the clock by which its rows are dated, and the key to its secrets.

    ``committed`` is called after each commit that changed the agenda, so that its workers wake at once. ``owner`` names this
    process in leases.
    """

    def __init__(self, url: str, key: bytes, now: Callable[[], datetime]) -> None:
        self.url = url
        self.now = now
        self.vault = Vault(key)
        self.owner = secrets.token_hex(8)
        self.committed: Callable[[], None] = lambda: None
        self.engine = _engine(url)

    @contextmanager
    def begin(self, wait: float = WORKER_WAIT) -> Iterator[Session]:
        """One transaction: committed when the block ends, rolled back when it raises.

        Waits at most ``wait`` seconds for another writer. Raises StoreBusy or StoreUnavailable.
        """
        with translated(), Session(self.engine, expire_on_commit=False) as session:
            if self.engine.dialect.name == "sqlite":
                # Read to its end: an open cursor would keep the snapshot of the first SELECT, and a write on top of an old
                # snapshot is refused at once, whatever the timeout.
                session.execute(text(f"PRAGMA busy_timeout = {int(wait * 1000)}")).all()
            else:
                session.execute(text(f"SET LOCAL lock_timeout = {int(wait * 1000)}"))  # else PostgreSQL waits for ever
            yield session
            session.commit()
            due = session.info.get("wake", False)
        if due:
            self.committed()

    def migrate(self) -> None:
        """Bring the schema up to date, and make sure that the configured key opens what is stored."""
        config = AlembicConfig()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["engine"] = self.engine
        with translated():
            command.upgrade(config, "head")
        with self.begin() as session:
            self.vault.check(session)

    def close(self) -> None:
        self.engine.dispose()


def _engine(url: str) -> Engine:
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_size=24, pool_timeout=LISTENER_WAIT)
    # The driver itself opens each writing transaction with BEGIN IMMEDIATE: a plain BEGIN that is upgraded later fails
    # at once when another writer was faster, whatever the busy timeout says.
    options: dict[str, Any] = {"isolation_level": "IMMEDIATE", "check_same_thread": False}
    engine = create_engine(url, connect_args=options, pool_size=24, max_overflow=8, pool_timeout=LISTENER_WAIT)

    @event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: Any) -> None:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def utc_now() -> datetime:
    return datetime.now(UTC)
