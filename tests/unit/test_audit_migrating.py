"""The migration that chains the events anew: it proves the old chain first, and is done wholly or not at all."""

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import event, insert, text, update

from bot.domain.events import EventKind
from bot.domain.requests import canonical
from bot.exceptions import ChainBroken
from bot.store import audit
from bot.store.engine import Store
from bot.store.tables import ChainRow, EventRow
from tests.flow.meddling import guards_of
from tests.postgres import Postgres
from tests.unit.store_kit import KEY, NOW, Clock, Crash, read
from tests.unit.test_store_engine import alembic_of

LENGTH = 7


@pytest.fixture
def store(request: pytest.FixtureRequest, tmp_path: Path, database_kind: str) -> Iterator[Store]:
    """A database of the version before, with some events."""
    server: Postgres | None = request.getfixturevalue("postgres") if database_kind == "postgresql" else None
    url = server.url(server.create(migrated=False)) if server else f"sqlite:///{tmp_path}/bot.db"
    store = Store(url, KEY, Clock())
    command.upgrade(alembic_of(store), "0003")
    with store.begin() as session:
        for number in range(1, LENGTH + 1):
            session.execute(insert(EventRow).values(**written(number)))
        session.execute(update(ChainRow).values(length=LENGTH, hash=written(LENGTH)["hash"]))
    yield store
    store.close()
    if server:
        server.drop(server.name_of(url))


def written(number: int) -> dict[str, Any]:
    """An event as it was hashed before."""
    at: datetime = NOW + timedelta(seconds=number)
    row = {"id": number, "request": number % 3 or None, "kind": "refused", "actor": "U0ANA", "data": '{"reason":"é"}'}
    previous = written(number - 1)["hash"] if number > 1 else audit.GENESIS
    hashed = [previous, number, row["request"], row["kind"], row["actor"], at.isoformat(), row["data"]]
    link = hashlib.sha256(canonical(hashed).encode()).hexdigest()
    return {**row, "at": at, "previous": previous, "hash": link}


def test_chained_anew(store: Store) -> None:
    """Every event is there as it was, the chain verifies by the new formula, and its last event keeps the old head."""
    before = read(store, lambda session: session.execute(text("SELECT id, kind, actor, data FROM events ORDER BY id")).all())
    store.migrate()
    after = read(store, lambda session: session.execute(text("SELECT id, kind, actor, data FROM events ORDER BY id")).all())
    assert after[:LENGTH] == before
    assert read(store, audit.verify).length == LENGTH + 1
    told = read(store, lambda session: audit.last_of(session, EventKind.RECHAINED))
    assert told.data == {"length": LENGTH, "head": written(LENGTH)["hash"]}


@pytest.mark.parametrize(
    "change",
    ["UPDATE events SET actor = 'U9' WHERE id = 3", "DELETE FROM events WHERE id = 3", "UPDATE chain SET length = 6",
     "DELETE FROM events WHERE id > 5", "DELETE FROM chain"],
)  # fmt: skip
def test_a_broken_chain_is_not_vouched_for(store: Store, change: str) -> None:
    """An old chain that does not verify is not written anew, and nothing is migrated."""
    with store.begin() as session:
        for statement in (*guards_of(session.connection()), change):
            session.execute(text(statement))
        for guard in _guards(store):
            session.execute(text(guard))
    with pytest.raises(ChainBroken, match="Nothing was migrated"):
        store.migrate()
    assert read(store, lambda session: session.execute(text("SELECT version_num FROM alembic_version")).scalar_one()) == "0003"


def _guards(store: Store) -> list[str]:
    """As 0001 made them."""
    if store.engine.dialect.name == "sqlite":
        return ["CREATE TRIGGER events_no_update BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'append-only'); END"]
    return [
        "CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events FOR EACH STATEMENT "
        "EXECUTE FUNCTION events_append_only()"
    ]


@pytest.mark.parametrize("at", range(2, 16, 2))
def test_killed_in_the_middle(store: Store, at: int) -> None:
    """A process that ends at any statement of it leaves the old chain as it was, and the next one writes it anew."""
    left = [at]

    def run(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("PRAGMA"):
            left[0] -= 1
            if left[0] == 0:
                raise Crash

    event.listen(store.engine, "before_cursor_execute", run)
    with pytest.raises(Crash):
        store.migrate()
    found = read(store, lambda session: session.execute(text("SELECT id, previous, hash FROM events ORDER BY id")).all())
    assert [tuple(row) for row in found] == [(n, written(n)["previous"], written(n)["hash"]) for n in range(1, LENGTH + 1)]
    store.migrate()
    assert read(store, audit.verify).length == LENGTH + 1


def test_back_and_forth(store: Store) -> None:
    """The way back writes the chain by the old formula, from which the way up goes again."""
    store.migrate()
    command.downgrade(alembic_of(store), "0003")
    assert (
        read(store, lambda session: session.execute(text("SELECT hash FROM events WHERE id = 7")).scalar_one())
        == written(7)["hash"]
    )
    store.migrate()
    assert read(store, audit.verify).length == LENGTH + 2
