"""The tables of the matrices are made from what the tests report."""

import pytest

pytest_plugins = ("pytester",)

CASES = """
import pytest
from tests.matrix_table import add_row

@pytest.mark.parametrize("held", [True, True, False, None])
def test_case(record_property, held):
    add_row(record_property, matrix="crash", row="trusted", column="sqlite", held=held)
    add_row(record_property, matrix="crash", row="apply", column="postgresql", held=True)
    assert held is not False
"""


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_a_table_counts_what_held(pytester: pytest.Pytester, workers: tuple[str, ...]) -> None:
    """Cells, rows, columns and the whole are counted from passed and failed tests alike, also by several workers."""
    pytester.makepyfile(CASES)
    said = pytester.runpytest_inprocess("-p", "tests.matrix_table", "--timeout=60", *workers).stdout
    said.fnmatch_lines_random([
        "*crash matrix*",
        "trusted * 2 of 3 held, 1 not reached * 2 of 3 held, 1 not reached",
        "apply * 4 of 4 held*",
        "together * 6 of 7 held, 1 not reached",
    ])  # fmt: skip


def test_a_session_without_a_matrix_has_no_table(pytester: pytest.Pytester) -> None:
    """Nothing is printed where no test reported a case."""
    pytester.makepyfile("def test_nothing(): pass")
    said = pytester.runpytest_inprocess("-p", "tests.matrix_table").stdout
    said.no_fnmatch_line("*together*")
