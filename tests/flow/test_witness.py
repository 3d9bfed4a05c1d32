"""Once a day the head of the audit chain is posted, so that Slack bears witness against whoever owns the database."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import yaml
from sqlalchemy import select

from bot.domain.daily import next_time
from bot.domain.events import EventKind
from bot.sandbox.slack import RateLimits, Workspace
from bot.slack.gateway import Gateway
from bot.store import agenda, audit
from bot.store.agenda import LEASE, Work
from bot.store.engine import Store
from bot.store.tables import AgendaRow, EventRow
from bot.work import witness
from bot.work.witness import Witness
from tests.flow.telling import MANIFEST
from tests.flow.world import World
from tests.unit.deciding import config_of, context_of
from tests.unit.store_kit import ANA, KEY, NOW, Clock, Crash, new_draft, read

SIX = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


class Watchmen:
    """Two replicas on one database, before one Slack; their clock is not the workspace's, so that they can die by it."""

    def __init__(self, database: str) -> None:
        self.clock = Clock()
        self.slack = Workspace(yaml.safe_load(MANIFEST.read_text()), limits=RateLimits.none(), now=lambda: self.clock.now)
        self.slack.start()
        self.channel = self.slack.add_channel("certs", (self.slack.add_person("Ana", id=ANA),), id="C01CERTS")
        self.store = Store(database, KEY, self.clock)
        self.store.migrate()
        self.config = config_of(hq={"approvers": (ANA,)})
        self.replicas = [self._replica() for _ in range(2)]
        self._turn = 0
        self.start()

    def _replica(self) -> Witness:
        slack = Gateway(self.slack.bot_token, self.slack.url, now=lambda: self.clock.now)
        return Witness(context_of(self.store, self.config, slack))  # type: ignore[arg-type]

    def start(self) -> None:
        """As each replica does that starts."""
        with self.store.begin() as session:
            witness.schedule(session, self.config, self.clock.now)

    def run(self, until: datetime) -> None:
        """The replicas take turns with what is due until then."""
        while True:
            with self.store.begin() as session:
                entry = agenda.claim(session, "one of them", self.clock.now, [Work.WITNESS])
                due = agenda.next_due(session, self.clock.now, [Work.WITNESS])
            if entry is not None:
                self._turn += 1
                self.replicas[self._turn % 2].visit(entry)
            elif due is None or due > until:
                self.clock.now = until
                return
            else:
                self.clock.now = due

    def said(self) -> list[str]:
        return [self.slack.read(message) for message in self.slack.messages(self.channel)]

    def close(self) -> None:
        self.store.close()
        self.slack.stop()


@pytest.fixture
def watchmen(database: str) -> Iterator[Watchmen]:
    watchmen = Watchmen(database)
    yield watchmen
    watchmen.close()


def witnessed(store: Store) -> list[int]:
    kinds = select(EventRow.id).filter_by(kind=EventKind.WITNESSED.value)
    return list(read(store, lambda session: session.scalars(kinds).all()))


def event_of(store: Store, head: str) -> int | None:
    with store.begin() as session:
        return audit.verify(session, head).at


def head_in(text: str) -> str:
    found = re.search(r"audit verify --head ([0-9a-f]{64})", text)
    assert found is not None, text
    return found[1]


def test_once_a_day(watchmen: Watchmen) -> None:
    """One message a day, however many replicas start and how often; each says a head that the chain had then."""
    new_draft(watchmen.store)
    for _ in range(3):
        watchmen.start()
    watchmen.run(SIX + timedelta(days=2, hours=1))
    heads = [head_in(text) for text in watchmen.said()]
    assert len(heads) == len(set(heads)) == 3
    assert [event_of(watchmen.store, head) for head in heads] == [1, 2, 3]
    assert witnessed(watchmen.store) == [2, 3, 4]


def test_an_empty_chain_needs_no_witness(watchmen: Watchmen) -> None:
    """Before anything has happened nothing is posted."""
    watchmen.run(SIX + timedelta(days=1))
    assert watchmen.said() == []


def test_what_was_due_while_nobody_was_there_is_posted_then(watchmen: Watchmen) -> None:
    """A bot that was down at that time posts when it is back, and the next day as ever."""
    new_draft(watchmen.store)
    watchmen.clock.now = SIX + timedelta(days=3, hours=5)
    watchmen.run(watchmen.clock.now)
    assert len(watchmen.said()) == 1
    watchmen.run(SIX + timedelta(days=4, minutes=1))
    assert len(watchmen.said()) == 2


def test_killed_anywhere(watchmen: Watchmen) -> None:
    """Wherever a replica dies in it, the day has one event and one message, and the one that takes over says the same head."""
    new_draft(watchmen.store)
    deaths = 0
    for day in range(40):
        watchmen.clock.now = SIX + timedelta(days=day)
        watchmen.clock.crash_in = day
        try:
            watchmen.run(watchmen.clock.now)
        except Crash:
            deaths += 1
        survived, watchmen.clock.crash_in = watchmen.clock.crash_in >= 0, None
        watchmen.start()
        watchmen.clock.now += LEASE + timedelta(seconds=30)
        watchmen.run(watchmen.clock.now + timedelta(minutes=5))
        assert len(watchmen.said()) == len(witnessed(watchmen.store)) == day + 1
        if survived:
            break
    assert deaths > 3
    assert read(watchmen.store, lambda session: len(session.scalars(select(AgendaRow)).all())) <= 2


def test_slack_is_away(watchmen: Watchmen) -> None:
    """What Slack does not take is tried again; the same head, once."""
    new_draft(watchmen.store)
    watchmen.slack.leave(watchmen.channel, watchmen.slack.bot_user)
    watchmen.run(SIX + timedelta(hours=2))
    assert watchmen.said() == []
    watchmen.slack.join(watchmen.channel, watchmen.slack.bot_user)
    watchmen.run(SIX + timedelta(hours=3))
    assert len(watchmen.said()) == 1
    assert len(witnessed(watchmen.store)) == 1


@pytest.mark.parametrize(
    ("now", "zone", "expected"),
    [
        (NOW, "UTC", datetime(2026, 3, 2, 6, 0, tzinfo=UTC)),
        (datetime(2026, 3, 2, 6, 0, tzinfo=UTC), "UTC", datetime(2026, 3, 3, 6, 0, tzinfo=UTC)),
        (datetime(2026, 3, 2, 5, 59, tzinfo=UTC), "UTC", datetime(2026, 3, 2, 6, 0, tzinfo=UTC)),
        (NOW, "Asia/Tokyo", datetime(2026, 3, 1, 21, 0, tzinfo=UTC)),
        (NOW, "America/Los_Angeles", datetime(2026, 3, 1, 14, 0, tzinfo=UTC)),
        (datetime(2026, 3, 28, 12, 0, tzinfo=UTC), "Europe/Berlin", datetime(2026, 3, 29, 4, 0, tzinfo=UTC)),
    ],
)
def test_time_of_day(now: datetime, zone: str, expected: datetime) -> None:
    """The time of day is that of the configured zone, also where its clocks were put forward in the night before."""
    assert next_time(now, SIX.time(), ZoneInfo(zone)) == expected


def test_in_the_house(quiet: World) -> None:
    """The running bot posts into the channel for it, and the command of the message proves the chain."""
    world = quiet.start()
    world.ask(world.fill_trusted)
    world.skip_until(lambda: bool(world.slack.messages(world.audit)), hours=6)
    text = world.slack.read(world.slack.messages(world.audit)[0])
    assert text.startswith("🔗 Audit chain: ")
    assert world.bot is not None
    assert event_of(world.bot.store, head_in(text)) is not None
