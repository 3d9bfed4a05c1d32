"""Who is in which user group: read when somebody clicks, once for all who wait, and never from an old answer.

An approval may rest on a membership that was read no more than 30 seconds before (promise 3). So what counts as its age is the
time *before* Slack was asked, and a group that cannot be read now is left out, whatever was known of it a minute ago.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from bot.exceptions import SlackError

FRESH = timedelta(seconds=30)


class Groups(Protocol):
    """What is needed of a `bot.slack.gateway.Gateway`."""

    def group_members(self, group: str) -> frozenset[str]: ...


@dataclass
class _Reading:
    """One call for one group, under way or over."""

    began: datetime
    landed: threading.Event = field(default_factory=threading.Event)
    members: frozenset[str] | None = None
    trouble: str = ""
    #: The group changed while the call was under way, so its answer may be from before.
    void: bool = False

    def is_fresh(self, now: datetime, max_age: timedelta) -> bool:
        return self.members is not None and not self.void and timedelta(0) <= now - self.began <= max_age

    def known(self, now: datetime, max_age: timedelta) -> frozenset[str] | None:
        """The members if they still count. Reading the next group takes time, in which this answer ages."""
        if self.is_fresh(now, max_age):
            return self.members
        self.trouble = self.trouble or "too_slow"
        return None


class People:
    """Thread-safe. ``now`` gives aware datetimes."""

    def __init__(self, gateway: Groups, now: Callable[[], datetime]) -> None:
        self._gateway = gateway
        self._now = now
        self._lock = threading.Lock()
        self._readings: dict[str, _Reading] = {}

    def members(self, groups: Iterable[str], max_age: timedelta = FRESH) -> dict[str, frozenset[str]]:
        """The members of each group, none older than ``max_age``; a group that could not be read is missing."""
        readings = {group: self._read(group, max_age) for group in dict.fromkeys(groups)}
        with self._lock:
            now = self._now()
            return {group: found for group, reading in readings.items() if (found := reading.known(now, max_age)) is not None}

    def known(self, groups: Iterable[str], max_age: timedelta = FRESH) -> dict[str, frozenset[str]]:
        """What `members` would give without asking Slack."""
        with self._lock:
            now, readings = self._now(), [(group, self._readings.get(group)) for group in groups]
            fresh = ((group, reading) for group, reading in readings if reading and reading.is_fresh(now, max_age))
            return {group: reading.members for group, reading in fresh if reading.members is not None}

    def trouble(self, group: str) -> str | None:
        """Slack's code for why the group could not be read the last time, or ours; None if it could.

        ``too_slow`` means that Slack took longer to answer than the answer may be old.
        """
        with self._lock:
            reading = self._readings.get(group)
            return reading.trouble or None if reading else None

    def forget(self, group: str) -> None:
        """The group has changed (event ``subteam_members_changed``): what was read, or is being read, no longer counts."""
        with self._lock:
            reading = self._readings.pop(group, None)
            if reading:
                reading.void = True

    def _read(self, group: str, max_age: timedelta) -> _Reading:
        """A reading that is over: a fresh one, or one that failed, or our own that took too long."""
        while True:
            reading, is_ours = self._join(group, max_age)
            if is_ours:
                self._ask(group, reading)
            reading.landed.wait()
            with self._lock:
                is_final = not reading.void and (is_ours or bool(reading.trouble))
                if is_final or reading.is_fresh(self._now(), max_age):
                    return reading

    def _join(self, group: str, max_age: timedelta) -> tuple[_Reading, bool]:
        """A reading that may serve, and whether the caller has to carry it out."""
        with self._lock:
            reading = self._readings.get(group)
            if reading and (not reading.landed.is_set() or reading.is_fresh(self._now(), max_age)):
                return reading, False
            reading = self._readings[group] = _Reading(self._now())
            return reading, True

    def _ask(self, group: str, reading: _Reading) -> None:
        """One call. However it ends, those who wait are woken."""
        trouble = "interrupted"
        try:
            reading.members = self._gateway.group_members(group)
            trouble = ""
        except SlackError as error:
            trouble = error.code
        finally:
            reading.trouble = trouble
            reading.landed.set()
