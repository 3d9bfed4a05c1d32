"""Who is in which user group, and who is what: read when somebody acts, once for all who wait, and never from an old answer.

An approval may rest on a membership that was read no more than 30 seconds before (promise 3). So what counts as its age is the
time *before* Slack was asked, and what cannot be read now is left out, whatever was known of it a minute ago.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from bot.domain.profile import Profile
from bot.exceptions import SlackError

T = TypeVar("T")

FRESH = timedelta(seconds=30)
#: Slack's words for somebody who is not there for us (docs.slack.dev/reference/methods/users.info).
NOBODY = frozenset({"user_not_found", "user_not_visible", "users_not_found"})
#: The trouble with an answer that did come, and is older than it may be.
TOO_SLOW = "too_slow"


class Directory(Protocol):
    """What is needed of a `bot.slack.gateway.Gateway`."""

    def group_members(self, group: str) -> frozenset[str]: ...

    def profile(self, user: str) -> Profile: ...


@dataclass
class _Reading(Generic[T]):
    """One call for one group or person, under way or over."""

    began: datetime
    landed: threading.Event = field(default_factory=threading.Event)
    found: T | None = None
    trouble: str = ""
    #: It changed while the call was under way, so the answer may be from before.
    void: bool = False

    def is_fresh(self, now: datetime, max_age: timedelta) -> bool:
        return self.found is not None and not self.void and timedelta(0) <= now - self.began <= max_age

    def known(self, now: datetime, max_age: timedelta) -> T | None:
        """What was found if it still counts. Reading the next one takes time, in which this answer ages."""
        if self.is_fresh(now, max_age):
            return self.found
        self.trouble = self.trouble or TOO_SLOW
        return None


class _Readings(Generic[T]):
    """The latest reading of each key, by one way to ask. Thread-safe."""

    def __init__(self, ask: Callable[[str], T], now: Callable[[], datetime]) -> None:
        self._ask = ask
        self._now = now
        self._lock = threading.Lock()
        self._readings: dict[str, _Reading[T]] = {}

    def read(self, keys: Iterable[str], max_age: timedelta) -> dict[str, T]:
        readings = {key: self._read(key, max_age) for key in dict.fromkeys(keys)}
        with self._lock:
            now = self._now()
            return {key: found for key, reading in readings.items() if (found := reading.known(now, max_age)) is not None}

    def known(self, keys: Iterable[str], max_age: timedelta) -> dict[str, T]:
        """What `read` would give without asking Slack."""
        with self._lock:
            now, readings = self._now(), [(key, self._readings.get(key)) for key in keys]
            fresh = ((key, reading.found) for key, reading in readings if reading and reading.is_fresh(now, max_age))
            return {key: found for key, found in fresh if found is not None}

    def trouble(self, key: str) -> str | None:
        with self._lock:
            reading = self._readings.get(key)
            return reading.trouble or None if reading else None

    def forget(self, key: str) -> None:
        with self._lock:
            reading = self._readings.pop(key, None)
            if reading:
                reading.void = True

    def _read(self, key: str, max_age: timedelta) -> _Reading[T]:
        """A reading that is over: a fresh one, or one that failed, or our own that took too long."""
        while True:
            reading, is_ours = self._join(key, max_age)
            if is_ours:
                self._carry_out(key, reading)
            reading.landed.wait()
            with self._lock:
                is_final = not reading.void and (is_ours or bool(reading.trouble))
                if is_final or reading.is_fresh(self._now(), max_age):
                    return reading

    def _join(self, key: str, max_age: timedelta) -> tuple[_Reading[T], bool]:
        """A reading that may serve, and whether the caller has to carry it out."""
        with self._lock:
            reading = self._readings.get(key)
            if reading and (not reading.landed.is_set() or reading.is_fresh(self._now(), max_age)):
                return reading, False
            reading = self._readings[key] = _Reading(self._now())
            return reading, True

    def _carry_out(self, key: str, reading: _Reading[T]) -> None:
        """One call. However it ends, those who wait are woken."""
        trouble = "interrupted"
        try:
            reading.found = self._ask(key)
            trouble = ""
        except SlackError as error:
            trouble = error.code
        finally:
            reading.trouble = trouble
            reading.landed.set()


class People:
    """Thread-safe. ``now`` gives aware datetimes."""

    def __init__(self, directory: Directory, now: Callable[[], datetime]) -> None:
        self._groups = _Readings(lambda group: directory.group_members(group), now)
        self._profiles = _Readings(lambda user: directory.profile(user), now)

    def members(self, groups: Iterable[str], max_age: timedelta = FRESH) -> dict[str, frozenset[str]]:
        """The members of each group, none older than ``max_age``; a group that could not be read is missing."""
        return self._groups.read(groups, max_age)

    def known(self, groups: Iterable[str], max_age: timedelta = FRESH) -> dict[str, frozenset[str]]:
        """What `members` would give without asking Slack. With an old ``max_age`` good for an offer, and not for a decision."""
        return self._groups.known(groups, max_age)

    def trouble(self, group: str) -> str | None:
        """Slack's code for why the group could not be read the last time, or ours; None if it could.

        `TOO_SLOW` means that Slack took longer to answer than the answer may be old.
        """
        return self._groups.trouble(group)

    def forget(self, group: str) -> None:
        """The group has changed (event ``subteam_members_changed``): what was read, or is being read, no longer counts."""
        self._groups.forget(group)

    def profile(self, user: str, max_age: timedelta = FRESH) -> Profile | None:
        """What somebody is, no older than ``max_age``; None when Slack could not be asked."""
        return self._profiles.read((user,), max_age).get(user)

    def profile_trouble(self, user: str) -> str | None:
        """As `trouble`, for `profile`."""
        return self._profiles.trouble(user)
