"""SIGHUP to the process that an operator runs, and a kill while it reads anew."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.test_stop import Served
from tests.flow.world import World


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


def told(world: World, words: str) -> bool:
    return any(words in world.slack.read(message) for message in world.slack.messages(world.certs))


def test_sighup_reads_the_file_anew(world: World, served: Served) -> None:
    """After SIGHUP the process works by the new file, and goes on by it when the next one is faulty; SIGTERM still ends it."""
    served.start()
    world.pbx_lines = f'requesters = ["{world.tess.id}"]'
    world.write_config()
    served.ask_to_end(signal.SIGHUP)
    world.wait_until(lambda: '"by": "SIGHUP"' in served.log())
    form = world.fill_trusted(world.open_form(world.carl))
    form.submit()
    assert any("You may not ask for a certificate on hq" in said for said in form.errors.values())
    world.pbx_lines = "approvals = 9"
    world.write_config()
    served.ask_to_end(signal.SIGHUP)
    world.slack.wait_for(lambda: told(world, "pbx[0].approvals: asks for 9 approvals"), 30)
    card = world.ask(world.fill_trusted)
    world.approve(card)
    world.wait_thread(card, "now lists")
    assert served.end() == 0


def test_a_kill_while_it_is_told_loses_no_word(world: World, served: Served) -> None:
    """Killed right after the faulty file was noted, the next process tells it, once."""
    served.start()
    world.pbx_lines = "approvals = 9"
    world.write_config()
    world.slack.trouble.delay("chat.postMessage", 3.0)
    served.ask_to_end(signal.SIGHUP)
    world.wait_until(lambda: "config.refused" in served.log())
    served.close()
    world.pbx_lines = ""
    world.slack.trouble.delay("chat.postMessage", 0.0)
    served.start()
    world.slack.wait_for(lambda: told(world, "pbx[0].approvals: asks for 9 approvals"), 100)
    refused = [each for each in world.slack.messages(world.certs) if "asks for 9" in world.slack.read(each)]
    assert len(refused) == 1


def test_sighup_while_it_starts_does_not_end_it(world: World, served: Served) -> None:
    """A signal that comes before there is anything to reload is kept until there is."""
    served.start(connected=False)
    world.wait_until(lambda: _blocks_hangup(served.pid), 30)
    served.ask_to_end(signal.SIGHUP)
    world.slack.wait_connected(60)
    world.wait_until(lambda: '"by": "SIGHUP"' in served.log(), 30)
    assert served.end() == 0


def _blocks_hangup(pid: int) -> bool:
    """Whether the process has got as far as to wait for the signal itself (proc(5), SigBlk)."""
    status = Path(f"/proc/{pid}/status").read_text()
    mask = next(line.split()[1] for line in status.splitlines() if line.startswith("SigBlk"))
    return bool(int(mask, 16) & (1 << (signal.SIGHUP - 1)))
