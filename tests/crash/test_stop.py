"""SIGTERM: what is in flight is finished or parked within ten seconds, and nothing is lost or done twice."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from bot.sandbox.slack import Person
from bot.store.tables import VoteRow
from tests.flow.outages import server_of_its_own
from tests.flow.world import World

#: Seconds from SIGTERM to the end of the process; after that systemd and Docker would kill it.
WITHIN = 10


class Served:
    """`python -m bot serve`, whose end is awaited no longer than an operator's machine would."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._log = world.folder / "bot.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, connected: bool = True) -> "Served":
        command = [sys.executable, "-m", "bot", "serve", "--config", str(self._world.write_config())]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, env={**os.environ, **self._world.environ()}, stderr=log)
        if connected:
            self._world.slack.wait_connected(timeout=60)
        return self

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def ask_to_end(self, number: signal.Signals = signal.SIGTERM) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM, within: float = WITHIN) -> int:
        """Its exit code; raises TimeoutExpired when it is not gone in time."""
        self.ask_to_end(number)
        return self.ended(within)

    def ended(self, within: float = WITHIN) -> int:
        assert self._process is not None
        code = self._process.wait(within)
        self._process = None
        return code

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def log(self) -> str:
        return self._log.read_text()


@pytest.fixture
def world(tmp_path: Path, database: str) -> Iterator[World]:
    world = World(tmp_path, database_url=database)
    yield world
    world.close()


@pytest.fixture
def served(world: World) -> Iterator[Served]:
    served = Served(world)
    yield served
    served.close()


def test_a_call_that_takes_too_long_is_parked_and_found_afterwards(world: World, served: Served) -> None:
    """Stopped while a PBX takes 20 s to answer a create, the bot exits with 0 in time; the next one looks, and adds nothing."""
    served.start()
    card = world.ask(world.fill_trusted)
    world.hq.trouble.slow("certificate/create", 20)
    world.approve(card)
    world.hq.wait_for(lambda: world.hq.count("certificate/create") == 1)
    assert served.end() == 0
    assert '"event": "work.parked"' in served.log()
    world.hq.trouble.clear()
    served.start()
    lines = world.wait_thread(card, "now lists", timeout=60)
    world.wait_card(card, "done")
    assert world.hq.count("certificate/create") == 1
    assert len(world.hq.certificates) == 1
    assert len(lines) == len(set(lines)), lines
    assert served.end() == 0


def test_what_is_quick_is_finished(world: World, served: Served) -> None:
    """Stopped while a PBX takes a second to answer, the bot waits for it and parks nothing."""
    served.start()
    card = world.ask(world.fill_trusted)
    world.hq.trouble.slow("certificate/upload", 1)
    world.approve(card)
    world.hq.wait_for(lambda: world.hq.count("certificate/upload") == 1)
    assert served.end() == 0
    assert "work.parked" not in served.log()
    served.start()
    world.wait_thread(card, "now lists", timeout=30)
    assert world.hq.count("certificate/upload") == 1


def test_a_second_signal_ends_it_at_once(world: World, served: Served) -> None:
    """Who presses Ctrl-C twice does not wait for a PBX."""
    served.start()
    card = world.ask(world.fill_trusted)
    world.hq.trouble.slow("certificate/create", 20)
    world.approve(card)
    world.hq.wait_for(lambda: world.hq.count("certificate/create") == 1)
    served.ask_to_end(signal.SIGINT)
    world.slack.wait_for(lambda: not world.slack.connected)  # it was heard, and the bot is ending
    assert served.end(signal.SIGINT, within=3) == 128 + signal.SIGINT
    world.hq.trouble.clear()


def test_stopped_while_it_starts(world: World, served: Served) -> None:
    """Stopped while Slack does not answer its first call, the bot exits with 0 in time, and the next one starts."""
    world.slack.trouble.delay("auth.test", 20)
    served.start(connected=False)
    world.slack.wait_for(lambda: world.slack_calls("auth.test") > 0, timeout=60)
    assert served.end() == 0
    world.slack.trouble.clear()
    served.start()
    world.ask(world.fill_trusted)
    assert served.end() == 0


@pytest.mark.sqlite_only("another program holds the lock of the file")
def test_stopped_while_the_database_is_locked(world: World, served: Served) -> None:
    """Stopped while the database cannot be written, the bot exits with 0 in time; a lease that it could not give back is ended
    by the next one."""
    served.start()
    card = world.ask(world.fill_trusted)
    world.hq.trouble.slow("certificate/create", 3)
    world.approve(card)
    world.hq.wait_for(lambda: world.hq.count("certificate/create") == 1)
    engine = create_engine(world.database_url)
    with engine.connect() as other:
        other.exec_driver_sql("BEGIN IMMEDIATE")
        assert served.end() == 0
    engine.dispose()
    world.hq.trouble.clear()
    served.start()
    world.wait_thread(card, "now lists", timeout=60)
    assert world.hq.count("certificate/create") == 1
    assert served.end() == 0


def test_a_hundred_clicks_on_the_way(world: World, served: Served) -> None:
    """Stopped amid a hundred clicks, the bot has stored each that it acknowledged, or told its person that it was not taken."""
    people = [world.slack.add_person(f"Lead {number}") for number in range(100)]
    world.slack.join(world.certs, *people)
    world.approvers = tuple(person.id for person in people)
    world.pbx_lines = "approvals = 100"
    served.start()
    card = world.ask(world.fill_trusted)
    start = threading.Barrier(len(people))

    def click(person: Person) -> tuple[str, str]:
        start.wait(30)
        return person.id, person.click(dict(card), "approve").outcome

    with ThreadPoolExecutor(len(people)) as pool:
        clicks = [pool.submit(click, person) for person in people]
        world.slack.wait_for(
            lambda: sum(each.outcome == "acked" for each in world.slack.deliveries if each.kind == "block_actions") > 9
        )
        assert served.end() == 0
        acknowledged = {user for user, outcome in (each.result() for each in clicks) if outcome == "acked"}
    assert len(acknowledged) > 9
    sorry = {person.id for person in people if any("not taken" in text for text in world.told(person))}
    engine = create_engine(world.database_url)
    with Session(engine) as session:
        recorded = set(session.scalars(select(VoteRow.user)))
    engine.dispose()
    assert acknowledged <= recorded | sorry


def test_stopped_while_the_database_is_gone(tmp_path: Path) -> None:
    """Stopped while PostgreSQL is down and a call is on its way, the bot exits with 0 in time; the next one goes on."""
    with server_of_its_own() as (server, url):
        world = World(tmp_path, database_url=url)
        served = Served(world).start()
        try:
            card = world.ask(world.fill_trusted)
            world.hq.trouble.slow("certificate/create", 20)
            world.approve(card)
            world.hq.wait_for(lambda: world.hq.count("certificate/create") == 1)
            server.stop("fast")
            assert served.end() == 0
            server.start()
            world.hq.trouble.clear()
            world.start().clock.advance(seconds=61)  # the lease that could not be given back runs out
            world.wait_thread(card, "now lists")
            assert world.hq.count("certificate/create") == 1
        finally:
            served.close()
            world.close()
