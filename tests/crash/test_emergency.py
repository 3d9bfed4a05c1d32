"""A kill at every point that is an emergency's own; the others are those of any request (see `tests.crash.test_matrix`)."""

import re
from pathlib import Path

import pytest

from tests.crash import matrix
from tests.crash.conftest import Fresh
from tests.crash.life import Zygote
from tests.matrix_table import RecordProperty, add_row

DATABASES = ("sqlite", "postgresql")
KIND = "emergency"
#: What is written and said by an emergency alone.
_OWN = re.compile(r"alarm|emergenc|decide|conversations\.open")
#: ``part`` takes every sixth, each database others.
STRIDE = {"part": 6, "whole": 1}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kept_in", DATABASES)
def test_a_kill_leads_to_one_emergency_that_everybody_is_told_of_once(
    kept_in: str,
    fresh: Fresh,
    zygote: Zygote,
    shared: Path,
    record_property: RecordProperty,
    pytestconfig: pytest.Config,
) -> None:
    """Killed and started again, it is done once, told once to each, and confirmed once."""
    with fresh(kept_in) as world:
        every = matrix.points(shared, f"{KIND}-{kept_in}", zygote, world, KIND)
    own = [point for point in every if _OWN.search(point.label)]
    assert own, "an emergency passes points of its own"
    failures = []
    for point in own[DATABASES.index(kept_in) :: STRIDE[pytestconfig.getoption("--matrix")]]:
        result = matrix.reached(zygote, lambda: fresh(kept_in), KIND, point)
        add_row(record_property, matrix="crash", row=KIND, column=kept_in, held=result.held)
        failures += [f'{KIND} {kept_in} "{point.label}" {point.ordinal}: {wrong}' for wrong in result.wrong]
    assert not failures, "\n".join(failures)
