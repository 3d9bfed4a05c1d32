"""The agenda: one worker a key, in order, and nobody's late result."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import exc, func, select, update

from bot.exceptions import LeaseLost
from bot.store import agenda
from bot.store.agenda import LEASE, Entry, Work
from bot.store.engine import Store
from bot.store.tables import AgendaRow
from tests.unit.store_kit import NOW, Clock, open_store, read

pytestmark = pytest.mark.usefixtures("any_database")

ALL = tuple(Work)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    store = open_store(tmp_path, clock)
    yield store
    store.close()


def put(store: Store, key: str = "k", after: float = 0, request: int | None = None, kind: Work = Work.FULFIL, *,
        one: bool = True) -> int:  # fmt: skip
    with store.begin() as session:
        return agenda.put(session, kind, key, store.now() + timedelta(seconds=after), request, one=one)


def claim(store: Store, owner: str = "me", kinds: tuple[Work, ...] = ALL) -> Entry | None:
    with store.begin() as session:
        return agenda.claim(session, owner, store.now(), kinds)


def claimed(store: Store, owner: str = "me") -> Entry:
    entry = claim(store, owner)
    assert entry is not None
    return entry


def finish(store: Store, entry: Entry) -> None:
    with store.begin() as session:
        agenda.finish(session, entry)


def size(store: Store) -> int:
    return int(read(store, lambda session: session.scalar(select(func.count()).select_from(AgendaRow))))


def due(store: Store, entry: int) -> float:
    """Seconds until an entry is due."""
    row = read(store, lambda session: session.get(AgendaRow, entry))
    return float((row.due_at - store.now()).total_seconds())


def test_oldest_first(store: Store) -> None:
    """What is due first comes first, also across keys; what is not due does not come."""
    late, early, future = put(store, "a", -1), put(store, "b", -2), put(store, "c", 1)
    assert [claimed(store).id, claimed(store).id, claim(store)] == [early, late, None]
    assert future


def test_one_a_key(store: Store) -> None:
    """While an entry of a key is claimed, the next one of that key waits; other keys do not."""
    first, second, other = put(store, "a", request=1), put(store, "a", request=2), put(store, "b", request=3)
    held = claimed(store)
    assert (held.id, claimed(store).id, claim(store)) == (first, other, None)
    finish(store, held)
    assert claimed(store).id == second


def test_database_keeps_it(store: Store) -> None:
    """That a key has one claimed entry is kept by the database, whatever a statement says."""
    put(store, "a", request=1)
    put(store, "a", request=2)
    with pytest.raises(exc.IntegrityError), store.begin() as session:
        session.execute(update(AgendaRow).values(owner="me"))


def test_kinds(store: Store) -> None:
    """A crew is given its own kinds only."""
    put(store, "a", kind=Work.NARRATE)
    assert claim(store, kinds=(Work.FULFIL, Work.CHECK)) is None
    assert claim(store, kinds=(Work.NARRATE,)) is not None


def test_coalesced(store: Store) -> None:
    """Equal entries that nobody has claimed are one, due when the first of them is."""
    first = put(store, "a", 10, request=1)
    assert put(store, "a", 5, request=1) == first
    assert put(store, "a", 20, request=1) == first
    assert due(store, first) == 5
    assert put(store, "a", 5, request=2) != first
    assert put(store, "a", 5, request=1, kind=Work.NARRATE) != first
    assert put(store, "b", 5, request=1) != first


def test_not_coalesced(store: Store) -> None:
    """Without ``one`` each entry is one of its own."""
    assert put(store, one=False) != put(store, one=False)
    assert size(store) == 2


def test_what_comes_meanwhile(store: Store) -> None:
    """What is put while its like is in hand is an entry of its own, so nothing that comes meanwhile is lost."""
    first = put(store)
    held = claimed(store)
    second = put(store)
    assert second != first
    finish(store, held)
    assert claimed(store).id == second


def test_lease(store: Store, clock: Clock) -> None:
    """Until its lease has run out nobody else gets an entry; then somebody does, and the fence grows."""
    put(store)
    held = claimed(store)
    clock.advance(seconds=LEASE.total_seconds() - 1)
    assert claim(store, "other") is None
    clock.advance(seconds=1)
    adopted = claimed(store, "other")
    assert (adopted.id, adopted.fence, adopted.attempt) == (held.id, held.fence + 1, 2)


def test_late_result(store: Store, clock: Clock) -> None:
    """Whoever lost the lease brings nothing in: what they wrote beside it is undone."""
    put(store)
    late = claimed(store)
    clock.advance(hours=1)
    adopted = claimed(store, "other")
    for bring in (agenda.finish, partial(agenda.again, due_at=NOW), partial(agenda.hold, now=NOW)):
        with pytest.raises(LeaseLost), store.begin() as session:  # noqa: PT012 - the whole transaction is the point
            agenda.put(session, Work.NARRATE, "result", NOW)
            bring(session, late)
    assert size(store) == 1
    finish(store, adopted)
    with pytest.raises(LeaseLost):
        finish(store, late)


def test_held_longer(store: Store, clock: Clock) -> None:
    """A worker that has long to do keeps its entry by saying so."""
    put(store)
    held = claimed(store)
    clock.advance(seconds=50)
    with store.begin() as session:
        agenda.hold(session, held, clock())
    clock.advance(seconds=50)
    assert claim(store, "other") is None


def test_order_is_kept_when_adopted(store: Store, clock: Clock) -> None:
    """The entry whose worker died comes before what came after it on the same key."""
    first, second = put(store, request=1), put(store, request=2)
    claimed(store)
    clock.advance(hours=1)
    adopted = claimed(store, "other")
    assert (adopted.id, claim(store, "other")) == (first, None)
    finish(store, adopted)
    assert claimed(store).id == second


def test_again(store: Store) -> None:
    """Coming back counts the attempts; ``fresh`` begins to count anew."""
    put(store, request=4)
    seen = []
    for fresh in (False, False, True, False, False):
        entry = claimed(store)
        seen.append(entry.attempt)
        assert (entry.request, entry.kind, entry.key) == (4, Work.FULFIL, "k")
        with store.begin() as session:
            agenda.again(session, entry, store.now(), fresh=fresh)
    assert seen == [1, 2, 3, 1, 2]


def test_again_meets_its_like(store: Store) -> None:
    """Coming back later when the same is due now already is one entry, due now."""
    put(store)
    entry = claimed(store)
    put(store)
    with store.begin() as session:
        agenda.again(session, entry, store.now() + timedelta(hours=1))
    assert size(store) == 1
    assert claimed(store).attempt == 2


def test_bring_forward(store: Store) -> None:
    """Everything that waits for a key is due now; other keys and what is claimed stay as they are."""
    held = put(store, "a", request=1)
    claimed(store)
    waiting, other = put(store, "a", 600, request=2), put(store, "b", 600, request=3)
    with store.begin() as session:
        agenda.bring_forward(session, "a", store.now())
    assert [due(store, entry) for entry in (held, waiting, other)] == [0, 0, 600]


def test_release(store: Store) -> None:
    """What waits for an answer to leave is due as soon as it has; only that kind, and only that request."""
    check, other, narrate = (
        put(store, "a", 3, request=1, kind=Work.CHECK),
        put(store, "b", 3, request=2, kind=Work.CHECK),
        put(store, "c", 3, request=1, kind=Work.NARRATE),
    )
    with store.begin() as session:
        agenda.release(session, Work.CHECK, 1, store.now() + timedelta(seconds=0.25))
    assert [due(store, entry) for entry in (check, other, narrate)] == [0.25, 3, 3]


def test_drop(store: Store) -> None:
    """Unclaimed entries can be forgotten; what is in hand is not taken away."""
    put(store, "a", request=1, kind=Work.EXPIRE)
    held = claimed(store)
    put(store, "a", request=1, kind=Work.EXPIRE)
    with store.begin() as session:
        agenda.drop(session, Work.EXPIRE, 1)
    assert size(store) == 1
    finish(store, held)


@pytest.mark.parametrize("mine", [True, False])
def test_given_back(store: Store, mine: bool) -> None:
    """What a process gives back, or left behind when it died, is adopted at once; others' leases stay."""
    put(store, "a")
    claimed(store, "me" if mine else "other")
    with store.begin() as session:
        agenda.give_back(session, "me")
    assert (claim(store, "next") is not None) is mine
    with store.begin() as session:
        agenda.end_all_leases(session)
    assert claim(store, "last") is not None


def test_given_back_and_still_in_hand(store: Store) -> None:
    """Whoever still works on what its process gave back brings nothing in, also before somebody else claims it."""
    put(store, "a", request=7)
    held = claimed(store, "me")
    with store.begin() as session:
        assert [entry.request for entry in agenda.give_back(session, "me")] == [7]
    with pytest.raises(LeaseLost):
        finish(store, held)


def test_is_due(store: Store, clock: Clock) -> None:
    """The look before a claim says yes whenever a claim finds something, and no while the key is busy."""

    def look() -> bool:
        return bool(read(store, lambda session: agenda.is_due(session, clock(), ALL)))

    assert not look()
    put(store, "a", 5, request=1)
    assert not look()
    assert read(store, lambda session: agenda.next_due(session, clock(), ALL)) == NOW + timedelta(seconds=5)
    clock.advance(seconds=5)
    assert look()
    put(store, "a", request=2)
    claimed(store)
    assert not look()
    clock.advance(hours=1)
    assert look()


def test_wakes_when_committed(store: Store) -> None:
    """Whatever changes the agenda wakes the workers, after the commit and only then."""
    woken: list[int] = []
    store.committed = lambda: woken.append(size(store))
    put(store)
    assert woken == [1]
    with pytest.raises(LeaseLost), store.begin() as session:  # noqa: PT012 - the whole transaction is the point
        agenda.put(session, Work.CHECK, "b", NOW)
        raise LeaseLost
    read(store, lambda session: agenda.is_due(session, NOW, ALL))
    with pytest.raises(LeaseLost):
        finish(store, Entry(999, Work.CHECK, "b", None, NOW, 1, 1))
    assert len(woken) == 1
