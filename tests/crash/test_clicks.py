"""A thousand simultaneous clicks on one Approve, by twenty people who may."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot import config as configuration
from bot.sandbox.slack import Delivery, Person
from bot.store import audit
from bot.store.engine import Store
from bot.store.tables import EventRow, VoteRow
from tests.crash.herd import Herd, Nursery
from tests.crash.shared_clock import SharedClock
from tests.flow.world import World
from tests.postgres import Postgres

PEOPLE = 20
CLICKS = {"part": 200, "whole": 1000}


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as nursery:
        yield nursery


@contextmanager
def _world(folder: Path, url: str = "") -> Iterator[World]:
    world = World(folder, clock=SharedClock(folder / "clock"), database_url=url)
    try:
        yield world
    finally:
        for machine in (world.slack, world.hq, world.branch):
            machine.stop()


def test_one_of_a_thousand_clicks_on_four_processes_is_counted(
    tmp_path: Path, nursery: Nursery, postgres: Postgres, pytestconfig: pytest.Config
) -> None:
    """On four processes that share PostgreSQL one click counts, one certificate is made, and every other clicker is told."""
    with postgres.database() as url, _world(tmp_path, url) as world:
        _crowd(Herd(nursery, _with_approvers(world)), 4, CLICKS[pytestconfig.getoption("--matrix")])


def test_one_of_a_thousand_clicks_on_one_process_is_counted(
    tmp_path: Path, nursery: Nursery, pytestconfig: pytest.Config
) -> None:
    """On one process with SQLite one click counts, one certificate is made, and every other clicker is told."""
    with _world(tmp_path) as world:
        _crowd(Herd(nursery, _with_approvers(world)), 1, CLICKS[pytestconfig.getoption("--matrix")])


def _with_approvers(world: World) -> World:
    people = [world.slack.add_person(f"Approver {number}") for number in range(PEOPLE)]
    world.slack.join(world.certs, *people)
    world.approvers = tuple(person.id for person in people)
    return world


def _crowd(herd: Herd, processes: int, clicks: int) -> None:
    try:
        herd.start(processes)
        card = herd.world.ask(herd.world.fill_trusted)
        before = len(herd.world.slack.deliveries)
        handled = [bot.look()["passed"].get("ack before", 0) for bot in herd.bots]
        _click_at_once(herd.world, card, clicks)
        deliveries = herd.world.slack.deliveries[before:]
        herd.world.wait_card(card, "done", timeout=60)
        handled = [bot.look()["passed"]["ack before"] - was for bot, was in zip(herd.bots, handled, strict=True)]
        _judge(herd, card, deliveries, handled)
    finally:
        herd.end()


def _click_at_once(world: World, card: dict[str, Any], clicks: int) -> None:
    """Everybody has the card on their screen as it was, and presses again and again without waiting."""
    people = [world.slack.person(user) for user in world.approvers]
    together = threading.Barrier(clicks)

    def click(number: int) -> None:
        together.wait()
        people[number % PEOPLE].click(card, "approve", as_seen=True)

    with ThreadPoolExecutor(clicks) as pool:
        list(pool.map(click, range(clicks)))


def _judge(herd: Herd, card: dict[str, Any], deliveries: list[Delivery], handled: list[int]) -> None:
    world = herd.world
    outcomes = Counter(delivery.outcome for delivery in deliveries)
    slowest = max(delivery.ack_ms or 0 for delivery in deliveries)
    print(outcomes, round(slowest), handled)
