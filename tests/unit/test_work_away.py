"""A visit to a PBX that is left alone, and when the next one is due."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.domain.events import EventKind
from bot.domain.requests import Request
from bot.domain.schedule import Beginning, Why
from bot.store import agenda, audit
from bot.store.agenda import Entry, Work
from bot.store.engine import Store
from bot.store.tables import AgendaRow
from bot.work.progress import Progress
from bot.work.trouble import for_reading
from tests.unit.breaker_kit import away, opened
from tests.unit.store_kit import KEY, Clock, approved, open_store, read


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


def visit(store: Store, progress: Progress) -> tuple[Entry, Request]:
    with store.begin() as session:
        entry = agenda.claim(session, store.owner, store.now(), [Work.FULFIL])
    assert entry is not None
    request = progress.begin(entry, lambda _: Beginning(store.now(), Why.WINDOW))
    assert request is not None
    return entry, request


def next_visit(store: Store) -> object:
    return read(store, lambda session: session.scalars(select(AgendaRow.due_at).filter_by(kind="fulfil")).one())


def test_it_waits_for_the_probe(store: Store, clock: Clock) -> None:
    """The next visit is due when the PBX is looked at again, and the thread is told of the outage once."""
    approved(store)
    breaker, progress = opened(store), Progress(store)
    for _ in range(2):
        entry, request = visit(store, progress)
        error = away(breaker)
        progress.take_course(entry, request, error, for_reading(error))
        assert next_visit(store) == error.retry_at
        clock.now = error.retry_at
        breaker.probe("hq")
    told = [event.kind for event in read(store, lambda session: audit.events_of(session, request.id))]
    assert told.count(EventKind.RETRYING) == 1


def test_a_probe_that_is_late_makes_no_haste(store: Store, clock: Clock) -> None:
    """Where it is time for a probe and none has come yet, visits keep their own growing pauses."""
    approved(store)
    breaker, progress = opened(store), Progress(store)
    clock.advance(seconds=40)
    entry, request = visit(store, progress)
    error = away(breaker)
    progress.take_course(entry, request, error, for_reading(error))
    assert next_visit(store) == clock.now + timedelta(seconds=2)


def test_it_came_back_during_the_visit(store: Store, clock: Clock) -> None:
    """What is in somebody's hands cannot be brought forward when the PBX is back, so the visit itself looks before it waits."""
    approved(store)
    breaker, progress = opened(store), Progress(store)
    entry, request = visit(store, progress)
    error = away(breaker)
    breaker.answered("hq")
    progress.take_course(entry, request, error, for_reading(error))
    assert next_visit(store) == clock.now
