"""Somebody who owns the database changes the audit chain: `verify` finds it and names the first event that does not fit.

The chain holds one event of every kind, some of them reduced, and an event of that reduction. Every column of every one of
them is changed; rows are exchanged, taken away, put in and emptied.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import inspect, select, text
from sqlalchemy.orm import Session

from bot.domain.events import BOT, EventKind
from bot.domain.trail import GENESIS, body_of, hash_of, personal_of
from bot.exceptions import ChainBroken
from bot.store import audit, reducing
from bot.store.engine import Store
from bot.store.tables import EventRow
from tests.flow.meddling import guards_of
from tests.postgres import Postgres
from tests.unit.store_kit import ANA, NOW, on_server, open_store

KINDS = [kind for kind in EventKind if kind is not EventKind.REDUCED]
#: Behind one event of each kind: one that is reduced, the event that says so, and one more.
OLD, TOLD, LAST = len(KINDS) + 1, len(KINDS) + 2, len(KINDS) + 3
ROWS = {kind.value: number for number, kind in enumerate(KINDS, 1)} | {"a reduced one": OLD, "reduced": TOLD, "the last": LAST}

#: Other values for each column, as SQL; those that are none for a row leave it as it is.
CHANGES: dict[str, list[str]] = {
    "id": ["id + 1000"],
    "request": ["COALESCE(request, 0) + 1", "CASE WHEN request IS NULL THEN 7 END"],
    "kind": ["'approved'", "'voted'", "'reduced'"],
    "actor": ["actor || '9'", "''"],
    "at": ["'2026-03-01 12:00:00.000001'"],
    "data": ["data || ' '", "'{}'"],
    "salt": ["salt || '0'", "''"],
    "personal": ["previous"],
    "previous": ["hash"],
    "hash": ["previous"],
    "reduced_at": ["'2026-03-01 12:00:00.000001'", "NULL"],
}
#: What SQLite takes also: values of another type, and times that are none.
ODD = {
    "request": ["'seven'"], "kind": ["x'00ff'", "7"], "actor": ["x'00'"], "at": ["'yesterday'", "'2026-03-01'", "7"],
    "data": ["x'7b7d'", "7"], "salt": ["7"], "personal": ["x''"], "previous": ["1"], "hash": ["0"], "reduced_at": ["'never'"],
}  # fmt: skip


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """On SQLite, without its triggers; each test takes back what it did."""
    store = open_store(tmp_path_factory.mktemp("chain"))
    write(store)
    yield store
    store.close()


@pytest.fixture
def on_postgresql(postgres: Postgres, tmp_path: Path) -> Iterator[Store]:
    with on_server(postgres):
        store = open_store(tmp_path)
        write(store)
        yield store
        store.close()


def write(store: Store) -> None:
    with store.begin() as session:
        for number, kind in enumerate(KINDS, start=1):
            actor, request = (ANA, 7) if number % 2 else (BOT, None)
            audit.append(session, NOW, kind, actor, request, n=number, reason="é — x")
        audit.append(session, NOW, EventKind.DIGEST, BOT, users=[ANA], requests=[7])
        reducing.empty(session, NOW + timedelta(days=1), [OLD], None)
        audit.append(session, NOW, EventKind.EXPIRED, BOT, 8)
        for guard in guards_of(session.connection()):
            session.execute(text(guard))
    assert verdict(store) is None


def verdict(store: Store, *statements: str) -> str | None:
    """What `verify` says after these, which are taken back then; "as before" if they change nothing."""
    with store.begin() as session:
        for statement in statements:
            if not session.execute(text(statement)).rowcount:  # type: ignore[attr-defined]
                session.rollback()
                return "as before"
        try:
            audit.verify(session)
        except ChainBroken as broken:
            return broken.message
        finally:
            session.rollback()
    return None


def change(number: int, column: str, value: str) -> str:
    return f"UPDATE events SET {column} = {value} WHERE id = {number} AND {column} IS DISTINCT FROM {value}"  # noqa: S608


def swap(one: int, other: int, apart: int = 5000) -> list[str]:
    """Exchange the places of two rows."""
    move = "UPDATE events SET id = {} WHERE id = {}"
    return [move.format(apart, one), move.format(one, other), move.format(other, apart)]


def names(said: str | None, number: int) -> bool:
    return said is not None and re.match(rf"Event {number}\b", said) is not None


def test_every_column_is_changed() -> None:
    """The tables of changes have every column of an event, so that a new one is not forgotten."""
    columns = [column.name for column in inspect(EventRow).columns]
    assert list(CHANGES) == columns
    assert ["id", *ODD] == columns


@pytest.mark.parametrize("kind", ROWS)
@pytest.mark.parametrize("column", CHANGES)
def test_changed(chain: Store, kind: str, column: str) -> None:
    """A change of any column of an event of any kind is found, and that event is named."""
    number = ROWS[kind]
    said = [verdict(chain, change(number, column, value)) for value in (*CHANGES[column], *ODD.get(column, []))]
    found = [each for each in said if each != "as before"]
    assert found
    assert all(names(each, number) for each in found), said


@pytest.mark.parametrize("kind", ROWS)
def test_moved(chain: Store, kind: str) -> None:
    """An event that is taken away, put elsewhere or exchanged with another is found, and its place is named."""
    number = ROWS[kind]
    assert names(verdict(chain, f"DELETE FROM events WHERE id = {number}"), number)  # noqa: S608
    assert names(verdict(chain, f"DELETE FROM events WHERE id >= {number}"), number)  # noqa: S608
    assert names(verdict(chain, f"UPDATE events SET id = -{number} WHERE id = {number}"), -number)  # noqa: S608
    for other in {1, 2, OLD, TOLD, LAST} - {number}:
        assert names(verdict(chain, *swap(number, other)), min(number, other)), other


@pytest.mark.parametrize("kind", ROWS)
def test_emptied(chain: Store, kind: str) -> None:
    """An event that is emptied as if it had been reduced is found: no later event says so."""
    number = ROWS[kind]
    emptied = f"UPDATE events SET actor = '', data = '{{}}', salt = '', reduced_at = at WHERE id = {number}"  # noqa: S608
    assert names(verdict(chain, emptied), number)


def test_the_first_of_several(chain: Store) -> None:
    """Of several changes the first is named, also if it shows only in that nothing later confirms it."""
    emptied = "UPDATE events SET actor = '', data = '{}', salt = '', reduced_at = at WHERE id = 3"
    assert names(verdict(chain, change(9, "actor", "'U9'"), change(5, "data", "'{}'")), 5)
    assert names(verdict(chain, emptied, change(5, "data", "'{}'")), 3)


def test_put_in(chain: Store) -> None:
    """An event that is put in front, between or behind is found and named."""
    copy = (
        "INSERT INTO events SELECT {0}, request, kind, actor, at, data, salt, personal, previous, hash, reduced_at "
        "FROM events WHERE id = {1}"
    )
    shift = [f"UPDATE events SET id = id + {by} WHERE id {where}" for by, where in ((1000, "> 4"), (-999, "> 1000"))]  # noqa: S608
    assert names(verdict(chain, copy.format(0, 1)), 0)
    assert names(verdict(chain, *shift, copy.format(5, 4)), 5)
    assert names(verdict(chain, copy.format(LAST + 1, LAST)), LAST + 1)


def test_a_correct_link_behind_the_head(chain: Store) -> None:
    """An event behind the head is found although it is linked as it should be; with the head moved, only who knows an older
    head from elsewhere could tell."""
    with chain.begin() as session:
        head = audit.verify(session).head
    personal = personal_of(BOT, "{}", "")
    link = hash_of(head, LAST + 1, body_of(7, "approved", NOW, personal))
    added = (
        "INSERT INTO events (id, request, kind, actor, at, data, salt, personal, previous, hash) VALUES "  # noqa: S608
        f"({LAST + 1}, 7, 'approved', 'bot', '{NOW:%Y-%m-%d %H:%M:%S.%f}', '{{}}', '', '{personal}', '{head}', '{link}')"
    )
    assert names(verdict(chain, added), LAST + 1)
    assert verdict(chain, added, f"UPDATE chain SET length = length + 1, hash = '{link}'") is None  # noqa: S608


def test_rewritten(chain: Store) -> None:
    """Whoever writes the whole chain anew is not found by the chain itself, but by a head that was witnessed before."""
    with chain.begin() as session:
        witnessed = audit.verify(session).head
        session.execute(text("UPDATE events SET request = 9 WHERE id = 3"))
        _write_anew(session)
        found = audit.verify(session, witnessed)
        session.rollback()
    assert found.at is None


def _write_anew(session: Session) -> None:
    previous = GENESIS
    for row in session.scalars(select(EventRow).order_by(EventRow.id)):
        row.previous = previous
        row.hash = previous = hash_of(previous, row.id, body_of(row.request, row.kind, row.at, row.personal))
    session.execute(text("UPDATE chain SET hash = :hash"), {"hash": previous})


@pytest.mark.parametrize(
    ("change", "event"),
    [("length = length + 1", LAST + 1), ("length = length - 1", LAST), ("length = 0", 1), ("length = -1", 0)],
)
def test_length_of_the_head(chain: Store, change: str, event: int) -> None:
    """A head that counts more or fewer events than there are is found, and the first that is missing or too many is named."""
    assert names(verdict(chain, f"UPDATE chain SET {change}"), event)  # noqa: S608


@pytest.mark.parametrize("change", ["UPDATE chain SET hash = 'x'", "UPDATE chain SET id = 2", "DELETE FROM chain"])
def test_head(chain: Store, change: str) -> None:
    """A head that was changed or is gone is found."""
    assert "head" in (verdict(chain, change) or "")


def test_on_postgresql(on_postgresql: Store) -> None:
    """The same on PostgreSQL: each column of one event, a deletion, an exchange, an insertion and an event that was emptied."""
    for column, values in CHANGES.items():
        said = [verdict(on_postgresql, change(5, column, value)) for value in values]
        assert all(names(each, 5) for each in said if each != "as before"), said
    assert names(verdict(on_postgresql, "DELETE FROM events WHERE id = 5"), 5)
    assert names(verdict(on_postgresql, *swap(5, 8)), 5)
    emptied = "UPDATE events SET actor = '', data = '{}', salt = '', reduced_at = at WHERE id = 5"
    assert names(verdict(on_postgresql, emptied), 5)
    assert names(verdict(on_postgresql, change(OLD, "reduced_at", "at")), OLD)
    assert names(verdict(on_postgresql, "UPDATE chain SET length = length + 1"), LAST + 1)
