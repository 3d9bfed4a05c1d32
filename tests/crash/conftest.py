"""What the tests of kills and restarts share."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.crash import matrix
from tests.crash.herd import Nursery
from tests.crash.life import Zygote
from tests.flow.world import World
from tests.postgres import Postgres

#: Makes a world of its own for each run, on SQLite or on PostgreSQL.
Fresh = Callable[[str], AbstractContextManager[World]]

#: After how many looks a certificate is issued: one that finds it under way, and one that finds it issued.
POLLS = 2


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    with Zygote() as zygote:
        yield zygote


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    with Nursery() as nursery:
        yield nursery


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder for all workers of this session."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "crash-points"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def fresh(tmp_path: Path, request: pytest.FixtureRequest) -> Fresh:
    numbers = itertools.count(1)

    @contextmanager
    def world(kept_in: str) -> Iterator[World]:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        if kept_in == "sqlite":
            with _closing(World(folder, issuance_polls=POLLS)) as made:
                yield made
            return
        server: Postgres = request.getfixturevalue("postgres")
        with server.database() as url, _closing(World(folder, issuance_polls=POLLS, database_url=url)) as made:
            yield made

    return world


@contextmanager
def _closing(world: World) -> Iterator[World]:
    try:
        yield world
    finally:
        matrix.close(world)
