"""Maintenance windows, against a clock on the wall that is read minute by minute."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.windows import Window, Windows, parse

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = timedelta(minutes=1)


def windows(*texts: str, zone: ZoneInfo = BERLIN) -> Windows:
    return Windows(tuple(map(parse, texts)), zone)


def at(text: str, zone: ZoneInfo = BERLIN, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("text", "days", "told"),
    [
        ("Sat 22:00-04:00", (5,), "Sat 22:00-04:00"),
        ("Mon-Fri 01:00-03:00", (0, 1, 2, 3, 4), "Mon-Fri 01:00-03:00"),
        ("fri-MON 01:00 - 03:00", (0, 4, 5, 6), "Fri-Mon 01:00-03:00"),
        (" daily 02:00-03:00 ", (0, 1, 2, 3, 4, 5, 6), "daily 02:00-03:00"),
        ("Sun 00:00-24:00", (6,), "Sun 00:00-24:00"),
        ("Sun 12:00-00:00", (6,), "Sun 12:00-24:00"),
        ("Mon-Sun 02:00-03:00", (0, 1, 2, 3, 4, 5, 6), "daily 02:00-03:00"),
        ("Sun-Mon 02:00-03:00", (0, 6), "Sun-Mon 02:00-03:00"),
    ],
)
def test_written(text: str, days: tuple[int, ...], told: str) -> None:
    """One day, some days in a row, or every day; and a window is told as it could be written."""
    window = parse(text)
    assert (window.days, str(window)) == (days, told)
    assert parse(str(window)) == window


@pytest.mark.parametrize(
    "text",
    ["", "Sat", "22:00-04:00", "Sat 22:00", "Sat 22-04", "Sat 24:00-04:00", "Sat 22:60-04:00", "Sa 22:00-04:00",
     "Sat 22:00-04:00-05:00", "Sat,Sun 22:00-04:00", "daily-Mon 01:00-02:00", "Sat-daily 01:00-02:00", "Sat 1:00-2:00"],
)  # fmt: skip
def test_not_a_window(text: str) -> None:
    """What is no window is refused with the rest of a sentence that shows some."""
    with pytest.raises(ValueError, match=r'^must be a window such as "Sat 22:00-04:00"'):
        parse(text)


def test_no_length() -> None:
    """A window that ends when it begins could mean nothing or a day, so it is neither."""
    with pytest.raises(ValueError, match="ends when it begins"):
        parse("Sat 02:00-02:00")


def test_none() -> None:
    """Without windows a PBX may be changed at all times."""
    assert not windows()
    assert windows().is_open(at("2026-03-03 12:00"))
    assert windows().next_opening(at("2026-03-03 12:00")) == at("2026-03-03 12:00")
    assert str(windows()) == "at all times"


def test_over_midnight() -> None:
    """A window that ends before it begins ends on the day after, and only there."""
    saturday = windows("Sat 22:00-04:00")
    open_at = [hour for hour in range(48) if saturday.is_open(at("2026-03-07 00:00") + timedelta(hours=hour))]
    assert open_at == [22, 23, 24, 25, 26, 27]
    assert saturday.next_opening(at("2026-03-08 04:00")) == at("2026-03-14 22:00")
    assert saturday.next_opening(at("2026-03-08 03:59")) == at("2026-03-08 03:59")


def test_adjacent() -> None:
    """Where one window ends another may begin, and nothing is closed in between."""
    both = windows("Sat 22:00-00:00", "Sun 00:00-02:00")
    assert both.is_open(at("2026-03-08 00:00"))
    assert both.next_opening(at("2026-03-08 00:00")) == at("2026-03-08 00:00")
    assert not both.is_open(at("2026-03-08 02:00"))


def test_the_soonest() -> None:
    """Of several windows the next to open counts, in whatever order they are written."""
    assert windows("Sun 01:00-02:00", "Wed 01:00-02:00").next_opening(at("2026-03-03 12:00")) == at("2026-03-04 01:00")


def test_clocks_put_forward() -> None:
    """On the night on which 02:00 to 03:00 is skipped, a window begins when the clock jumps into it, or not at all."""
    day = "2026-03-29"
    assert windows("daily 02:30-04:00").next_opening(at(f"{day} 01:00")) == at(f"{day} 03:00")
    assert windows("Sun 02:00-03:00").next_opening(at(f"{day} 01:00")) == at("2026-04-05 02:00")
    assert windows("daily 01:00-05:00").is_open(at(f"{day} 03:00"))


def test_clocks_put_back() -> None:
    """On the night on which 02:00 to 03:00 comes twice, a window within it opens twice, and one around it stays open."""
    day = "2026-10-25"
    twice = windows("daily 02:15-02:45")
    assert twice.next_opening(at(f"{day} 02:45")) == at(f"{day} 02:15", fold=1)
    assert twice.next_opening(at(f"{day} 02:45", fold=1)) == at("2026-10-26 02:15")
    assert windows("daily 01:00-02:30").next_opening(at(f"{day} 02:45")) == at(f"{day} 02:00", fold=1)
    around = windows("Sun 01:00-04:00")
    assert all(around.is_open(at(f"{day} 01:00") + number * MINUTE) for number in range(4 * 60))


#: Zones that change their clocks at midnight, by half an hour, at odd times, or never; one skipped a whole Friday.
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Africa/Cairo", "America/Havana", "Australia/Lord_Howe",
         "Asia/Kathmandu", "Pacific/Chatham", "America/St_Johns", "Pacific/Apia", "Africa/Casablanca")  # fmt: skip
_TIMES = st.times().map(lambda moment: moment.replace(second=0, microsecond=0))
_DAYS = st.tuples(st.integers(0, 6), st.integers(1, 7)).map(
    lambda row: tuple(sorted((row[0] + step) % 7 for step in range(row[1])))
)
_WINDOW = st.builds(Window, _DAYS, _TIMES, _TIMES).filter(lambda window: window.begin != window.end or window.begin == time(0))
#: Around the days on which clocks are changed, and anywhere else.
_CHANGES = st.sampled_from(
    ["2026-03-08", "2026-03-29", "2026-04-05", "2026-04-24", "2026-09-27", "2026-10-04", "2026-10-25", "2026-10-30",
     "2026-11-01", "2011-12-29"]
).map(lambda day: datetime.fromisoformat(day).replace(tzinfo=UTC))  # fmt: skip
_ANY_TIME = st.datetimes(datetime(2024, 1, 1), datetime(2032, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
_MOMENTS = st.builds(lambda day, minutes: day + minutes * MINUTE, _CHANGES | _ANY_TIME, st.integers(-2880, 2880))


def _oracle(each: tuple[Window, ...], zone: ZoneInfo, moment: datetime) -> bool:
    """Minutes of the week, as they are painted on a wall: a list of 10,080 fields of which some are green."""
    wall = moment.astimezone(zone)
    now = wall.weekday() * 1440 + wall.hour * 60 + wall.minute
    for window in each:
        begin, end = (value.hour * 60 + value.minute for value in (window.begin, window.end))
        length = (end - begin) % 1440 or 1440
        if any((now - day * 1440 - begin) % 10080 < length for day in window.days):
            return True
    return False


@given(st.lists(_WINDOW, min_size=1, max_size=3).map(tuple), st.sampled_from(ZONES).map(ZoneInfo), _MOMENTS)
def test_as_the_clock_on_the_wall(each: tuple[Window, ...], zone: ZoneInfo, moment: datetime) -> None:
    """Whether it is open, and when it opens next, is what somebody sees who looks at the clock there every minute."""
    moment = moment.replace(second=0, microsecond=0)
    known = Windows(each, zone)
    assert known.is_open(moment) == _oracle(each, zone, moment)
    opening, minute = known.next_opening(moment), moment
    while not _oracle(each, zone, minute):
        minute += MINUTE
    assert opening == minute
