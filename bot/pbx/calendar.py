"""The dates of one PBX, which asks it for its date format only when a date cannot be read without."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.exceptions import PbxBadAnswer, PbxRefused
from bot.pbx.dates import needs_date_format, parse_expiration
from bot.pbx.models import SystemInformation

#: An administrator can change the format; after this long it is asked for again.
KEPT_FOR = timedelta(minutes=10)


class Calendar:
    """Reads dates as the PBX writes them. Safe to use from several threads."""

    def __init__(self, information: Callable[[], SystemInformation], now: Callable[[], datetime]) -> None:
        self._information = information
        self._now = now
        self._lock = threading.Lock()
        self._known: tuple[datetime, str] | None = None

    def read(self, text: str) -> datetime | None:
        """None if the date cannot be read in one way only. Raises PbxError if the PBX cannot be asked."""
        return parse_expiration(text, self._date_format() if needs_date_format(text) else None)

    def _date_format(self) -> str:
        with self._lock:
            if self._known is None or not self._known[0] <= self._now() < self._known[0] + KEPT_FOR:
                self._known = self._now(), self._asked()
            return self._known[1]

    def _asked(self) -> str:
        """Empty if the PBX does not tell it: a list without some dates is better than no list."""
        try:
            return self._information().date_format
        except (PbxRefused, PbxBadAnswer):
            return ""
