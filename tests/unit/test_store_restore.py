"""A database that was put back is voided before anything is done on it: nothing of it is done a second time."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import delete, select, text, update

from bot.domain.events import EventKind
from bot.domain.requests import Decision, Execution
from bot.store import agenda, audit, ledger, posts, restore
from bot.store.agenda import Work
from bot.store.backup import backup
from bot.store.engine import Store
from bot.store.posts import CARD
from bot.store.restore import SKIPPED, void_what_was_put_back
from bot.store.tables import AgendaRow, EventRow, MetaRow, SecretRow, TokenRow, VoteRow
from tests.postgres import Postgres
from tests.unit.store_kit import (
    ANA,
    KEY,
    NOW,
    Clock,
    approved,
    at_once,
    count,
    judge,
    load,
    new_draft,
    open_store,
    pending,
    read,
    record,
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


def put_back(store: Store, file: Path, clock: Clock) -> Store:
    backup(store.url, file, clock())
    clock.advance(minutes=90)
    return opened(file, clock)


def test_an_unmarked_database_is_left_alone(store: Store) -> None:
    """A database that nobody put back is not voided, and a copy is voided once."""
    request = pending(store)
    assert void_what_was_put_back(store) is None
    assert load(store, request.id).decision is Decision.PENDING


def test_what_was_open_is_void(store: Store, file: Path, clock: Clock) -> None:
    """Drafts and pending requests end as void, with their secrets; recorded clicks count for nothing, and can never again."""
    draft, open_ = judge(store, new_draft(store, delivery="a")), pending(store, delivery="b")
    record(store, open_, ANA)
    copy = put_back(store, file, clock)
    voided = void_what_was_put_back(copy)
    assert voided is not None
    assert (voided.void, voided.unknown, voided.until) == ((open_.id,), (), NOW)
    assert void_what_was_put_back(copy) is None
    assert {load(copy, each.id).decision for each in (draft, open_)} == {Decision.VOID}
    assert read(copy, lambda session: session.scalars(select(VoteRow.state)).all()) == ["refused"]
    assert read(copy, lambda session: session.scalars(select(SecretRow)).all()) == []
    kinds = set(read(copy, lambda session: session.scalars(select(AgendaRow.kind)).all()))
    assert kinds == {Work.NARRATE, Work.HERALD}
    copy.close()


def test_what_was_under_way_is_unknown(store: Store, file: Path, clock: Clock) -> None:
    """An approved request is unknown: its secrets are gone and what is left is one look, with nobody's lease on it."""
    request = approved(store)
    with store.begin() as session:
        agenda.claim(session, "a process of then", NOW, [Work.FULFIL])
    copy = put_back(store, file, clock)
    voided = void_what_was_put_back(copy)
    assert voided is not None
    assert voided.unknown == (request.id,)
    now = load(copy, request.id)
    assert (now.decision, now.execution, now.awaits_word) == (Decision.APPROVED, Execution.UNKNOWN, True)
    assert read(copy, lambda session: copy.vault.names(session, request.id)) == []
    left = read(copy, lambda session: session.scalars(select(AgendaRow).filter_by(kind="fulfil")).all())
    assert [(row.request, row.owner) for row in left] == [(request.id, None)]
    copy.close()


def test_what_had_ended_stays(store: Store, file: Path, clock: Clock) -> None:
    """A request that had ended is not touched, and no event is added to it."""
    request = pending(store)
    count(store, record(store, request, ANA, "reject", reason="No."))
    events = read(store, lambda session: audit.events_of(session, request.id))
    copy = put_back(store, file, clock)
    void_what_was_put_back(copy)
    assert load(copy, request.id) == load(store, request.id)
    assert read(copy, lambda session: audit.events_of(session, request.id)) == events
    copy.close()


def test_the_chain_goes_on(store: Store, file: Path, clock: Clock) -> None:
    """The copy's chain continues from where it was, with an event that says that it was put back, and verifies."""
    pending(store)
    length = read(store, audit.verify).length
    copy = put_back(store, file, clock)
    void_what_was_put_back(copy)
    first = read(copy, lambda session: session.get_one(EventRow, length + 1))
    assert (first.kind, first.request) == (EventKind.RESTORED, None)
    assert read(copy, audit.verify).length > length
    copy.close()


def test_numbers_are_not_given_again(store: Store, file: Path, clock: Clock) -> None:
    """New requests begin well above all that may have been numbered since, and more so each time the same copy is put back."""
    new_draft(store)
    copy = put_back(store, file, clock)
    void_what_was_put_back(copy)
    first = new_draft(copy, delivery="first").id
    assert first == 1 + SKIPPED + 90 + 1
    copy.close()
    again = put_back(store, file.with_name("again.db"), clock)
    assert void_what_was_put_back(again) is not None
    again.close()


def test_the_same_copy_twice(store: Store, file: Path, clock: Clock) -> None:
    """Put back a second time, the same copy gives no number that was given after the first time."""
    new_draft(store)
    backup(store.url, file, clock())
    second = file.with_name("second.db")
    second.write_bytes(file.read_bytes())
    numbers = []
    for path in (file, second):
        clock.advance(minutes=30)
        copy = opened(path, clock)
        void_what_was_put_back(copy)
        numbers.append([new_draft(copy, delivery=f"{each}").id for each in range(25)])
        copy.close()
    assert max(numbers[0]) < min(numbers[1])


def test_numbers_of_an_empty_database(store: Store, file: Path, clock: Clock) -> None:
    """Also before the first request of all, numbers are skipped."""
    copy = put_back(store, file, clock)
    void_what_was_put_back(copy)
    assert new_draft(copy).id > SKIPPED
    copy.close()


def test_tokens_are_forgotten_and_a_stop_is_not(store: Store, file: Path, clock: Clock) -> None:
    """A PBX's stored token may be another's by now; that logins were stopped still counts, for one login more may block us."""
    with store.begin() as session:
        session.add(TokenRow(pbx="hq", sealed=b"x", stopped_for="f", stopped_why="Why.", login_owner="then", login_until=NOW))
    copy = put_back(store, file, clock)
    void_what_was_put_back(copy)
    row = read(copy, lambda session: session.get_one(TokenRow, "hq"))
    assert (row.sealed, row.stopped_for, row.stopped_why, row.login_owner, row.login_until) == (None, "f", "Why.", "", None)
    copy.close()


def test_what_was_being_told_is_looked_for_first(store: Store, file: Path, clock: Clock) -> None:
    """What had not been told at the moment of the backup has an intent of that time, so that it is looked for before it is
    posted; what was told then stays as it was."""
    told, untold = pending(store, delivery="a"), pending(store, delivery="b")
    with store.begin() as session:
        session.execute(delete(AgendaRow).where(AgendaRow.request == told.id, AgendaRow.kind == "narrate"))
        posts.intend(session, NOW, told.id, CARD, "C1")
        posts.arrived(session, NOW, told.id, CARD, "C1", "1.1")
    before = read(store, lambda session: [str(event.id) for event in audit.events_of(session, untold.id)])
    copy = put_back(store, file, clock)
    void_what_was_put_back(copy)
    looked_for = read(copy, lambda session: posts.of(session, untold.id))
    assert set(looked_for) == {CARD, *before}
    assert {(post.ts, post.intended_at) for post in looked_for.values()} == {("", NOW)}
    assert [post.ts for post in read(copy, lambda session: posts.of(session, told.id)).values()] == ["1.1"]
    copy.close()


def test_all_or_nothing(store: Store, file: Path, clock: Clock) -> None:
    """A process that dies while it voids leaves the mark, and the next one voids."""
    request = pending(store)
    copy = put_back(store, file, clock)
    with copy.begin() as session:
        session.execute(
            text("CREATE TRIGGER die BEFORE INSERT ON agenda WHEN NEW.kind = 'herald' BEGIN SELECT RAISE(ABORT, ''); END")
        )
    with pytest.raises(Exception, match="IntegrityError"):
        void_what_was_put_back(copy)
    assert load(copy, request.id).decision is Decision.PENDING
    with copy.begin() as session:
        session.execute(text("DROP TRIGGER die"))
    assert void_what_was_put_back(copy) is not None
    copy.close()


def test_marked_by_hand(store: Store, clock: Clock) -> None:
    """A database that was copied by other means knows what happened up to its last event; a mark that is there stays."""
    pending(store)
    with store.begin() as session:
        assert restore.mark_as_put_back(session, NOW + timedelta(days=2)) == NOW
        session.execute(update(MetaRow).where(MetaRow.name == restore.MARK).values(value=b"2026-02-01T00:00:00+00:00"))
        assert restore.mark_as_put_back(session, NOW).isoformat() == "2026-02-01T00:00:00+00:00"
    assert read(store, ledger.unended) == 1


def test_of_two_that_start_at_once_one_voids(postgres: Postgres, clock: Clock) -> None:
    """Of replicas that start together on a PostgreSQL database that was put back, one voids and the others find it done."""
    with postgres.database() as url:
        first = Store(url, KEY, clock)
        request = pending(first)
        with first.begin() as session:
            restore.mark_as_put_back(session, clock())
        stores = [first, *(Store(url, KEY, clock) for _ in range(3))]
        found = at_once(partial(void_what_was_put_back, each) for each in stores)
        assert sorted(each is None for each in found) == [False, True, True, True]
        events = read(first, lambda session: audit.events_of(session, request.id))
        assert sum(each.kind is EventKind.VOID for each in events) == 1
        assert new_draft(first, delivery="next").id > SKIPPED
        for store in stores:
            store.close()
