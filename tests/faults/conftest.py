"""What the fault matrices share: the cell that each test reports."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

import pytest

from tests.faults.rights import Case
from tests.matrix_table import add_row


class Cell(Protocol):
    """Reports a cell of a matrix: held, unless the block raises. ``apart`` gives it a row of its own."""

    def __call__(self, matrix: str, case: Case, *, apart: bool = False) -> AbstractContextManager[None]: ...


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
