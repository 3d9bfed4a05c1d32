"""Messages to Slack: intended before they are sent, known when they have arrived."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import exc

from bot.store import posts
from bot.store.engine import Store
from bot.store.posts import CARD, OUTCOME, Post
from tests.unit.store_kit import Clock, new_draft, open_store, read


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


def test_intended_once(store: Store) -> None:
    """A purpose has one message."""
    intend(store)
    with pytest.raises(exc.IntegrityError):
        intend(store)


def test_arrived(store: Store, clock: Clock) -> None:
    """Where it arrived and what it shows are kept; when it was intended stays."""
    intend(store)
    intended = clock.now
    clock.advance(minutes=1)
    with store.begin() as session:
        posts.arrived(session, 1, CARD, "C9", "17.1", "abc")
    assert of(store) == {CARD: Post(CARD, "C9", "17.1", "abc", intended, CARD)}


def test_intended_and_arrived_together(store: Store) -> None:
    """Both fit into one transaction, for what needs no sending."""
    with store.begin() as session:
        posts.intend(session, store.now(), 1, OUTCOME, "C1")
        session.flush()
        posts.arrived(session, 1, OUTCOME, "C1", "17.1")
    assert of(store)[OUTCOME].ts == "17.1"


def test_forgotten(store: Store) -> None:
    """What certainly did not arrive can be intended anew; forgetting twice is forgetting once."""
    intend(store)
    for _ in range(2):
        with store.begin() as session:
            posts.forget(session, 1, CARD)
    assert of(store) == {}
    intend(store)
