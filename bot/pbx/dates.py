"""Reading ``expiration``, whose layout the vendor does not tell.

A layout that can be read in one way only is read so. Where day and month could be either, the PBX's own ``system_date_format``
decides; where that does not decide either, nothing is guessed. The PBX names no time zone: a moment without one is taken as
UTC, and can be off by the PBX's distance from it.
"""

import re
from datetime import UTC, datetime, timedelta, timezone

_TIME = r"(?:[T ,]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d+)?)?)?"
_HALF = r"(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?"
_ZONE = r"(?:\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2}))?"
_REST = _TIME + _HALF + _ZONE
_SEPARATED = r"(?P<separator>[/.-])"

_YEAR_FIRST = re.compile(rf"(?P<year>\d{{4}}){_SEPARATED}(?P<month>\d{{1,2}})(?P=separator)(?P<day>\d{{1,2}}){_REST}")
_YEAR_LAST = re.compile(rf"(?P<one>\d{{1,2}}){_SEPARATED}(?P<two>\d{{1,2}})(?P=separator)(?P<year>\d{{4}}){_REST}")
_DAY_NAME = re.compile(rf"(?P<day>\d{{1,2}})[ /.-](?P<name>[A-Za-z]{{3,9}})\.?[ ,/.-]+(?P<year>\d{{4}}){_REST}")
_NAME_DAY = re.compile(rf"(?P<name>[A-Za-z]{{3,9}})\.? +(?P<day>\d{{1,2}}),? +(?P<year>\d{{4}}){_REST}")
#: As OpenSSL prints it: ``Jan 16 16:00:49 2027 GMT``.
_OPENSSL = re.compile(
    rf"(?P<name>[A-Za-z]{{3,9}}) +(?P<day>\d{{1,2}}){_TIME}{_HALF} +(?P<year>\d{{4}}){_ZONE}",
)
_WEEKDAY = re.compile(r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? +", re.IGNORECASE)
#: Ten digits are the years 2001 to 2286.
_EPOCH = re.compile(r"\d{10}")

_FIRST_HALF = ("january", "february", "march", "april", "may", "june")
_MONTHS = (*_FIRST_HALF, "july", "august", "september", "october", "november", "december")


def parse_expiration(text: str, system_date_format: str | None = None) -> datetime | None:
    """The moment (aware, UTC), or None if it cannot be known. ``system_date_format`` is like ``DD/MM/YYYY``."""
    text = _WEEKDAY.sub("", text.strip(), count=1)
    if _EPOCH.fullmatch(text):
        return datetime.fromtimestamp(int(text), UTC)
    for layout in (_YEAR_FIRST, _DAY_NAME, _NAME_DAY, _OPENSSL):
        if match := layout.fullmatch(text):
            return _moment(match, _month(match), int(match["day"]))
    if match := _YEAR_LAST.fullmatch(text):
        month, day = _ordered(int(match["one"]), int(match["two"]), system_date_format)
        return _moment(match, month, day)
    return None


def needs_date_format(text: str) -> bool:
    """Whether only the PBX's ``system_date_format`` can tell which number is the day."""
    match = _YEAR_LAST.fullmatch(_WEEKDAY.sub("", text.strip(), count=1))
    return bool(match) and parse_expiration(text, "DD/MM/YYYY") != parse_expiration(text, "MM/DD/YYYY")


def _ordered(one: int, two: int, system_date_format: str | None) -> tuple[int, int]:
    """Month and day; month 0, which no calendar has, if it cannot be known."""
    if one == two or two > 12:
        return one, two
    if one > 12:
        return two, one
    match re.sub(r"[^DMY]+", "", (system_date_format or "").upper()):
        case "DDMMYYYY" | "DMYYYY" | "DMY":
            return two, one
        case "MMDDYYYY" | "MDYYYY" | "MDY":
            return one, two
    return 0, 0


def _month(match: re.Match[str]) -> int:
    told = match.groupdict()
    if "month" in told:
        return int(told["month"])
    name = told["name"].lower()
    return next((at for at, month in enumerate(_MONTHS, 1) if name in (month, month[:3], month[:4])), 0)


def _moment(match: re.Match[str], month: int, day: int) -> datetime | None:
    hour = _hour(int(match["hour"] or 0), match["half"])
    minute, second = int(match["minute"] or 0), int(match["second"] or 0)
    try:
        told = datetime(int(match["year"]), month, day, hour, minute, second, tzinfo=_zone(match["zone"]))
        return told.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _hour(hour: int, half: str | None) -> int:
    """On the clock of 24 hours; an hour that neither clock has becomes one that no calendar accepts."""
    if half is None:
        return hour
    if not 1 <= hour <= 12:
        return 24
    return hour % 12 + (12 if half.lower() == "p" else 0)


def _zone(zone: str | None) -> timezone:
    if zone is None or zone in ("Z", "UTC", "GMT"):
        return UTC
    sign = -1 if zone.startswith("-") else 1
    return timezone(sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:])))
