"""A fresh world for each flow test; the bot is started by the test, so that it can be configured first."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flow.world import World
from tests.unit.blockkit_rules import accept_message, accept_view


@pytest.fixture
def quiet(tmp_path: Path) -> Iterator[World]:
    """The world without the bot. At the end, everything that the bot showed in it passes two foreign validators, too."""
    world = World(tmp_path)
    yield world
    world.close()
    _accept_all_that_was_shown(world)


@pytest.fixture
def world(quiet: World) -> World:
    """The world with the bot as it is configured by default."""
    return quiet.start()


def _accept_all_that_was_shown(world: World) -> None:
    for call in world.slack.log:
        if call.args.get("blocks"):
            accept_message(call.args["blocks"], call.args.get("text", ""))
        if call.args.get("view"):
            accept_view(call.args["view"])
    for delivery in world.slack.deliveries:
        if (delivery.ack or {}).get("view"):
            accept_view((delivery.ack or {})["view"])
