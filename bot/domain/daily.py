"""What is due once a day, at a time of day somewhere."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def day_of(now: datetime, zone: ZoneInfo) -> date:
    return now.astimezone(zone).date()


def next_time(now: datetime, at: time, zone: ZoneInfo) -> datetime:
    """The first moment after ``now`` at which clocks there show that time, in UTC; a time that a day skips comes later by so
    much as was skipped."""
    today = day_of(now, zone)
    moments = (datetime.combine(today + timedelta(days=days), at, zone).astimezone(UTC) for days in (-1, 0, 1, 2))
    return next(moment for moment in moments if moment > now)
