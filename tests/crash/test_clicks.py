"""A thousand simultaneous clicks on one Approve, by twenty people who may."""

import re
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.domain.events import EventKind
from bot.sandbox.slack import Delivery
from bot.store import audit
from bot.store.tables import EventRow, VoteRow
from tests.crash.herd import Herd, Nursery
from tests.crash.worlds import a_world, ledger_of
from tests.flow.world import World
from tests.notes import RecordProperty, note
from tests.postgres import Postgres

PEOPLE = 20
CLICKS = {"part": 200, "whole": 1000}

Card = dict[str, Any]


@pytest.fixture
def clicks(pytestconfig: pytest.Config) -> int:
    return CLICKS[pytestconfig.getoption("--matrix")]


@pytest.mark.timeout(300)
def test_one_click_of_a_crowd_on_four_processes_counts(
    tmp_path: Path, nursery: Nursery, postgres: Postgres, clicks: int, record_property: RecordProperty
) -> None:
    """Of all clicks at once, dealt out evenly to four processes on PostgreSQL, one counts, and every other person is told."""
    with postgres.database() as url, a_world(tmp_path, url) as world:
        note(record_property, _crowd(Herd(nursery, _with_approvers(world)), 4, clicks))


@pytest.mark.timeout(300)
def test_one_click_of_a_crowd_on_one_process_counts(
    tmp_path: Path, nursery: Nursery, clicks: int, record_property: RecordProperty
) -> None:
    """Of all clicks at once on one process with SQLite one counts, and every other person is told."""
    with a_world(tmp_path) as world:
        note(record_property, _crowd(Herd(nursery, _with_approvers(world)), 1, clicks))


def _with_approvers(world: World) -> World:
    people = [world.slack.add_person(f"Approver {number}") for number in range(PEOPLE)]
    world.slack.join(world.certs, *people)
    world.approvers = tuple(person.id for person in people)
    return world


def _crowd(herd: Herd, processes: int, clicks: int) -> str:
    world = herd.world
    try:
        bots = herd.start(processes)
        card = world.ask(world.fill_trusted)
        before, acked = len(world.slack.deliveries), [_acknowledged(bot.look()) for bot in bots]
        _click_at_once(world, card, clicks)
        world.wait_card(card, "done", timeout=60)
        world.slack.wait_for(lambda: _answers(world) == clicks, timeout=180)  # the requester's link, and all but one click
        dealt = [_acknowledged(bot.look()) - was for bot, was in zip(bots, acked, strict=True)]
        deliveries = world.slack.deliveries[before:]
        assert len(deliveries) == sum(dealt) == clicks
        assert max(dealt) - min(dealt) <= 1, f"the workspace deals out to each connection in its turn, not {dealt}"
        _judge(herd, card, deliveries)
        return _told(processes, deliveries)
    finally:
        herd.end()


def _acknowledged(look: dict[str, Any]) -> int:
    return int(look["passed"].get("ack after", 0))


def _answers(world: World) -> int:
    """Private answers that have arrived."""
    return sum(call.method == "response_url" and call.ended_at is not None for call in world.slack.state.log)


def _click_at_once(world: World, card: Card, clicks: int) -> None:
    """Everybody has the card on their screen as it was, and presses again and again without waiting."""
    people = [world.slack.person(user) for user in world.approvers]
    together = threading.Barrier(clicks)

    def click(number: int) -> None:
        together.wait()
        people[number % PEOPLE].click(card, "approve", as_seen=True)

    with ThreadPoolExecutor(clicks) as pool:
        list(pool.map(click, range(clicks)))


def _judge(herd: Herd, card: Card, deliveries: list[Delivery]) -> None:
    """One effect, one name, and an event and a private word for everybody else."""
    world = herd.world
    assert world.hq.count("certificate/create") == 1
    with ledger_of(herd) as session:
        audit.verify(session)
        rows = list(session.scalars(select(VoteRow)))
        refusals = session.scalars(select(EventRow).where(EventRow.kind == EventKind.REFUSED.value)).all()
    winner = next(row.user for row in rows if row.state == "counted")
    assert Counter(row.state for row in rows) == {"counted": 1, "refused": len(rows) - 1}
    assert len(refusals) == len(rows) - 1
    taken = {row.delivery for row in rows}
    not_taken = [one for one in deliveries if f"block_actions:{one.payload['trigger_id']}" not in taken]
    assert len(rows) + len(not_taken) == len(deliveries), "each delivery is one click"
    name = world.slack.person(winner).name
    assert sum("approved it" in line for line in "\n".join(world.thread(card)).splitlines()) == 1
    assert f"@{name} approved it" in "\n".join(world.thread(card))
    assert f"Approved by @{name}." in world.card(card)
    for user in world.approvers:
        mine = Counter(one.user for one in deliveries)[user] - (user == winner)
        spared = Counter(one.user for one in not_taken)[user]
        _judge_words(world, user, name, mine, spared, is_winner=user == winner)


def _judge_words(world: World, user: str, winner: str, clicks: int, not_taken: int, *, is_winner: bool) -> None:
    """One private answer a click: who won, or to the winner that it was counted; or that it was not taken at all."""
    told = world.told(world.slack.person(user))
    right = re.compile("Your vote for this was counted already" if is_winner else rf"@{winner} approved this \d+ s ago\.")
    assert sum(right.search(words) is not None for words in told) == clicks - not_taken, told
    assert len(told) == clicks, told


def _told(processes: int, deliveries: list[Delivery]) -> str:
    """What Slack's three seconds made of it."""
    outcomes = Counter(delivery.outcome for delivery in deliveries)
    slowest = max(delivery.ack_ms or 0 for delivery in deliveries) / 1000
    return (
        f"{len(deliveries)} clicks at once on {processes} process(es): {outcomes['acked']} acknowledged within 3 s, "
        f"{len(deliveries) - outcomes['acked']} later (the last after {slowest:.1f} s) with the same effect, none counted twice"
    )
