"""When it is next such a time of day, where people live."""

from datetime import UTC, datetime, time, timedelta, tzinfo


def next_time(now: datetime, at: time, zone: tzinfo) -> datetime:
    """The first moment after ``now`` at which clocks in ``zone`` show ``at``, in UTC.

    A time that is skipped when the clocks go forward comes an hour later on that day; one that comes twice counts once.
    """
    day = now.astimezone(zone).date()
    today, tomorrow = (datetime.combine(day + timedelta(days=more), at, zone).astimezone(UTC) for more in (0, 1))
    return today if today > now else tomorrow
