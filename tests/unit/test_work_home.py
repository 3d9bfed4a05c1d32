"""Painting home tabs: the latest act wins, a late paint covers nothing, and Slack's refusals cost only a paint."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from bot.blocks.home import Places
from bot.config import Settings
from bot.domain.profile import Profile
from bot.exceptions import PbxUnreachable, SlackError, SlackRateLimited, SlackRefused
from bot.pbx.client import PbxClient
from bot.pbx.models import ListedCertificate
from bot.slack.gateway import Gateway
from bot.slack.people import People
from bot.store import posts
from bot.store.engine import Store
from bot.work.context import Context
from bot.work.home import Homes
from bot.work.links import Links
from bot.work.listings import Listings
from bot.work.reading import Reader
from tests.unit.blockkit_rules import accept_view, texts
from tests.unit.deciding import config_of
from tests.unit.store_kit import ANA, TESS, Clock, open_store, pending

View = Mapping[str, Any]


class Later(Executor):
    """Runs what it is given when it is told to."""

    def __init__(self) -> None:
        self.jobs: list[Callable[[], Any]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.jobs.append(lambda: fn(*args, **kwargs))
        return Future()

    def run(self) -> None:
        while self.jobs:
            self.jobs.pop(0)()


@dataclass
class Slack:
    """Slack's home tabs: what stands there, and under which hash."""

    shown: list[View] = field(default_factory=list)
    hashes: dict[str, str] = field(default_factory=dict)
    trouble: list[SlackError] = field(default_factory=list)
    links: int = 0

    def publish_home(self, user: str, view: View, hash: str | None = None) -> str:  # noqa: A002 - Slack's word
        accept_view(view)
        if self.trouble:
            raise self.trouble.pop(0)
        if hash is not None and hash != self.hashes.get(user):
            raise SlackRefused("hash_conflict")
        self.shown.append(view)
        self.hashes[user] = f"{len(self.shown)}.{user}"
        return self.hashes[user]

    def permalink(self, channel: str, ts: str) -> str:
        self.links += 1
        return f"https://x.slack.com/archives/{channel}/p{ts}"

    def group_members(self, group: str) -> frozenset[str]:
        raise AssertionError(f"nobody needs {group} here")

    def profile(self, user: str) -> Profile:
        return Profile(user, "T1")

    @property
    def text(self) -> str:
        return "\n".join(texts(self.shown[-1]))


@dataclass
class Pbx:
    """One that lists what it has."""

    calls: int = 0
    is_down: bool = False

    def list_certificates(self) -> list[ListedCertificate]:
        self.calls += 1
        if self.is_down:
            raise PbxUnreachable
        return [ListedCertificate(id=1, name="root.crt", type="trusted")]


@dataclass
class Stage:
    store: Store
    slack: Slack
    pool: Later
    pbxs: dict[str, Pbx]
    homes: Homes

    @property
    def clock(self) -> Clock:
        return cast(Clock, self.store.now)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    store, slack, pool, pbxs = open_store(tmp_path, Clock()), Slack(), Later(), {"hq": Pbx(), "branch": Pbx()}
    config = config_of(hq={"approvers": (ANA,)}, branch={"approvers": (ANA,)})
    context = Context(Settings(config), store, cast(Gateway, slack), People(slack, store.now),
                      lambda name: cast(PbxClient, pbxs[name]), pool)  # fmt: skip
    yield Stage(store, slack, pool, pbxs, Homes(context, Reader(context), Links(context), Listings(context)))
    store.close()


def test_one_paint_at_once_and_one_with_the_answers(stage: Stage) -> None:
    """The first shows that the PBXs are being asked; when both have answered one more shows what they list."""
    stage.homes.acted(TESS, Places())()
    assert "Being asked: `hq`, `branch`" in stage.slack.text
    stage.pool.run()
    assert stage.slack.text.count("`root.crt`") == 2
    assert len(stage.slack.shown) <= 3


def test_nothing_is_painted_that_is_there_already(stage: Stage) -> None:
    """Where nothing has become known, the tab is not painted a second time."""
    stage.homes.acted(TESS, Places())()
    stage.pool.run()
    painted = len(stage.slack.shown)
    stage.homes.acted(TESS, Places())()
    stage.pool.run()
    assert len(stage.slack.shown) == painted + 1
    assert stage.pbxs["hq"].calls == 1


def test_the_latest_act_wins(stage: Stage) -> None:
    """Two acts whose paints come in the wrong order leave the later one's pages, and the earlier paint is left out."""
    first = stage.homes.acted(TESS, Places())
    second = stage.homes.acted(TESS, Places(running=7))
    second()
    first()
    stage.pool.run()
    assert {view["private_metadata"] for view in stage.slack.shown} == {Places(running=7).dump()}


def test_a_late_paint_covers_nothing(stage: Stage) -> None:
    """What another replica has painted since stays: the second paint bears the hash of the first, and Slack refuses it."""
    stage.homes.acted(TESS, Places())()
    stage.slack.hashes[TESS] = "another replica's"
    stage.pool.run()
    assert len(stage.slack.shown) == 1
    stage.homes.acted(TESS, Places())()
    assert len(stage.slack.shown) == 2


@pytest.mark.parametrize("trouble", [SlackRateLimited(30), SlackRefused("not_enabled")])
def test_a_refused_paint_is_let_go(stage: Stage, trouble: SlackError) -> None:
    """A paint that Slack does not take ends there; the next act paints as ever."""
    stage.slack.trouble.append(trouble)
    stage.homes.acted(TESS, Places())()
    stage.pool.run()
    assert stage.slack.shown == []
    stage.homes.acted(TESS, Places())()
    assert len(stage.slack.shown) == 1


def test_links_are_asked_for_once(stage: Stage) -> None:
    """A card's link is fetched after the first paint and remembered; a card that is not posted has none."""
    request, _ = pending(stage.store), pending(stage.store, delivery="d2")
    with stage.store.begin() as session:
        posts.intend(session, stage.store.now(), request.id, posts.CARD, "C1")
        posts.arrived(session, stage.store.now(), request.id, posts.CARD, "C1", "1.5")
    for _ in range(2):
        stage.homes.acted(TESS, Places())()
        stage.pool.run()
    assert stage.slack.text.count("Open its card") == 1
    assert stage.slack.links == 1


def test_a_pbx_is_asked_once_for_all_who_look(stage: Stage) -> None:
    """Two people who open their tabs while a PBX is being asked share its answer; a failure is not asked about for a minute."""
    stage.pbxs["branch"].is_down = True
    for user in (TESS, ANA):
        stage.homes.acted(user, Places())()
    stage.pool.run()
    assert [pbx.calls for pbx in stage.pbxs.values()] == [1, 1]
    assert all("`root.crt`" in "\n".join(texts(view)) for view in stage.slack.shown[-2:])
    assert "🔌 `branch` is not shown." in stage.slack.text
    stage.clock.advance(seconds=59)
    stage.homes.acted(ANA, Places())()
    stage.pool.run()
    assert stage.pbxs["branch"].calls == 1
    stage.clock.advance(seconds=2)
    stage.homes.acted(ANA, Places())()
    stage.pool.run()
    assert [pbx.calls for pbx in stage.pbxs.values()] == [1, 2]


def test_refresh_asks_anew_but_not_twice_in_five_seconds(stage: Stage) -> None:
    """Pressing Refresh again and again does not make a PBX answer again and again."""
    for seconds, calls in ((0, 1), (3, 1), (6, 2)):
        stage.clock.advance(seconds=seconds)
        stage.homes.acted(ANA, Places(), pressed=True)()
        stage.pool.run()
        assert stage.pbxs["hq"].calls == calls
