"""Where the unit tests of the store have it."""

from collections.abc import Iterator

import pytest

from tests.postgres import Postgres
from tests.unit import store_kit


@pytest.fixture
def any_database(request: pytest.FixtureRequest, database_kind: str) -> Iterator[None]:
    """Stores are opened on whatever ``--databases`` asks for."""
    if database_kind == "sqlite":
        yield
        return
    server: Postgres = request.getfixturevalue("postgres")
    with store_kit.on_server(server):
        yield
