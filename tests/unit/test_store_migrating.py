"""Migrations are done wholly or not at all, and by one process at a time."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, inspect

from bot.store.engine import Store
from tests.postgres import Postgres
from tests.unit.store_kit import KEY, Clock, Crash


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty SQLite file."""
    store = Store(f"sqlite:///{tmp_path}/bot.db", KEY, Clock())
    yield store
    store.close()


@pytest.mark.parametrize("at", [2, 8, 16, 28])
def test_killed_in_the_middle(store: Store, at: int) -> None:
    """A process that ends at some statement of a migration leaves the schema as it was, and the next one migrates."""
    left = [at]

    def run(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        left[0] -= not statement.startswith("PRAGMA")
        if left[0] == 0:
            raise Crash

    event.listen(store.engine, "before_cursor_execute", run)
    with pytest.raises(Crash):
        store.migrate()
    assert inspect(store.engine).get_table_names() == []
    store.migrate()
    assert "breakers" in inspect(store.engine).get_table_names()


#: Another process that starts on the same database.
START = "import sys; from bot.store.engine import Store, utc_now; Store(sys.argv[1], bytes(range(32)), utc_now).migrate()"


def test_several_at_once(postgres: Postgres) -> None:
    """Of several processes that start on an empty PostgreSQL database, one migrates and the others find it done."""
    url = postgres.url(postgres.create(migrated=False))
    started = [subprocess.Popen([sys.executable, "-c", START, url], stderr=subprocess.PIPE, text=True) for _ in range(4)]
    ended = [(process.communicate(timeout=60)[1], process.returncode) for process in started]
    assert ended == [("", 0)] * 4
    postgres.drop(postgres.name_of(url))
