"""A backup is a whole, proven, marked copy, or nothing."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.exceptions import StoreError
from bot.store import audit
from bot.store.backup import backup
from bot.store.engine import Store
from tests.unit.store_kit import (
    KEY,
    NOW,
    Clock,
    open_store,
    pending,
    read,
)  # fmt: skip


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    store = open_store(tmp_path, clock)
    yield store
    store.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "copies" / "copy.db"


@pytest.fixture(autouse=True)
def _folder(file: Path) -> None:
    file.parent.mkdir()


def opened(file: Path, clock: Clock) -> Store:
    """The copy, as the bot opens it."""
    return Store(f"sqlite:///{file}", KEY, clock)


def test_a_copy_is_one_private_file(store: Store, file: Path) -> None:
    """Of a backup there is one file, readable by its owner alone, with every event of the chain."""
    pending(store)
    found = backup(store.url, file, NOW)
    assert [path.name for path in file.parent.iterdir()] == ["copy.db"]
    assert file.stat().st_mode & 0o777 == 0o600
    assert found == read(store, audit.verify)


def test_a_copy_under_load(store: Store, file: Path, clock: Clock) -> None:
    """While others write as fast as they can, each copy is whole and as of one moment; and nobody is kept from writing."""
    stop, wrote = threading.Event(), threading.Semaphore(0)

    def write(worker: int) -> None:
        number = 0
        while not stop.is_set():
            pending(store, delivery=f"{worker}/{number}")
            number += 1
            wrote.release()

    workers = [threading.Thread(target=write, args=(worker,)) for worker in range(3)]
    for worker in workers:
        worker.start()
    lengths = []
    for number in range(4):
        for _ in range(5):
            assert wrote.acquire(timeout=30)
        lengths.append(backup(store.url, file.with_name(f"{number}.db"), NOW).length)
    stop.set()
    for worker in workers:
        worker.join()
    assert lengths == sorted(set(lengths))
    for number, length in enumerate(lengths):
        copy = opened(file.with_name(f"{number}.db"), clock)
        assert read(copy, audit.verify).length == length
        copy.close()


def test_nothing_is_written_over(store: Store, file: Path) -> None:
    """A name that is taken is refused, and what is there stays."""
    file.write_text("precious")
    with pytest.raises(StoreError, match="exists already"):
        backup(store.url, file, NOW)
    assert file.read_text() == "precious"


@pytest.mark.parametrize("harm", ["chain", "pages", "no database", "not there"])
def test_what_cannot_be_proven_is_not_kept(store: Store, file: Path, tmp_path: Path, harm: str) -> None:
    """Of a database whose chain or pages are broken, or that is none, no copy is left behind, and the error says why."""
    for number in range(30):
        pending(store, delivery=f"d{number}")
    store.engine.dispose()
    _harm(tmp_path / "bot.db", harm)
    with pytest.raises(StoreError) as caught:
        backup(store.url, file, NOW)
    assert caught.value.message.endswith(".")
    assert list(file.parent.iterdir()) == []


def _harm(file: Path, harm: str) -> None:
    if harm == "chain":
        with closing(sqlite3.connect(file)) as database:
            database.execute("DROP TRIGGER events_only_reduced")
            database.execute("UPDATE events SET actor = 'U0EVE' WHERE id = 2")
            database.commit()
    elif harm == "pages":
        content = bytearray(file.read_bytes())
        content[4096 * 9 : 4096 * 20] = bytes(4096 * 11)
        file.write_bytes(content)
    elif harm == "no database":
        file.write_bytes(b"This is no database at all. " * 400)
    else:
        file.unlink()


def test_postgresql_has_its_own_tool(file: Path) -> None:
    """For PostgreSQL the error names the command, and no file is made."""
    with pytest.raises(StoreError, match="pg_dump --format=custom"):
        backup("postgresql+psycopg://bot:secret@db/bot", file, NOW)
    assert not file.exists()
