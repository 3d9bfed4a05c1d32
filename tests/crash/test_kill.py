"""A killed bot goes on where it was."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.child import Child
from tests.flow.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """The world without a bot; the PBX takes long enough to be issued a certificate for somebody to be killed meanwhile."""
    world = World(tmp_path, issuance_polls=4)
    yield world
    world.close()


@pytest.fixture
def child(world: World) -> Iterator[Child]:
    child = Child(world).start()
    yield child
    child.stop()


def test_a_bot_killed_while_issuing_ends_the_request_once(world: World, child: Child) -> None:
    """After SIGKILL while `issuing` and a restart there is one application, one certificate and one whole thread."""
    card = world.ask(world.fill_apply)
    world.approve(card)
    world.wait_thread(card, "applying for")
    child.kill()
    child.start()
    lines = world.wait_thread(card, "now lists", timeout=30)
    assert world.hq.count("certificate/create") == 1
    assert [one.name for one in world.hq.certificates] == ["pbx.example.com.pem"]
    assert len(lines) == len(set(lines)), lines
    world.wait_card(card, "done")
    assert "unbroken" in child.verify()


def test_a_bot_killed_while_nobody_decides_keeps_the_request(world: World, child: Child) -> None:
    """A pending request survives SIGKILL, and its old buttons still count after a restart."""
    card = world.ask(world.fill_trusted)
    child.kill()
    child.start()
    world.approve(card)
    world.wait_thread(card, "now lists", timeout=30)
    assert world.hq.count("certificate/create") == 1
    assert len(world.cards()) == 1


def test_sigterm_ends_the_bot_with_exit_code_0(world: World, child: Child) -> None:
    """SIGTERM finishes what is in hand and exits cleanly."""
    world.ask(world.fill_trusted)
    assert child.stop() == 0
