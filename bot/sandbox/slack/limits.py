"""Slack's rate limits as token buckets (docs.slack.dev/apis/web-api/rate-limits)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

#: Calls a minute by the method's page; methods not named here are not limited.
PER_MINUTE: dict[str, float] = {
    "apps.connections.open": 50,
    "chat.update": 50,
    "chat.delete": 50,
    "chat.postEphemeral": 100,
    "conversations.history": 50,
    "conversations.replies": 50,
    "conversations.open": 50,
    "conversations.info": 50,
    "conversations.members": 100,
    "files.info": 100,
    "files.delete": 50,
    "usergroups.list": 20,
    "usergroups.users.list": 20,
    "users.info": 100,
    "views.open": 100,
    "views.publish": 100,
    "views.push": 100,
    "views.update": 100,
}
#: Messages to one channel: about one a second, with a short burst above it.
MESSAGES_A_MINUTE = 60.0
MESSAGE_BURST = 8.0


@dataclass
class Bucket:
    """`capacity` calls at once, refilled by `rate` a second."""

    capacity: float
    rate: float
    level: float = field(init=False)
    at: float = field(init=False)

    def __post_init__(self) -> None:
        self.level, self.at = self.capacity, -math.inf

    def take(self, now: float) -> float:
        """Take one; 0.0 if there was one, else the seconds until there is."""
        if self.at > -math.inf:
            self.level = min(self.capacity, self.level + (now - self.at) * self.rate)
        self.at = now
        if self.level >= 1:
            self.level -= 1
            return 0.0
        return (1 - self.level) / self.rate


class RateLimits:
    """Call `wait` for every call; it is not thread-safe by itself and is used under the workspace's lock."""

    def __init__(self, factor: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._factor = factor
        self._clock = clock
        self._buckets: dict[tuple[str, str], Bucket] = {}

    @classmethod
    def slack(cls) -> RateLimits:
        """The documented limits."""
        return cls(1.0)

    @classmethod
    def times(cls, factor: float) -> RateLimits:
        """The documented limits, `factor` times as generous."""
        return cls(factor)

    @classmethod
    def none(cls) -> RateLimits:
        """No limits at all."""
        return cls(None)

    def wait(self, method: str, channel: str = "") -> int:
        """Whole seconds for ``Retry-After``, or 0 if the call may go on. Only messages are counted by channel."""
        if self._factor is None:
            return 0
        if method == "chat.postMessage":
            bucket = self._bucket(method, channel, MESSAGE_BURST, MESSAGES_A_MINUTE)
        elif method in PER_MINUTE:
            bucket = self._bucket(method, "", PER_MINUTE[method], PER_MINUTE[method])
        else:
            return 0
        return math.ceil(bucket.take(self._clock()))

    def _bucket(self, method: str, channel: str, capacity: float, per_minute: float) -> Bucket:
        key = (method, channel)
        if key not in self._buckets:
            factor = self._factor or 1.0
            self._buckets[key] = Bucket(capacity * factor, per_minute * factor / 60)
        return self._buckets[key]
