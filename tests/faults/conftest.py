"""What the fault matrices share: a migrated database to copy, and the cell that each test reports."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from bot.store.engine import Store, utc_now
from tests.faults.rights import Case
from tests.flow.world import KEY
from tests.matrix_table import add_row


class Cell(Protocol):
    """Reports a cell of a matrix: held, unless the block raises. ``apart`` gives it a row of its own."""

    def __call__(self, matrix: str, case: Case, *, apart: bool = False) -> AbstractContextManager[None]: ...


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with all tables and nothing in it."""
    path = tmp_path_factory.mktemp("template") / "bot.db"
    store = Store(f"sqlite:///{path}", bytes.fromhex(KEY), utc_now)
    store.migrate()
    store.close()
    return path


@pytest.fixture
def cell(record_property: Callable[[str, object], None]) -> Cell:

    @contextmanager
    def reporting(matrix: str, case: Case, *, apart: bool = False) -> Iterator[None]:
        row, column = (f"{case.fault}, {case.call}", "case") if apart else (case.fault, _family(case.call))
        held = False
        try:
            yield
            held = True
        finally:
            add_row(record_property, matrix=matrix, row=row, column=column, held=held)

    return reporting


def _family(call: str) -> str:
    """What a table of 200 columns has room for: each call to a PBX, and Slack's methods by what they are about."""
    return call.split(" ", 1)[0].split(".", 1)[0].rstrip(":")
