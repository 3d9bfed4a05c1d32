"""The crash matrix: a kill at every point that a request passes, on both databases (see `tests.crash.matrix`)."""

from pathlib import Path

import pytest

from tests.crash import matrix
from tests.crash.conftest import Fresh
from tests.crash.life import Zygote
from tests.crash.matrix import KINDS
from tests.matrix_table import RecordProperty, add_row

DATABASES = ("sqlite", "postgresql")
#: How many tests the points of one kind on one database are dealt out to.
SHARES = {"part": 2, "whole": 12}
#: ``part`` takes every 24th point, each pair of kind and database others.
STRIDE = {"part": 24, "whole": 1}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "share" in metafunc.fixturenames:
        shares = SHARES[metafunc.config.getoption("--matrix")]
        metafunc.parametrize("share", range(shares))


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kept_in", DATABASES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_kill_at_any_point_loses_nothing_and_does_nothing_twice(
    kind: str,
    kept_in: str,
    share: int,
    fresh: Fresh,
    zygote: Zygote,
    shared: Path,
    record_property: RecordProperty,
    pytestconfig: pytest.Config,
) -> None:
    """Killed at a point and started again, the bot ends the request once, truthfully, with nothing secret left."""
    size = pytestconfig.getoption("--matrix")
    with fresh(kept_in) as world:
        every = matrix.points(shared, f"{kind}-{kept_in}", zygote, world, kind)
    begin = 3 * KINDS.index(kind) + 5 * DATABASES.index(kept_in) if size == "part" else 0
    mine = every[begin :: STRIDE[size]][share :: SHARES[size]]
    failures = []
    for point in mine:
        result = matrix.reached(zygote, lambda: fresh(kept_in), kind, point)
        add_row(record_property, matrix="crash", row=kind, column=kept_in, held=result.held)
        failures += [f'{kind} {kept_in} "{point.label}" {point.ordinal}: {wrong}' for wrong in result.wrong]
    assert not failures, "\n".join(failures)
