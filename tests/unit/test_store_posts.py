"""Messages to Slack: intended before they are sent, known when they have arrived."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.store import posts
from bot.store.engine import Store
from bot.store.posts import CARD, OUTCOME, RIGHTED, Post
from bot.store.tables import RequestRow
from tests.unit.store_kit import Clock, new_draft, open_store, pending, read

pytestmark = pytest.mark.usefixtures("any_database")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    store = open_store(tmp_path, clock)
    new_draft(store)
    yield store
    store.close()


def intend(store: Store, purpose: str = CARD) -> None:
    with store.begin() as session:
        posts.intend(session, store.now(), 1, purpose, "C1")


def of(store: Store) -> dict[str, Post]:
    found: dict[str, Post] = read(store, lambda session: posts.of(session, 1))
    return found


def test_intended(store: Store, clock: Clock) -> None:
    """A message that may be on its way has no ts, and says since when."""
    intend(store)
    assert of(store) == {CARD: Post(CARD, "C1", "", "", clock.now, CARD)}


def test_intended_anew(store: Store, clock: Clock) -> None:
    """A purpose has one message: what came to nothing is intended again, from now on, and nothing of the first try is left."""
    intend(store)
    later = clock.advance(minutes=1)
    with store.begin() as session:
        posts.intend(session, store.now(), 1, CARD, "C2", told_with="17")
    assert of(store) == {CARD: Post(CARD, "C2", "", "", later, "17")}


def arrive(store: Store, purpose: str = CARD, ts: str = "17.1", shown: str = "") -> None:
    with store.begin() as session:
        posts.arrived(session, store.now(), 1, purpose, "C9", ts, shown)


def test_arrived(store: Store, clock: Clock) -> None:
    """Where it arrived and what it shows are kept; when it was intended stays."""
    intend(store)
    intended = clock.now
    clock.advance(minutes=1)
    arrive(store, shown="abc")
    assert of(store) == {CARD: Post(CARD, "C9", "17.1", "abc", intended, CARD)}


def test_arrived_although_it_was_given_up(store: Store, clock: Clock) -> None:
    """Somebody forgot the intent while the call was on its way: the message is there all the same, and so is its row."""
    arrive(store, OUTCOME)
    assert of(store) == {OUTCOME: Post(OUTCOME, "C9", "17.1", "", clock.now, OUTCOME)}


def test_repainted(store: Store, clock: Clock) -> None:
    """What a message shows, and since when, changes where it stands."""
    arrive(store, shown="old")
    later = clock.advance(minutes=1)
    with store.begin() as session:
        posts.repainted(session, store.now(), 1, CARD, "new")
        posts.repainted(session, store.now(), 1, OUTCOME, "nobody posted this")
    assert of(store) == {CARD: Post(CARD, "C9", "17.1", "new", later, CARD)}


def test_forgotten(store: Store) -> None:
    """What certainly did not arrive can be intended anew; forgetting twice is forgetting once."""
    intend(store)
    intend(store, "17")
    for _ in range(2):
        with store.begin() as session:
            posts.forget(session, 1, CARD, "17")
    assert of(store) == {}
    intend(store)


def test_a_thread_goes_with_its_card(store: Store) -> None:
    """With the card the lines below it are forgotten, and not what was told elsewhere."""
    for purpose in (CARD, RIGHTED, "17", "18", OUTCOME, "trouble:is_archived"):
        arrive(store, purpose)
    with store.begin() as session:
        posts.forget_thread(session, 1)
    assert set(of(store)) == {OUTCOME, "trouble:is_archived"}


def test_events_of_their_own_have_messages_too(store: Store) -> None:
    """What is about an event without a request does not mix with a request of the same number."""
    arrive(store)
    with store.begin() as session:
        posts.intend(session, store.now(), posts.of_event(1), "notice", "C1")
        assert set(posts.of(session, posts.of_event(1))) == {"notice"}
    assert set(of(store)) == {CARD}


def test_with_card(store: Store, clock: Clock) -> None:
    """Cards are looked at while their request is open and for a while after, if they are there at all."""
    numbers = [pending(store, delivery=f"p{number}").id for number in range(4)]
    ended = clock.now
    with store.begin() as session:
        for number in numbers[:3]:
            posts.arrived(session, store.now(), number, CARD, "C1", "17.1")
        posts.intend(session, store.now(), numbers[3], CARD, "C1")
        session.get_one(RequestRow, numbers[1]).ended_at = ended
        session.get_one(RequestRow, numbers[2]).ended_at = clock.advance(hours=1)
    assert read(store, lambda session: posts.with_card(session, ended)) == [numbers[0], numbers[2]]
