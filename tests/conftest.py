"""What all tests share."""

import gc
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from tests.alike import share_compiled_statements
from tests.postgres import Postgres
from tests.schema import sqlite_file
from tests.scratch import keep_in_memory

keep_in_memory()
share_compiled_statements()
# A slow machine is no fault; what a test promises is never a matter of milliseconds.
settings.register_profile("calm", deadline=None, print_blob=True)
settings.load_profile("calm")

#: The tables of the crash and fault matrices, and what else is told at the end.
pytest_plugins = ("tests.matrix_table", "tests.notes")

DATABASES = ("sqlite", "postgresql")


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """A test that runs a command configures logging as the command does; the next one finds it as it was."""
    names = (None, "bot", "websocket")
    before = [(logging.getLogger(name), logging.getLogger(name).handlers[:], logging.getLogger(name).level) for name in names]
    was = structlog.get_config()
    raised = logging.raiseExceptions
    yield
    logging.raiseExceptions = raised
    structlog.configure(**was)
    for logger, handlers, level in before:
        logger.handlers[:] = handlers
        logger.setLevel(level)


def pytest_collection_finish() -> None:
    """Some six thousand tests stay until the end, so the garbage collector need not look at them again and again; and it looks
    less often at what each leaves, which is small."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--databases", default="sqlite", help="what tests with a database run on, with commas: sqlite (default), postgresql"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that has a database once on each that was asked for."""
    if "database_kind" in metafunc.fixturenames:
        asked = metafunc.config.getoption("--databases").split(",")
        unknown = set(asked) - set(DATABASES)
        if unknown:
            raise pytest.UsageError(f"--databases knows {', '.join(DATABASES)}, not {', '.join(sorted(unknown))}")
        if asked != ["sqlite"]:
            metafunc.parametrize("database_kind", asked, indirect=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server for all tests of this worker; skips where there is none."""
    server = Postgres()
    try:
        yield server.start()
    finally:
        server.close()


@pytest.fixture
def database_kind(request: pytest.FixtureRequest) -> str:
    """What this test runs on, of those that ``--databases`` asks for."""
    kind: str = getattr(request, "param", "sqlite")
    alone = request.node.get_closest_marker("sqlite_only")
    if kind != "sqlite" and alone is not None:
        pytest.skip(f"about SQLite itself: {alone.args[0]}")
    return kind


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path, database_kind: str) -> Iterator[str]:
    """The URL of a database for this test alone, with our schema: a SQLite file in its folder, or one on the server."""
    if database_kind == "sqlite":
        (tmp_path / "bot.db").write_bytes(sqlite_file())
        yield f"sqlite:///{tmp_path}/bot.db"
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.database() as url:
        yield url
