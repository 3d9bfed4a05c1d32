"""The watch over the database: a stumble is not an outage, and an outage is told once, as well as can be."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from bot.exceptions import SlackError, SlackFateUnknown, SlackRefused, SlackUnreachable, StoreUnavailable
from bot.store.engine import Store
from bot.store.errors import unavailable
from bot.store.tables import MetaRow
from bot.work.watch import Watch
from tests.flow.outages import SmallDisk
from tests.unit.store_kit import Clock, open_store, read


class Slack:
    """Takes down what it is told; each of ``answers`` is raised once."""

    def __init__(self, *answers: SlackError) -> None:
        self.said: list[str] = []
        self.changed = threading.Condition()
        self._answers = list(answers)

    def post(self, channel: str, *, blocks: Sequence[Mapping[str, Any]], text: str) -> object:
        assert channel == "C1"
        with self.changed:
            self.said.append(text)
            self.changed.notify_all()
            if self._answers:
                raise self._answers.pop(0)
        return None

    def wait(self, count: int) -> list[str]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.said) >= count, 15)
            return list(self.said)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path, Clock())
    yield store
    store.close()


def fail(store: Store) -> None:
    """Something that needs to write."""
    with pytest.raises(StoreUnavailable), store.begin() as session:
        session.add(MetaRow(name="x", value=b"x"))


def test_a_stumble_is_not_told(store: Store) -> None:
    """A transaction that failed while the database can be written is no outage: nobody is told."""
    slack, looked = Slack(), threading.Event()
    store.committed = looked.set
    watch = Watch(store, slack, lambda: "C1")
    disk = SmallDisk(store.engine)
    watch.start()
    store.failed(unavailable("database_gone"))
    disk.full = True
    fail(store)  # the next one is real, and is told as the first word of all
    assert "[disk_full]" in slack.wait(1)[0]
    disk.full = False
    assert "works again" in slack.wait(2)[1]
    assert looked.wait(10)  # whoever waits for work is woken
    watch.stop(10)
    assert len(slack.said) == 2


def test_nothing_is_left_of_the_looks(store: Store) -> None:
    """What was written to see whether it can be is gone afterwards."""
    slack, disk = Slack(), SmallDisk(store.engine)
    watch = Watch(store, slack, lambda: "C1")
    watch.start()
    before = read(store, lambda session: session.query(MetaRow.name).all())
    disk.full = True
    fail(store)
    slack.wait(1)
    disk.full = False
    slack.wait(2)
    watch.stop(10)
    assert read(store, lambda session: session.query(MetaRow.name).all()) == before


@pytest.mark.parametrize(
    ("answer", "attempts"), [(SlackUnreachable(), 2), (SlackFateUnknown(), 1), (SlackRefused("is_archived"), 1)]
)
def test_what_slack_says_to_it(store: Store, answer: SlackError, attempts: int) -> None:
    """What certainly was not told is told again at the next look; what may have been, or is refused, is not."""
    slack, disk = Slack(answer), SmallDisk(store.engine)
    watch = Watch(store, slack, lambda: "C1")
    watch.start()
    disk.full = True
    fail(store)
    slack.wait(attempts)
    disk.wait_refused(2)  # it looks again
    disk.wait_refused(1)  # and again, with whatever it had to say in between
    assert len(slack.said) == attempts
    watch.stop(10)


def test_stopping_during_an_outage(store: Store) -> None:
    """A process that ends during an outage does not wait for its end, and does not say that it is over."""
    slack, disk = Slack(), SmallDisk(store.engine)
    watch = Watch(store, slack, lambda: "C1")
    watch.start()
    disk.full = True
    fail(store)
    slack.wait(1)
    watch.stop(10)
    disk.full = False
    assert len(slack.said) == 1
