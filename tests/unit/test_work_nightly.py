"""The nightly look over a Slack that limits it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.domain.events import EventKind
from bot.domain.profile import Profile
from bot.exceptions import SlackRateLimited, SlackRefused
from bot.store import agenda, audit
from bot.store.agenda import Work
from bot.store.engine import Store
from bot.store.tables import EventRow
from bot.work import nightly, reachable
from bot.work.nightly import BREATHER, Nightly
from tests.unit.deciding import LEADS, Slack, config_of, context_of
from tests.unit.store_kit import ANA, BEN, Clock, open_store, read

pytestmark = pytest.mark.usefixtures("any_database")

CONFIG = config_of(hq={"approvers": (ANA, BEN)})


@dataclass
class Limited(Slack):
    """Answers so many questions about people, and then asks to wait."""

    left: int = 0
    people: list[str] = field(default_factory=list)

    def profile(self, user: str) -> Profile:
        if not self.left:
            raise SlackRateLimited(1)
        self.left -= 1
        self.people.append(user)
        return super().profile(user)


class Night:
    """Two processes on one database, each with a look of its own in mind."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock, self.slack = store, clock, Limited()
        self.first, self.second = (Nightly(context_of(store, CONFIG, self.slack)) for _ in range(2))
        with store.begin() as session:
            nightly.schedule(session, clock(), CONFIG, at_once=True)

    def look(self, by: Nightly, answers: int) -> list[str]:
        """About whom Slack was asked."""
        self.slack.left, self.slack.people = answers, []
        with self.store.begin() as session:
            entry = agenda.claim(session, self.store.owner, self.clock(), [Work.NIGHTLY])
        assert entry is not None
        by.visit(entry)
        return self.slack.people

    def troubles(self) -> list[bool]:
        """Each that was told, and whether it is over."""
        rows = read(self.store, lambda session: session.query(EventRow).filter_by(kind=EventKind.POLICY_TROUBLE.value).all())
        return [audit.event_of(row).data["mended"] for row in rows]


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    clock = Clock()
    store = open_store(tmp_path, clock)
    yield Night(store, clock)
    store.close()


def test_it_goes_on_where_it_was(night: Night) -> None:
    """What Slack said before it wanted us to wait is not asked again a minute later."""
    assert night.look(night.first, answers=1) == [ANA]
    night.clock.advance(seconds=BREATHER.total_seconds())
    assert night.look(night.first, answers=9) == [BEN]


def test_it_does_not_go_on_where_it_was_yesterday(night: Night) -> None:
    """When another process has finished the look, what the first one knows of it is no help in the next night."""
    night.look(night.first, answers=1)
    night.clock.advance(seconds=BREATHER.total_seconds())
    assert night.look(night.second, answers=9) == [ANA, BEN]
    night.slack.profiles[ANA] = Profile(ANA, "T1", is_deactivated=True)
    night.clock.advance(days=1)
    night.look(night.second, answers=0)
    night.clock.advance(seconds=BREATHER.total_seconds())
    assert night.look(night.first, answers=9) == [ANA, BEN]
    assert night.troubles() == [False]


def test_limits_are_no_failures(night: Night) -> None:
    """However often Slack wanted us to wait, a failure after that is tried again in the same night."""
    for _ in range(nightly.ATTEMPTS):
        night.look(night.first, answers=0)
        night.clock.advance(seconds=BREATHER.total_seconds())
    night.slack.is_down = True
    night.look(night.first, answers=9)
    night.clock.advance(seconds=nightly.LONGEST)
    night.slack.is_down = False
    assert night.look(night.first, answers=9) == [ANA, BEN]


def test_a_proxy_is_not_slack() -> None:
    """That something on the way refuses to ask about a group says nothing of the group."""

    class Proxied(Slack):
        def group_members(self, group: str) -> frozenset[str]:
            raise SlackRefused("http_407")

    with pytest.raises(SlackRefused):
        reachable.check(config_of(hq={"approvers": (LEADS,)}), Proxied())
