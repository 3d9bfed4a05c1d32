"""The steps of a plan: each is intended once, and moves only as the table says."""

from collections.abc import Iterator
from functools import partial
from itertools import product
from pathlib import Path

import pytest
from sqlalchemy import exc

from bot.domain.plan import Step
from bot.domain.requests import StepState
from bot.exceptions import Stale
from bot.store import steps
from bot.store.engine import Store
from tests.unit.store_kit import Clock, approved, at_once, open_store, read

pytestmark = pytest.mark.usefixtures("any_database")

ALLOWED = {
    (StepState.INTENDED, StepState.SENT),
    (StepState.INTENDED, StepState.SETTLED),
    (StepState.SENT, StepState.INTENDED),
    (StepState.SENT, StepState.SETTLED),
}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    store = open_store(tmp_path, clock)
    approved(store)
    yield store
    store.close()


def intend(store: Store, step: Step = Step.CREATE, known: tuple[int, ...] = ()) -> None:
    with store.begin() as session:
        steps.intend(session, store.now(), 1, step, known)


def move(store: Store, old: StepState, new: StepState) -> None:
    with store.begin() as session:
        steps.move(session, store.now(), 1, Step.CREATE, old, new)


def taken(store: Store, step: Step = Step.CREATE) -> steps.Taken:
    found: dict[Step, steps.Taken] = read(store, lambda session: steps.taken(session, 1))
    return found[step]


def test_intended(store: Store, clock: Clock) -> None:
    """What the PBX listed when a step was intended comes back with it."""
    intend(store, known=(3, 5))
    assert taken(store) == steps.Taken(Step.CREATE, StepState.INTENDED, (3, 5), {}, clock.now)


def test_intended_once(store: Store) -> None:
    """A step that has begun cannot begin again; of several who begin it at once, one does."""
    intend(store)
    with pytest.raises(exc.IntegrityError):
        intend(store)
    answers = at_once([partial(intend, store, Step.UPLOAD)] * 6)
    assert answers.count(None) == 1


def test_sent_and_settled(store: Store, clock: Clock) -> None:
    """Sending and settling are dated, and the result is kept; what was known stays."""
    intend(store, known=(1,))
    clock.advance(seconds=1)
    with store.begin() as session:
        steps.sent(session, clock(), 1, Step.CREATE)
    assert (taken(store).state, taken(store).changed_at) == (StepState.SENT, clock.now)
    clock.advance(seconds=1)
    with store.begin() as session:
        steps.settle(session, clock(), 1, Step.CREATE, StepState.SENT, name="a.crt")
    assert taken(store) == steps.Taken(Step.CREATE, StepState.SETTLED, (1,), {"name": "a.crt"}, clock.now)


@pytest.mark.parametrize(("old", "new"), [*product(StepState, StepState)])
def test_table(store: Store, old: StepState, new: StepState) -> None:
    """Only the transitions of the table happen."""
    intend(store)
    for on_the_way in {StepState.INTENDED: [], StepState.SENT: [StepState.SENT], StepState.SETTLED: [StepState.SETTLED]}[old]:
        move(store, StepState.INTENDED, on_the_way)
    if (old, new) in ALLOWED:
        move(store, old, new)
        assert taken(store).state is new
    else:
        with pytest.raises(Stale):
            move(store, old, new)
        assert taken(store).state is old


def test_not_where_it_was_seen(store: Store) -> None:
    """A step that is elsewhere by now is not moved; neither is one that was never intended."""
    with pytest.raises(Stale):
        move(store, StepState.INTENDED, StepState.SENT)
    intend(store)
    move(store, StepState.INTENDED, StepState.SENT)
    with pytest.raises(Stale):
        move(store, StepState.INTENDED, StepState.SENT)


def test_sent_once(store: Store) -> None:
    """Of several who are about to send at once, one may."""
    intend(store)
    answers = at_once([partial(move, store, StepState.INTENDED, StepState.SENT)] * 6)
    assert answers.count(None) == 1
    assert all(isinstance(answer, Stale | None) for answer in answers)


def test_noted(store: Store) -> None:
    """What is remembered on the way is added to what was remembered before."""
    intend(store)
    for note in ({"missed": 1}, {"seen": 2}):
        with store.begin() as session:
            steps.note(session, 1, Step.CREATE, **note)
    assert taken(store).result == {"missed": 1, "seen": 2}


def test_forgotten(store: Store) -> None:
    """A repeatable step that is forgotten can be intended anew; the others stay."""
    intend(store, Step.UPLOAD)
    intend(store)
    for _ in range(2):
        with store.begin() as session:
            steps.forget(session, 1, Step.UPLOAD)
    assert set(read(store, lambda session: steps.taken(session, 1))) == {Step.CREATE}
    intend(store, Step.UPLOAD)
