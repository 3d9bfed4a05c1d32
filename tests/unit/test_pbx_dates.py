"""Dates whose layout nobody documents: read where there is one way to read them, and never guessed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.pbx.calendar import KEPT_FOR, Calendar
from bot.pbx.dates import needs_date_format, parse_expiration
from bot.pbx.models import SystemInformation
from tests.unit.pbx_kit import Clock

AFTERNOON = datetime(2027, 1, 16, 16, 0, 49, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2027/01/16 16:00:49",
        "2027-01-16 16:00:49",
        "2027-01-16T16:00:49Z",
        "2027-01-16T16:00:49.000Z",
        "2027-01-16T18:00:49+02:00",
        "2027.1.16 16:00:49",
        "2027/01/16 04:00:49 PM",
        "1800115249",
        "Jan 16 16:00:49 2027 GMT",
        "Sat Jan 16 16:00:49 2027",
        "Sat, 16 Jan 2027 16:00:49 GMT",
        "16-Jan-2027 16:00:49",
        "January 16, 2027 16:00:49",
        "16/01/2027 16:00:49",
        "01/16/2027 04:00:49 PM",
        " 2027/01/16 16:00:49 ",
    ],
)
def test_one_way_to_read(text: str) -> None:
    """A layout that can be read in one way only is read so, whatever the PBX's date format is."""
    for date_format in (None, "DD/MM/YYYY", "MM/DD/YYYY", "YYYY/MM/DD"):
        assert parse_expiration(text, date_format) == AFTERNOON


def test_day_or_month() -> None:
    """Where day and month could be either, the PBX's own date format decides."""
    assert parse_expiration("05/06/2027", "DD/MM/YYYY") == datetime(2027, 6, 5, tzinfo=UTC)
    assert parse_expiration("05/06/2027", "MM/DD/YYYY") == datetime(2027, 5, 6, tzinfo=UTC)
    assert parse_expiration("05-06-2027 11:30:00 PM", "dd-mm-yyyy") == datetime(2027, 6, 5, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize("date_format", [None, "", "YYYY/MM/DD", "nonsense"])
def test_never_guessed(date_format: str | None) -> None:
    """A date that the PBX's format does not decide stays unknown."""
    assert parse_expiration("05/06/2027 10:00:00", date_format) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2027/13/01",
        "2027/02/30",
        "31/31/2027",
        "2027/01/16 25:00:00",
        "2027/01/16 00:10:00 PM",
        "16 Foo 2027",
        "27/01/16",
    ],
)
def test_no_date(text: str) -> None:
    """What no calendar has is no date."""
    assert parse_expiration(text, "DD/MM/YYYY") is None


def test_same_day_and_month() -> None:
    """The fifth of May reads the same in both orders, so the PBX need not be asked."""
    assert parse_expiration("05/05/2027") == datetime(2027, 5, 5, tzinfo=UTC)
    assert not needs_date_format("05/05/2027")
    assert needs_date_format("05/06/2027")


@given(st.text(max_size=40), st.text(max_size=12))
def test_any_text(text: str, date_format: str) -> None:
    """Any text gives a moment with a time zone or nothing, and never an error."""
    moment = parse_expiration(text, date_format)
    assert moment is None or moment.tzinfo is UTC


@given(st.integers(1_000_000_000, 7_000_000_000), st.sampled_from(["%d/%m/%Y", "%m/%d/%Y"]))
def test_round_trip(seconds: int, layout: str) -> None:
    """A date written in the PBX's own format comes back as the same moment."""
    moment = datetime.fromtimestamp(seconds, UTC)
    date_format = {"%d/%m/%Y": "DD/MM/YYYY", "%m/%d/%Y": "MM/DD/YYYY"}[layout]
    assert parse_expiration(moment.strftime(f"{layout} %I:%M:%S %p"), date_format) == moment


def test_asked_once_and_only_when_needed() -> None:
    """The PBX is asked for its format at the first ambiguous date, and again only when the answer is old."""
    asked: list[int] = []
    clock = Clock()

    def information() -> SystemInformation:
        asked.append(1)
        return SystemInformation(date_format="DD/MM/YYYY")

    calendar = Calendar(information, clock)
    assert calendar.read("2027/01/16 16:00:49") == AFTERNOON
    assert not asked
    assert calendar.read("05/06/2027") == calendar.read("05/06/2027") == datetime(2027, 6, 5, tzinfo=UTC)
    assert len(asked) == 1
    clock.moment += KEPT_FOR + timedelta(seconds=1)
    calendar.read("05/06/2027")
    assert len(asked) == 2
