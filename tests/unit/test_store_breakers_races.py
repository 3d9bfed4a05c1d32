"""Circuit breakers that several processes share: what happens at once happens once, and as in a plain model."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.events import EventKind
from bot.exceptions import PbxAway, PbxBadAnswer, PbxUnreachable
from bot.store import breakers
from bot.store.breakers import FIRST, LONGEST, Breakers
from bot.store.engine import Store
from bot.store.tables import BreakerRow
from tests.unit.breaker_kit import away, due, opened, silent, told
from tests.unit.store_kit import KEY, Clock, at_once, open_store, read

_NAMES = count(1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, database: str, clock: Clock) -> Iterator[Store]:
    if database.startswith("sqlite"):
        open_store(tmp_path, clock).close()
    store = Store(database, KEY, clock)
    yield store
    store.close()


@pytest.fixture
def other(store: Store, clock: Clock) -> Iterator[Store]:
    """Another process on the same database."""
    other = Store(store.url, KEY, clock)
    yield other
    other.close()


def test_many_at_once_open_it_once(store: Store, other: Store) -> None:
    """Twenty silent calls in two processes at the same moment are one outage: one event, one notice, one probe."""
    replicas = [Breakers(store), Breakers(other)]
    at_once(lambda each=each: silent(replicas[each % 2]) for each in range(20))  # type: ignore[misc]
    assert told(store) == [EventKind.PBX_SILENT]
    assert len(due(store, "notice:hq")) == len(due(store, "probe:hq")) == 1


def test_many_at_once_probe_once(store: Store, other: Store, clock: Clock) -> None:
    """Of twenty who want to probe in two processes at the same moment one may."""
    replicas = [opened(store), Breakers(other)]
    clock.advance(seconds=31)
    outcomes = at_once(lambda each=each: replicas[each % 2].probe("hq") for each in range(20))  # type: ignore[misc]
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NoneType"] + ["PbxAway"] * 19


def test_many_at_once_close_it_once(store: Store, other: Store) -> None:
    """Twenty answers in two processes at the same moment end one outage once."""
    replicas = [opened(store), Breakers(other)]
    away(replicas[1])
    at_once(lambda each=each: replicas[each % 2].answered("hq") for each in range(20))  # type: ignore[misc]
    assert told(store) == [EventKind.PBX_SILENT, EventKind.PBX_ANSWERS]


def test_answers_and_silence_at_once(store: Store, other: Store) -> None:
    """Whatever the order, outages and their ends are told in turn, and the last event says whether it is open."""
    replicas = [Breakers(store), Breakers(other)]

    def one(each: int) -> None:
        if each % 4 == 0:
            replicas[each % 2].answered("hq")
        else:
            silent(replicas[each % 2])

    for _ in range(5):
        assert {type(outcome) for outcome in at_once([lambda each=each: one(each) for each in range(16)])} == {type(None)}  # type: ignore[misc]
    events = told(store)
    assert events == [EventKind.PBX_SILENT, EventKind.PBX_ANSWERS] * (len(events) // 2) + [EventKind.PBX_SILENT] * (
        len(events) % 2
    )
    row = read(store, lambda session: session.get_one(BreakerRow, "hq"))
    assert (row.opened_at is not None) is bool(len(events) % 2)


@dataclass
class Plain:
    """What a breaker is, without a database."""

    failures: int = 0
    retry_at: datetime | None = None
    probes: int = 0
    told: list[EventKind] = field(default_factory=list)

    def may(self, now: datetime, probing: bool) -> bool:
        if self.retry_at is None or not probing or now < self.retry_at:
            return self.retry_at is None
        self.probes += 1
        self.retry_at = now + min(LONGEST, FIRST * 2**self.probes)
        return True

    def silent(self, now: datetime, lost_login: bool) -> None:
        if self.retry_at is not None:
            self.retry_at = max(self.retry_at, now + LONGEST) if lost_login else self.retry_at
            return
        self.failures += 2 if lost_login else 1
        if self.failures >= 3:
            self.retry_at, self.probes = now + (LONGEST if lost_login else FIRST), 0
            self.told.append(EventKind.PBX_SILENT)

    def answered(self) -> None:
        if self.retry_at is not None:
            self.told.append(EventKind.PBX_ANSWERS)
        self.failures, self.retry_at = 0, None


_CALLS = st.tuples(
    st.integers(0, 1),
    st.booleans(),
    st.sampled_from(["answered", "silent", "silent", "lost", "late"]),
    st.sampled_from([0, 1, 29, 30, 31, 60, 600]),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_CALLS, max_size=25))
def test_it_is_what_the_model_is(store: Store, other: Store, clock: Clock, calls: list[tuple[int, bool, str, int]]) -> None:
    """Whatever two processes meet and however time passes, the breaker lets through, tells and waits as the model does."""
    pbx, model, replicas = f"pbx-{next(_NAMES)}", Plain(), [Breakers(store), Breakers(other)]
    for replica, probing, outcome, pause in calls:
        breaker = replicas[replica]
        if outcome == "late":
            breaker.silent(pbx, PbxBadAnswer("A page."), lost_login=False)
            model.silent(clock.now, lost_login=False)
        else:
            passed = passes(breaker, pbx, probing)
            assert passed is model.may(clock.now, probing)
            if passed:
                meet(breaker, model, pbx, outcome, clock.now)
        clock.advance(seconds=pause)
    away = read(store, lambda session: breakers.away(session, pbx))
    assert (away.retry_at if away else None) == model.retry_at
    assert told(store, pbx) == model.told


def passes(breaker: Breakers, pbx: str, probing: bool) -> bool:
    try:
        (breaker.probe if probing else breaker.check)(pbx)
    except PbxAway:
        return False
    return True


def meet(breaker: Breakers, model: Plain, pbx: str, outcome: str, now: datetime) -> None:
    if outcome == "answered":
        breaker.answered(pbx)
        model.answered()
    else:
        breaker.silent(pbx, PbxUnreachable("Nothing."), lost_login=outcome == "lost")
        model.silent(now, outcome == "lost")
