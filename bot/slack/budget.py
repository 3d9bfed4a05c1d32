"""How often we may call: a token bucket for each method, so that we wait by ourselves instead of being told to.

The numbers are those of docs.slack.dev/apis/web-api/rate-limits and of each method's own page. The budget is this process's;
replicas share the workspace's limit without knowing of each other, and then Slack's 429 has the last word.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Rate:
    """So many calls a minute, after at most ``burst`` at once; for every channel apart, or for the workspace."""

    per_minute: float
    burst: int
    by_channel: bool = False

    @property
    def per_second(self) -> float:
        return self.per_minute / 60


TIER_2, TIER_3, TIER_4 = Rate(20, 5), Rate(50, 15), Rate(100, 30)

#: Methods that are missing here are not budgeted: ``views.*``, because a trigger id lives for three seconds and waiting would
#: only change the error, and those whose limits are out of our reach.
RATES: Mapping[str, Rate] = {
    "chat.postMessage": Rate(60, 8, by_channel=True),
    "chat.postEphemeral": TIER_4,
    "chat.update": TIER_3,
    "conversations.history": TIER_3,
    "conversations.members": TIER_4,
    "conversations.open": TIER_3,
    "conversations.replies": TIER_3,
    "files.info": TIER_4,
    "usergroups.users.list": TIER_2,
}

#: Buckets beyond which those that are full again are forgotten; a full bucket and none are the same.
_MANY = 1000
#: Below this a bucket lacks nothing but the rounding of a float.
_ROUNDING = 1e-6


@dataclass
class _Bucket:
    """``level`` calls may be made at ``at``; below zero after a 429, so that it is at one when its time is over."""

    level: float
    at: float

    def refill(self, rate: Rate, at: float) -> None:
        self.level = min(rate.burst, self.level + (at - self.at) * rate.per_second)
        self.at = at


class Budget:
    """Thread-safe. ``clock`` counts seconds and never goes back."""

    def __init__(self, rates: Mapping[str, Rate] = RATES, clock: Callable[[], float] = time.monotonic) -> None:
        self._rates = rates
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    @property
    def remembered(self) -> int:
        """How many buckets are kept in memory."""
        return len(self._buckets)

    def reserve(self, method: str, channel: str = "") -> float:
        """Take one call and return 0, or take nothing and return the seconds until there will be one."""
        rate = self._rates.get(method)
        if rate is None:
            return 0.0
        with self._lock:
            bucket = self._bucket(method, channel, rate)
            missing = 1 - bucket.level
            if missing > _ROUNDING:
                return missing / rate.per_second
            bucket.level -= 1
            return 0.0

    def exhausted(self, method: str, channel: str, retry_after: float) -> None:
        """Slack said 429: nothing goes out for ``retry_after`` seconds, and then one call."""
        rate = self._rates.get(method)
        if rate is None:
            return
        with self._lock:
            bucket = self._bucket(method, channel, rate)
            bucket.level = min(bucket.level, 1 - retry_after * rate.per_second)

    def _bucket(self, method: str, channel: str, rate: Rate) -> _Bucket:
        now = self._clock()
        key = (method, channel if rate.by_channel else "")
        if key not in self._buckets:
            self._forget_full(now)
            self._buckets[key] = _Bucket(rate.burst, now)
        bucket = self._buckets[key]
        bucket.refill(rate, now)
        return bucket

    def _forget_full(self, now: float) -> None:
        if len(self._buckets) < _MANY:
            return
        for (method, _), bucket in self._buckets.items():
            bucket.refill(self._rates[method], now)
        self._buckets = {key: b for key, b in self._buckets.items() if b.level < self._rates[key[0]].burst}
