"""What the tests with several processes share: a world in their time, and a look into the database at the end."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot import config as configuration
from bot.store.engine import Store
from bot.store.tables import SecretRow
from tests.crash.herd import Herd
from tests.crash.shared_clock import SharedClock
from tests.flow.world import World


@contextmanager
def a_world(folder: Path, url: str = "", **how: Any) -> Iterator[World]:
    """On SQLite unless another database is named."""
    world = World(folder, clock=SharedClock(folder / "clock"), database_url=url, **how)
    try:
        yield world
    finally:
        for machine in (world.slack, world.hq, world.branch):
            machine.stop()


@contextmanager
def ledger_of(herd: Herd) -> Iterator[Session]:
    """The bots' database, to look at."""
    config = configuration.load(herd.config, herd.world.environ())
    store = Store(config.database.url, config.secrets.key_bytes(), herd.world.clock)
    try:
        with store.begin() as session:
            yield session
    finally:
        store.close()


def secrets_kept(session: Session) -> int:
    return session.scalars(select(func.count()).select_from(SecretRow)).one()
