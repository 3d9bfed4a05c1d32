"""Maintenance windows: when a PBX may be changed, by the clock on the wall where it stands.

A window is open whenever that clock shows a time within it. So an hour that the clocks skip opens nothing, one that they show
twice opens twice, and nobody has to know how many hours lie between two moments.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAILY = "daily"
HOW = 'must be a window such as "Sat 22:00-04:00", "Mon-Fri 01:00-03:00" or "daily 02:00-03:00"'

_TIME = r"([01]\d|2[0-3]):([0-5]\d)"
_WINDOW = re.compile(rf"(?P<days>[A-Za-z]+(?:-[A-Za-z]+)?) +(?P<begin>{_TIME}) ?- ?(?P<end>{_TIME}|24:00)")
_MIDNIGHT = time(0)
_UTC = ZoneInfo("UTC")
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Window:
    """Some days of the week (Monday is 0) from one time to another; up to that time of the next day, if it is not later."""

    days: tuple[int, ...]
    begin: time
    end: time

    def is_open(self, wall: datetime) -> bool:
        """Whether it is at what the clock on the wall shows."""
        today, yesterday = wall.weekday() in self.days, (wall.weekday() - 1) % 7 in self.days
        shown = wall.time()
        if self.begin < self.end:
            return today and self.begin <= shown < self.end
        return (today and shown >= self.begin) or (yesterday and shown < self.end)

    def __str__(self) -> str:
        end = "24:00" if self.end == _MIDNIGHT else f"{self.end:%H:%M}"
        return f"{_named(self.days)} {self.begin:%H:%M}-{end}"


def parse(text: str) -> Window:
    """Raises ValueError with the rest of a sentence that begins with the key's name."""
    found = _WINDOW.fullmatch(text.strip())
    days = _days(found["days"]) if found else ()
    if not found or not days:
        raise ValueError(HOW)
    if found["begin"] == found["end"]:
        raise ValueError('ends when it begins; a whole day is written as "Sun 00:00-24:00"')
    return Window(days, _time(found["begin"]), _time(found["end"]))


@dataclass(frozen=True)
class Windows:
    """All windows of a PBX, by the clock of its time zone. Without any it may be changed at all times."""

    each: tuple[Window, ...] = ()
    zone: ZoneInfo = _UTC

    def __bool__(self) -> bool:
        return bool(self.each)

    def __str__(self) -> str:
        """As people read them: "Sat 22:00-04:00, daily 02:00-03:00 (Europe/Berlin)"."""
        return f"{', '.join(map(str, self.each))} ({self.zone.key})" if self.each else "at all times"

    def is_open(self, at: datetime) -> bool:
        """Whether it may be changed at this moment, which must be aware of its time zone."""
        wall = at.astimezone(self.zone)
        return not self.each or any(window.is_open(wall) for window in self.each)

    def next_opening(self, at: datetime) -> datetime:
        """The first moment from ``at`` on at which one is open: ``at`` itself if one is, and else in UTC."""
        if self.is_open(at):
            return at
        return min(moment for moment in self._openings(at) if moment > at and self.is_open(moment))

    def _openings(self, at: datetime) -> Iterator[datetime]:
        """Every moment around and after ``at`` at which one may open: where one begins, and where the clocks are changed.

        For two weeks, because what a change of the clocks takes away in this one is there in the next.
        """
        today = at.astimezone(self.zone).date()
        for day in (today + number * _DAY for number in range(-1, 16)):
            yield from self._changes(datetime.combine(day, _MIDNIGHT, self.zone).astimezone(UTC))
            for window in self.each:
                for fold in (0, 1):  # an hour that the clocks show twice holds two beginnings
                    yield datetime.combine(day, window.begin.replace(fold=fold), self.zone).astimezone(UTC)

    def _changes(self, midnight: datetime) -> Iterator[datetime]:
        """The moment of the 24 hours from then at which the zone's clocks are changed, to the second."""
        before, after = midnight, midnight + _DAY
        if self._offset(before) == self._offset(after):
            return
        old = self._offset(before)
        while after - before > timedelta(seconds=1):
            middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
            before, after = (middle, after) if self._offset(middle) == old else (before, middle)
        yield after

    def _offset(self, moment: datetime) -> timedelta | None:
        return moment.astimezone(self.zone).utcoffset()


def _days(text: str) -> tuple[int, ...]:
    """Their numbers in order; none where this is no day."""
    if text.casefold() == DAILY:
        return tuple(range(7))
    known = {name.casefold(): number for number, name in enumerate(DAYS)}
    first, _, last = text.casefold().partition("-")
    if first not in known or (last or first) not in known:
        return ()
    begin, end = known[first], known[last or first]
    return tuple(sorted((begin + step) % 7 for step in range((end - begin) % 7 + 1)))


def _named(days: tuple[int, ...]) -> str:
    """As `_days` reads them: one day, or from one day to another, maybe over the week's end."""
    if len(days) == 7:
        return DAILY
    first = next(day for day in days if (day - 1) % 7 not in days)
    last = (first + len(days) - 1) % 7
    return DAYS[first] if first == last else f"{DAYS[first]}-{DAYS[last]}"


def _time(text: str) -> time:
    return _MIDNIGHT if text == "24:00" else time.fromisoformat(text)
