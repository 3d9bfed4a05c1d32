"""The agenda under many hands."""

import threading
from collections import defaultdict
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.store import agenda
from bot.store.agenda import Entry, Work
from bot.store.engine import Store
from bot.store.tables import AgendaRow
from tests.unit.store_kit import NOW, at_once, open_store, read

pytestmark = pytest.mark.usefixtures("any_database")


def size(store: Store) -> int:
    return int(read(store, lambda session: session.scalar(select(func.count()).select_from(AgendaRow))))


class Watch:
    """Who has which key in hand, and what was done in which order."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.busy: set[str] = set()
        self.done: dict[str, list[int]] = defaultdict(list)
        self.overlaps = 0

    def enter(self, entry: Entry) -> None:
        with self.lock:
            self.overlaps += entry.key in self.busy
            self.busy.add(entry.key)
            self.done[entry.key].append(entry.request or 0)

    def leave(self, entry: Entry) -> None:
        with self.lock:
            self.busy.discard(entry.key)


def test_many_workers(tmp_path: Path) -> None:
    """Eight workers share 1,000 entries over 50 keys: each once, each key in order, none two at a time."""
    store = open_store(tmp_path)
    with store.begin() as session:
        for number in range(1, 1001):
            agenda.put(session, Work.FULFIL, f"pbx:{number % 50}", NOW, number)
    watch = Watch()

    def work(owner: str) -> None:
        while True:
            with store.begin() as session:
                entry = agenda.claim(session, owner, NOW, (Work.FULFIL,))
            if entry is not None:
                watch.enter(entry)
                read(store, lambda session: agenda.is_due(session, NOW, (Work.FULFIL,)))  # takes its time
                watch.leave(entry)
                with store.begin() as session:
                    agenda.finish(session, entry)
            elif not size(store):
                return

    answers = at_once([partial(work, f"w{number}") for number in range(8)])
    assert answers == [None] * 8
    assert watch.overlaps == 0
    assert sum(len(numbers) for numbers in watch.done.values()) == 1000
    assert all(numbers == sorted(set(numbers)) for numbers in watch.done.values())
    store.close()
