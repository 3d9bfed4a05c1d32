"""The same time of day, day after day, where clocks are changed."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.domain.daily import next_time

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("zone", "at", "first", "offsets"),
    [
        (BERLIN, time(9), date(2026, 3, 27), [8, 8, 7, 7]),  # forward on the 29th
        (BERLIN, time(9), date(2026, 10, 23), [7, 7, 8, 8]),  # back on the 25th
        (BERLIN, time(2, 30), date(2026, 3, 28), [1.5, 1.5, 0.5]),  # 02:30 is skipped on the 29th, so it is 03:30
        (BERLIN, time(2, 30), date(2026, 10, 24), [0.5, 0.5, 1.5]),  # it is 02:30 twice on the 25th
        (NEW_YORK, time(9), date(2026, 3, 7), [14, 13, 13]),
        (ZoneInfo("UTC"), time(0), date(2026, 2, 27), [0, 0, 0]),
    ],
)
def test_once_on_each_day(zone: ZoneInfo, at: time, first: date, offsets: list[float]) -> None:
    """It comes once on each day, at that time on the wall; on a day without that time, an hour later."""
    moment = datetime(first.year, first.month, first.day, tzinfo=zone) - timedelta(minutes=1)
    for day, offset in enumerate(offsets):
        moment = next_time(moment, at, zone)
        expected = datetime(first.year, first.month, first.day, tzinfo=UTC) + timedelta(days=day, hours=offset)
        assert moment == expected
