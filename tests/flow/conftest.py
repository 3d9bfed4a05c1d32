"""A fresh world for each flow test; the bot is started by the test, so that it can be configured first."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flow.world import World


@pytest.fixture
def quiet(tmp_path: Path, database: str) -> Iterator[World]:
    """The world without the bot."""
    world = World(tmp_path, database_url=database)
    yield world
    world.close()


@pytest.fixture
def world(quiet: World) -> World:
    """The world with the bot as it is configured by default."""
    return quiet.start()
