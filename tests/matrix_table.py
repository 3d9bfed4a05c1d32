"""Matrices of tests: which cells held, printed as a table at the end of a session.

A cell reports itself through pytest's ``record_property``, so the table is whole under pytest-xdist, too.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

RecordProperty = Callable[[str, object], None]

_PROPERTY = "matrix"
#: matrix -> row -> column -> how often True (held), False (did not hold), None (not reached).
Cells = dict[str, dict[str, dict[str, Counter[bool | None]]]]


def add_row(record_property: RecordProperty, *, matrix: str, row: str, column: str, held: bool | None) -> None:
    """One case of a cell. ``held`` is None for a case that did not come about, which is never counted as held."""
    record_property(_PROPERTY, [matrix, row, column, held])


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--matrix",
        choices=("part", "whole"),
        default="part",
        help="how much of the crash and fault matrices is run: a representative part, or the whole",
    )


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for name, rows in sorted(_cells(terminalreporter.stats).items()):
        terminalreporter.section(f"{name} matrix")
        for line in _lines(rows):
            terminalreporter.write_line(line)


def _cells(stats: dict[str, list[Any]]) -> Cells:
    """Every case that any report carries, from whichever worker it came."""
    cells: Cells = defaultdict(lambda: defaultdict(lambda: defaultdict(Counter)))
    for matrix, row, column, held in _cases(stats):
        cells[matrix][row][column][held] += 1
    return cells


def _cases(stats: dict[str, list[Any]]) -> Iterator[tuple[str, str, str, bool | None]]:
    reports = (report for outcome in ("passed", "failed") for report in stats.get(outcome, ()))
    for report in reports:
        if getattr(report, "when", "") == "call":
            yield from (value for name, value in report.user_properties if name == _PROPERTY)


def _lines(rows: dict[str, dict[str, Counter[bool | None]]]) -> list[str]:
    columns = list(dict.fromkeys(column for cells in rows.values() for column in cells))
    table = Table(box=None, pad_edge=False, header_style="")
    for heading in ("", *columns, "together"):
        table.add_column(heading, no_wrap=True)
    for row, cells in rows.items():
        table.add_row(row, *(_told(cells.get(column, Counter())) for column in columns), _told(_sum(cells.values())))
    below = (_told(_sum(cells.get(column, Counter()) for cells in rows.values())) for column in columns)
    everything = _sum(_sum(cells.values()) for cells in rows.values())
    table.add_row("together", *below, _told(everything))
    console = Console(width=200, color_system=None)
    with console.capture() as captured:
        console.print(table)
    return [line.rstrip() for line in captured.get().splitlines()]


def _sum(counters: Iterable[Counter[bool | None]]) -> Counter[bool | None]:
    together: Counter[bool | None] = Counter()
    for each in counters:
        together.update(each)
    return together


def _told(counted: Counter[bool | None]) -> str:
    """ "30 of 31 held, 2 not reached"; a hyphen where there is no case."""
    if not counted:
        return "-"
    cases = counted[True] + counted[False]
    missing = f", {counted[None]} not reached" if counted[None] else ""
    return f"{counted[True]} of {cases} held{missing}"
