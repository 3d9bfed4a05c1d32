"""Several bots on one PostgreSQL database: an order reaches all of them, and different configurations are noticed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot import config as configuration
from bot.domain.events import EventKind
from bot.house import WAITS, Bot
from bot.store.tables import ReplicaRow
from tests.flow.test_reload import events, in_channel
from tests.flow.world import World
from tests.postgres import Postgres


@pytest.fixture
def world(tmp_path: Path, postgres: Postgres) -> Iterator[World]:
    """A world on a PostgreSQL database, with Ben as operator and one bot in it."""
    with postgres.database() as url:
        world = World(tmp_path, database_url=url)
        world.slack_lines = f'operators = ["{world.ben.id}"]'
        yield world.start()
        world.close()


@contextmanager
def another_bot(world: World, path: Path) -> Iterator[Bot]:
    """Another replica, with a file of its own."""

    def read() -> configuration.Config:
        return configuration.load(path, world.environ())

    assert world.bot is not None
    first, other = world.bot, Bot(read(), now=world.clock, waits=WAITS, read=read)

    def moved() -> None:
        first.loop.wake()
        other.loop.wake()

    world.clock.moved = moved
    other.start()
    try:
        yield other
    finally:
        other.stop()
        world.clock.moved = first.loop.wake


def pass_time(world: World, seconds: int) -> None:
    """In steps, so that each bot gives its signs of life."""
    for _ in range(0, seconds, 10):
        world.clock.advance(seconds=10.1)
        world.wait_until(lambda: _all_seen(world))


def _all_seen(world: World) -> bool:
    assert world.bot is not None
    with world.bot.store.begin() as session:
        rows = session.query(ReplicaRow).all()
    return all((world.clock() - row.seen_at).total_seconds() < 9 for row in rows)


def test_an_order_reaches_every_bot(world: World) -> None:
    """Ben orders it once; each of the two bots reads its own file and tells him, and both then work by it."""
    with another_bot(world, world.folder / "config.toml") as other:
        world.pbx_lines = f'requesters = ["{world.tess.id}"]'
        world.write_config()
        world.ben.command("/pbx-cert", "reload", world.certs)
        world.wait_told(world.ben, "All 2 bots now read their configuration anew")
        world.slack.wait_for(lambda: sum("now works by the new" in told for told in world.told(world.ben)) == 2)
        assert world.bot is not None
        for bot in (world.bot, other):
            assert bot.context.config.pbx[0].requesters == (world.tess.id,)
        loaded = [event for event in events(world, EventKind.CONFIG_LOADED) if event.data["by"] == world.ben.id]
        assert len({event.data["replica"] for event in loaded}) == 2
        assert len({event.data["hash"] for event in loaded}) == 1
    world.verify_chain()


def test_one_faulty_file_leaves_one_bot_behind_and_is_told(world: World) -> None:
    """One bot's file is faulty: it goes on by its last good one, and after a minute the channel hears that they differ."""
    mine = world.folder / "other.toml"
    mine.write_text((world.folder / "config.toml").read_text())
    with another_bot(world, mine):
        mine.write_text("nonsense")
        world.pbx_lines = f'requesters = ["{world.tess.id}"]'
        world.write_config()
        world.ben.command("/pbx-cert", "reload", world.certs)
        in_channel(world, "other.toml: is not TOML")
        world.wait_told(world.ben, "now works by the new configuration")
        pass_time(world, 50)
        assert events(world, EventKind.CONFIG_DIFFERS) == []
        pass_time(world, 40)
        in_channel(world, "work by different configurations")
        mine.write_text((world.folder / "config.toml").read_text())
        world.ben.command("/pbx-cert", "reload", world.certs)
        world.wait_until(lambda: len({event.data["hash"] for event in events(world, EventKind.CONFIG_LOADED)[-2:]}) == 1)
        pass_time(world, 20)
        in_channel(world, "work by the same configuration again")
        assert [event.data["agree"] for event in events(world, EventKind.CONFIG_DIFFERS)] == [False, True]
    world.verify_chain()


def test_an_order_is_followed_by_who_was_away(world: World) -> None:
    """A bot that is started after the order works by what its file says then, and orders are not followed twice."""
    world.ben.command("/pbx-cert", "reload", world.certs)
    world.wait_told(world.ben, "now works by the new configuration")
    with another_bot(world, world.folder / "config.toml"):
        pass_time(world, 20)
        assert [event.data["by"] for event in events(world, EventKind.CONFIG_LOADED)] == ["start", world.ben.id, "start"]


def test_an_open_request_is_told_of_its_new_rule_once(world: World) -> None:
    """However many bots follow the order, the thread says once what it takes today."""
    with another_bot(world, world.folder / "config.toml"):
        card = world.ask(world.fill_trusted)
        world.pbx_lines = "approvals = 2"
        world.write_config()
        world.ben.command("/pbx-cert", "reload", world.certs)
        world.slack.wait_for(lambda: sum("now works by the new" in told for told in world.told(world.ben)) == 2)
        world.wait_thread(card, "today it takes 2 of")
        pass_time(world, 20)
        assert world.count_lines(card, "today it takes 2 of") == 1
        assert len(events(world, EventKind.RULE_CHANGED)) == 1
