"""When an approved request begins."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.domain.requests import Ask, Request
from bot.domain.schedule import Why, beginning, start_problem
from bot.domain.windows import Windows, parse
from tests.unit import block_samples as samples

#: A Sunday at noon; the window opens on the Saturday after.
NOW = samples.NOW
SATURDAY = Windows((parse("Sat 22:00-04:00"),))
OPENING = NOW + timedelta(days=6, hours=10)
OPEN_NOW = Windows((parse("Sun 10:00-14:00"),))


def request(*risks: str, start: datetime | None = None, **changes: Any) -> Request:
    asked = samples.ask(start=start.isoformat() if start else "", **changes)
    return samples.request(of=asked, known=samples.evidence(risks=risks))


@pytest.mark.parametrize(
    ("asked", "windows", "at", "why"),
    [
        (request(), Windows(), NOW, Why.WINDOW),
        (request(), OPEN_NOW, NOW, Why.WINDOW),
        (request(), SATURDAY, OPENING, Why.WINDOW),
        (request(start=NOW + timedelta(hours=1)), Windows(), NOW + timedelta(hours=1), Why.ASKED),
        (request(start=OPENING + timedelta(hours=1)), SATURDAY, OPENING + timedelta(hours=1), Why.ASKED),
        (request("outside_window", start=NOW + timedelta(hours=1)), SATURDAY, NOW + timedelta(hours=1), Why.ASKED),
        (request("outside_window", start=NOW - timedelta(hours=1)), SATURDAY, NOW, Why.ASKED),
        (request(start=NOW - timedelta(hours=1)), SATURDAY, OPENING, Why.WINDOW),
        (request(start=NOW - timedelta(hours=1)), OPEN_NOW, NOW, Why.WINDOW),
        (request("outside_window", emergency=True), SATURDAY, NOW, Why.ASKED),
        (request(emergency=True, start=NOW + timedelta(hours=1)), Windows(), NOW, Why.ASKED),
    ],
)
def test_beginning(asked: Request, windows: Windows, at: datetime, why: Why) -> None:
    """At once, in the next window, when it was asked for, or, if that is over, once the windows allow it again."""
    found = beginning(asked, windows, NOW)
    assert (found.at, found.why) == (at, why)


@pytest.mark.parametrize(
    ("start", "code"),
    [
        (None, ""), (NOW, ""), (NOW - timedelta(seconds=59), ""), (NOW + timedelta(days=90), ""),
        (NOW - timedelta(seconds=60), "start_over"), (NOW + timedelta(days=90, minutes=1), "start_far"),
    ],
)  # fmt: skip
def test_start_problem(start: datetime | None, code: str) -> None:
    """A start may lie neither in the past nor more than 90 days ahead; the minute that is on the clock is not over."""
    problem = start_problem(Ask(start=start.isoformat() if start else ""), NOW)
    assert (problem.code if problem else "") == code
    assert problem is None or problem.field == "start"
