"""The order to read the configuration anew, signs of life, and configurations that differ."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from bot.domain.events import Event, EventKind
from bot.store import agenda, bulletins, replicas
from bot.store.agenda import Work
from bot.store.engine import Store
from bot.store.replicas import Order
from tests.unit.store_kit import Clock, at_once, open_store

pytestmark = pytest.mark.usefixtures("any_database")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    store = open_store(tmp_path, clock)
    yield store
    store.close()


def beat(store: Store, **hashes: str) -> None:
    """Each of these processes says that it is there, and one of them compares."""
    for owner, config in hashes.items():
        with store.begin() as session:
            replicas.beat(session, store.now(), owner, config, 0)
    with store.begin() as session:
        replicas.compare(session, store.now())


def told(store: Store) -> list[Event]:
    with store.begin() as session:
        return [event for event in bulletins.untold(session) if event.kind is EventKind.CONFIG_DIFFERS]


def lasts(store: Store, clock: Clock, seconds: int, **hashes: str) -> None:
    for _ in range(0, seconds, 10):
        clock.advance(seconds=10)
        beat(store, **hashes)


def test_orders_are_counted(store: Store) -> None:
    """Before the first there is none; each further one has the next number and says who gave it."""
    with store.begin() as session:
        assert replicas.ordered(session) == Order()
        assert replicas.order(session, "U1") == Order(1, "U1")
        assert replicas.order(session, "U2") == Order(2, "U2")
    with store.begin() as session:
        assert replicas.ordered(session) == Order(2, "U2")


def test_orders_at_the_same_time_are_all_counted(store: Store) -> None:
    """Of ten that are given at once each has a number of its own, and none is lost."""

    def give(number: int) -> int:
        with store.begin() as session:
            return replicas.order(session, f"U{number}").number

    given = at_once([partial(give, number) for number in range(10)])
    assert sorted(given, key=str) == sorted(range(1, 11), key=str)


def test_an_order_wakes(store: Store) -> None:
    """Committing it wakes whoever waits, as the agenda does."""
    woken: list[int] = []
    store.committed = lambda: woken.append(1)
    with store.begin() as session:
        replicas.order(session, "U1")
    assert woken == [1]


def test_who_is_alive(store: Store, clock: Clock) -> None:
    """A process that has not said so for 40 s is not believed any more; one that left is gone at once."""
    beat(store, a="1", b="1", c="1")
    clock.advance(seconds=39)
    beat(store, b="1")
    with store.begin() as session:
        replicas.leave(session, "c")
    with store.begin() as session:
        assert [one.owner for one in replicas.alive(session, clock())] == ["a", "b"]
    clock.advance(seconds=2)
    with store.begin() as session:
        assert [one.owner for one in replicas.alive(session, clock())] == ["b"]


def test_nobody_else_is_alive(store: Store, clock: Clock) -> None:
    """Whoever holds a SQLite file alone forgets the processes before it."""
    beat(store, a="1", b="2")
    with store.begin() as session:
        replicas.forget_others(session, "b")
    with store.begin() as session:
        assert [one.owner for one in replicas.alive(session, clock())] == ["b"]


def test_a_difference_is_told_once_when_it_lasts_and_once_when_it_is_over(store: Store, clock: Clock) -> None:
    """Not before a minute has passed, not again after that, and the end of it names those who agree."""
    beat(store, a="1", b="2")
    lasts(store, clock, 60, a="1", b="2")
    assert told(store) == []
    lasts(store, clock, 60, a="1", b="2")
    (differs,) = told(store)
    assert differs.data == {"hashes": {"a": "1", "b": "2"}, "agree": False}
    lasts(store, clock, 20, a="2", b="2")
    assert [event.data["agree"] for event in told(store)] == [False, True]
    lasts(store, clock, 120, a="2", b="2")
    assert len(told(store)) == 2
    with store.begin() as session:
        assert agenda.is_due(session, clock(), [Work.BULLETIN])


def test_a_difference_that_passes_is_not_told(store: Store, clock: Clock) -> None:
    """While a change reaches one process after the other they differ for a moment; each time begins anew."""
    for _ in range(3):
        lasts(store, clock, 50, a="1", b="2")
        lasts(store, clock, 20, a="2", b="2")
    assert told(store) == []


def test_a_process_that_died_with_an_old_configuration_is_no_difference(store: Store, clock: Clock) -> None:
    """Its last sign is too old by the time that anything would be told."""
    beat(store, a="1")
    lasts(store, clock, 120, b="2")
    assert told(store) == []


def test_many_compare_and_one_tells(store: Store, clock: Clock) -> None:
    """Of processes that find the same at the same time one tells it."""
    lasts(store, clock, 60, a="1", b="2")
    clock.advance(seconds=20)
    for owner, config in (("a", "1"), ("b", "2")):
        with store.begin() as session:
            replicas.beat(session, clock(), owner, config, 0)

    def compare() -> None:
        with store.begin() as session:
            replicas.compare(session, clock())

    at_once([compare] * 8)
    assert len(told(store)) == 1


def test_what_is_told_is_behind_us(store: Store, clock: Clock) -> None:
    """After an event was told, it and what came before it is not told again."""
    lasts(store, clock, 120, a="1", b="2")
    lasts(store, clock, 20, a="1", b="1")
    first, second = told(store)
    with store.begin() as session:
        bulletins.told(session, first)
    assert told(store) == [second]
