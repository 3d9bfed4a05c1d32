"""Several bots on one PostgreSQL database."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from bot import config as configuration
from bot.house import WAITS, Bot
from bot.store.engine import Store
from bot.store.tokens import TokenShelf
from tests.flow.meddling import meddling
from tests.flow.world import KEY, World
from tests.postgres import Postgres


@pytest.fixture
def world(tmp_path: Path, postgres: Postgres) -> Iterator[World]:
    """A world on a PostgreSQL database, and one bot in it."""
    with postgres.database() as url:
        world = World(tmp_path, database_url=url)
        yield world.start()
        world.close()


@contextmanager
def another_bot(world: World) -> Iterator[Bot]:
    """Another replica: the same configuration and key, connections and leases of its own."""
    assert world.bot is not None
    other = Bot(configuration.load(world.folder / "config.toml", world.environ()), now=world.clock, waits=WAITS)
    first = world.bot

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


def test_two_bots_do_everything_once(world: World) -> None:
    """Of six requests for two PBXs each is carried out once and told once, whichever bot does it."""
    with another_bot(world):
        cards = [world.ask(world.fill_trusted, pbx=pbx) for pbx in ("hq", "branch") for _ in range(3)]
        for card in cards:
            world.approve(card)
        for card in cards:
            lines = world.wait_thread(card, "now lists", timeout=60)
            assert len(lines) == len(set(lines)), lines
        assert [pbx.count("certificate/create") for pbx in (world.hq, world.branch)] == [3, 3]
        assert len(world.cards()) == 6
    world.verify_chain()


def test_a_second_bot_leaves_the_leases_of_the_first(world: World) -> None:
    """What one bot has in hand stays its own when another one starts: the PBX is called once."""
    card = world.ask(world.fill_trusted)
    called, go = threading.Event(), threading.Event()

    def hold_up() -> None:
        called.set()
        assert go.wait(20)

    world.hq.trouble.meanwhile("certificate/upload", hold_up)
    world.approve(card)
    assert called.wait(20)
    with another_bot(world):
        go.set()
        world.wait_thread(card, "now lists", timeout=60)
    assert world.hq.count("certificate/upload") == 1
    assert world.hq.count("certificate/create") == 1


def test_a_login_of_another_bot_is_waited_for(world: World) -> None:
    """While another bot has the right to log in, a request waits a little; then it goes on, and nothing has failed."""
    card = world.ask(world.fill_trusted)
    other = Store(world.database_url, bytes.fromhex(KEY), world.clock)
    TokenShelf(other).drop("hq", _token(other))
    logins = world.hq.logins
    with TokenShelf(other).exclusive("hq"):
        world.approve(card)
        wait_until_put_back(world)
        assert world.hq.logins == logins
    other.close()
    world.skip_until(lambda: world.hq.count("certificate/create") == 1, seconds=6)
    lines = world.wait_thread(card, "now lists")
    assert not [line for line in lines if "failed" in line or "again" in line], lines


def wait_until_put_back(world: World) -> None:
    """The bot has tried, and what it wanted to do waits on the agenda."""
    waiting = text("SELECT count(*) FROM agenda WHERE kind = 'fulfil' AND owner IS NULL AND attempt > 0")
    with meddling(world.database_url) as database:
        for _ in range(400):
            if database.scalar(waiting):
                return
            threading.Event().wait(0.05)  # between two looks
    raise AssertionError("the request was not put back")


def _token(store: Store) -> str:
    held = TokenShelf(store).load("hq")
    assert held is not None
    return held.access
