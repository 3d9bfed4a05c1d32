"""Databases with our schema and nothing in them, for tests that are not about migrating: made once, and copied."""

import functools
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy import create_engine

from bot.store.engine import MIGRATIONS


def migrate(url: str) -> None:
    """Our schema, without the vault's check value, because each test may have a key of its own."""
    engine = create_engine(url)
    config = AlembicConfig()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["engine"] = engine
    command.upgrade(config, "head")
    engine.dispose()


@functools.cache
def sqlite_file() -> bytes:
    """What lies in the file of such a database on SQLite."""
    with tempfile.TemporaryDirectory() as folder:
        migrate(f"sqlite:///{folder}/bot.db")
        return Path(folder, "bot.db").read_bytes()
