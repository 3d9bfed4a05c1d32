"""The audit chain: what is written stays as it was, and whoever changes it is found out."""

import threading
from collections.abc import Iterator
from datetime import timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import exc, text

from bot.domain.events import BOT, EventKind
from bot.domain.trail import body_of, hash_of, personal_of
from bot.exceptions import ChainBroken
from bot.store import audit
from bot.store.engine import Store
from tests.flow.meddling import guards_of
from tests.unit.store_kit import NOW, at_once, open_store, read

pytestmark = pytest.mark.usefixtures("any_database")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path)
    yield store
    store.close()


def write(store: Store, count: int = 5) -> None:
    for number in range(count):
        with store.begin() as session:
            audit.append(session, store.now(), EventKind.DRAFTED, "U1", 7, wanted=f"kind {number}", pbx="hq — é")


def tamper(store: Store, *statements: str) -> None:
    """What somebody who owns the database can do."""
    with store.begin() as session:
        for statement in (*guards_of(session.connection()), *statements):
            session.execute(text(statement))


def test_whole(store: Store) -> None:
    """An untouched chain verifies, and says how long it is."""
    write(store)
    with store.begin() as session:
        verified = audit.verify(session)
        head = session.execute(text("SELECT hash FROM chain")).scalar_one()
    assert verified == audit.Verified(5, head)


def test_empty(store: Store) -> None:
    """A chain without events verifies."""
    assert read(store, audit.verify) == audit.Verified(0, audit.GENESIS)


@pytest.mark.parametrize("change", ["UPDATE events SET actor = 'U9'", "DELETE FROM events", "DELETE FROM events WHERE id = 5"])
def test_triggers(store: Store, change: str) -> None:
    """The database itself refuses to change or delete an event."""
    write(store)
    with pytest.raises(exc.DBAPIError, match="append-only"), store.begin() as session:
        session.execute(text(change))
    assert read(store, audit.verify).length == 5


@pytest.mark.parametrize(
    "change",
    ["actor = 'U9'", "kind = 'approved'", "request = 8", "request = NULL", "at = '2026-03-01 12:00:00.000001'",
     "data = '{}'", "previous = hash", "hash = previous"],
)  # fmt: skip
def test_changed(store: Store, change: str) -> None:
    """A change of any column is found, and the event that was changed is named."""
    write(store)
    tamper(store, f"UPDATE events SET {change} WHERE id = 3")  # noqa: S608 - the test's own words
    with pytest.raises(ChainBroken, match=r"^Event 3 in the audit chain was changed"):
        read(store, audit.verify)


def test_missing(store: Store) -> None:
    """A missing event is found and named, the first of several."""
    write(store)
    tamper(store, "DELETE FROM events WHERE id IN (2, 3)")
    with pytest.raises(ChainBroken, match=r"^Event 2 is missing .* the next one there is 4"):
        read(store, audit.verify)


def test_cut_off(store: Store) -> None:
    """Events missing at the end are found by the head that counts them."""
    write(store)
    tamper(store, "DELETE FROM events WHERE id > 3")
    with pytest.raises(ChainBroken, match="ends at event 3, but 5 were written"):
        read(store, audit.verify)


def test_added_behind(store: Store) -> None:
    """An event added past the head is found, although it is linked correctly."""
    write(store)
    head = read(store, audit.verify).head
    personal = personal_of(BOT, "{}", "")
    link = hash_of(head, 6, body_of(7, "approved", NOW, personal))
    tamper(
        store,
        "INSERT INTO events (id, request, kind, actor, at, data, salt, personal, previous, hash) VALUES "  # noqa: S608
        f"(6, 7, 'approved', 'bot', '{NOW:%Y-%m-%d %H:%M:%S.%f}', '{{}}', '', '{personal}', '{head}', '{link}')",
    )
    with pytest.raises(ChainBroken, match=r"^Event 6 was added behind the head"):
        read(store, audit.verify)


def test_no_head(store: Store) -> None:
    """Without its head the chain does not verify, whether events are there or not."""
    write(store)
    tamper(store, "DELETE FROM chain")
    with pytest.raises(ChainBroken):
        read(store, audit.verify)


def test_witnessed_head(store: Store) -> None:
    """A head that somebody wrote down, or its first digits, is found at its event; a foreign one at none."""
    write(store, 2)
    old = read(store, audit.verify).head
    write(store, 3)
    assert read(store, lambda session: audit.verify(session, old)).at == 2
    assert read(store, lambda session: audit.verify(session, old[:12])).at == 2
    assert read(store, lambda session: audit.verify(session, "f" * 64)).at is None


def test_rolled_back(store: Store) -> None:
    """What is rolled back leaves neither an event nor a gap."""
    write(store, 1)
    with store.begin() as session:
        audit.append(session, store.now(), EventKind.CHECKED, BOT, 7)
        session.rollback()
    write(store, 1)
    assert read(store, audit.verify).length == 2


def test_crowd(store: Store) -> None:
    """Many writers at once make one chain without a gap."""
    at_once([lambda: write(store, 5)] * 12)
    assert read(store, audit.verify).length == 60


def test_verified_while_written(store: Store) -> None:
    """Whoever verifies while others write sees one moment, and no break."""
    done = threading.Event()

    def writing() -> None:
        write(store, 150)
        done.set()

    def reading() -> int:
        looks = 0
        while not done.is_set():
            read(store, audit.verify)
            looks += 1
        return looks

    written, looks, also = at_once([writing, reading, reading])
    assert written is None
    assert isinstance(looks, int)
    assert isinstance(also, int)
    assert looks + also > 0


def test_other_zone(store: Store) -> None:
    """A moment is the same whatever zone the clock was in when it was written."""
    with store.begin() as session:
        audit.append(session, NOW.astimezone(timezone(timedelta(hours=2))), EventKind.DRAFTED, "U1")
    assert read(store, audit.verify).length == 1


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), max_size=5), st.integers(-(2**40), 2**40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # all examples lengthen one chain
def test_any_data(store: Store, texts: list[str], number: int) -> None:
    """Whatever text and numbers an event holds, they come back as they were and the chain verifies."""
    with store.begin() as session:
        length = audit.append(session, NOW, EventKind.REFUSED, "U1", 7, texts=texts, number=number)
    assert read(store, lambda session: audit.events_of(session, 7))[-1].data == {"texts": texts, "number": number}
    assert read(store, audit.verify).length == length
