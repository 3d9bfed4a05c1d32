"""How often we may call: a token bucket for each method, so that we wait by ourselves instead of being told to.

The numbers are a little below those of docs.slack.dev/apis/web-api/rate-limits and of each method's own page, because a call
takes its time to Slack and two may arrive closer together than they left.

Whoever has to wait and says who it is gets a turn: its call is taken from the budget now, for the moment at which it comes
back. So a crowd is served in the order of its coming, each comes back once, and nobody who comes later overtakes.

The budget is this process's. Replicas share the workspace's limit without knowing of each other; a 429 tells that somebody else
calls, too, and each time the pace is halved. It grows back by itself, so that replicas find their shares and one that is left
alone has all of it again.
"""

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Rate:
    """So many calls a minute, after at most ``burst`` at once; for every channel apart, or for the workspace.

    ``overall`` is for all channels together, where each has its own rate.
    """

    per_minute: float
    burst: int
    by_channel: bool = False
    overall: "Rate | None" = None

    @property
    def per_second(self) -> float:
        return self.per_minute / 60


TIER_2, TIER_3, TIER_4 = Rate(18, 5), Rate(45, 12), Rate(90, 30)
#: "One message per second per channel", and "several hundred messages per minute" for a workspace.
MESSAGES = Rate(54, 6, by_channel=True, overall=Rate(200, 40))

#: Methods that are missing here are not budgeted: the other ``views.*``, because a trigger id lives for three seconds and
#: waiting would only change the error, and those whose limits are out of our reach.
RATES: Mapping[str, Rate] = {
    "chat.delete": TIER_3,
    "chat.postMessage": MESSAGES,
    "chat.postEphemeral": TIER_4,
    "chat.update": TIER_3,
    "conversations.history": TIER_3,
    "conversations.members": TIER_4,
    "conversations.open": TIER_3,
    "conversations.replies": TIER_3,
    "files.info": TIER_4,
    "usergroups.users.list": TIER_2,
    "views.publish": TIER_4,
    "users.info": TIER_4,
}

#: Buckets and turns beyond which those that mean nothing any more are forgotten; a full bucket and none are the same.
_MANY = 1000
#: Below this a bucket lacks nothing but the rounding of a float; so many seconds too early are not early.
_ROUNDING = 1e-6
#: So much of a call may lack at somebody's turn.
_NEARLY = 1e-3
#: Seconds after which a turn is lost that nobody took.
_MISSED = 120.0
#: The smallest part of a rate that 429s leave us, and how many seconds it takes to grow back from none to all.
_LEAST, _GROWS_IN = 1 / 16, 600.0

#: In place of a channel: all of them together.
_ALL = "*"

_Key = tuple[str, str]


@dataclass
class _Bucket:
    """``level`` calls may be made at ``at``, which lies ahead after a 429; below zero are turns that were given.

    ``left`` is the same without those turns: what Slack has counted of us. It keeps a crowd that comes back late from calling
    all at once.
    """

    rate: Rate
    level: float
    at: float
    left: float
    share: float = 1.0

    @property
    def pace(self) -> float:
        """Calls a second, as long as nobody says 429."""
        return self.rate.per_second * self.share

    @property
    def is_full(self) -> bool:
        return self.level >= self.rate.burst and self.share >= 1

    def refill(self, now: float) -> None:
        passed = now - self.at
        if passed > 0:
            self.level = min(self.rate.burst, self.level + passed * self.pace)
            self.left = min(self.rate.burst, self.left + passed * self.pace)
            self.share = min(1.0, self.share + passed / _GROWS_IN)
            self.at = now

    def wait(self, now: float) -> float:
        """Seconds until there is a call for somebody who comes now."""
        missing = 1 - self.level
        return max(0.0, self.at - now) + (missing / self.pace if missing > _ROUNDING else 0.0)

    def late(self) -> float:
        """Seconds until somebody whose turn has come may call; 0 unless many come late."""
        missing = 1 - self.left
        return missing / self.pace if missing > _NEARLY else 0.0

    def call(self) -> None:
        """Somebody calls who had no turn."""
        self.level -= 1
        self.left -= 1


class Budget:
    """Thread-safe. ``clock`` counts seconds and never goes back."""

    def __init__(self, rates: Mapping[str, Rate] = RATES, clock: Callable[[], float] = time.monotonic) -> None:
        self._rates = rates
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[_Key, _Bucket] = {}
        #: When each of those who wait may call.
        self._turns: dict[tuple[_Key, str], float] = {}

    @property
    def remembered(self) -> int:
        """How many buckets are kept in memory."""
        return len(self._buckets)

    @property
    def waiting(self) -> int:
        """How many turns are kept in memory."""
        return len(self._turns)

    def reserve(self, method: str, channel: str = "", who: str = "", *, begun: bool = False) -> float:
        """Take one call and return 0, or return the seconds until there will be one.

        With ``who`` that one is kept for them: they come back after so many seconds and say who they are. Without, nothing is
        taken. What is ``begun`` (the next page of a search) does not wait for others, only for Slack.
        """
        rate = self._rates.get(method)
        if rate is None:
            return 0.0
        with self._lock:
            now, own = self._clock(), _key(rate, method, channel)
            gates = [(own, rate)] if self._has_turn(own, who, now) else self._gates(own, rate)
            if not who:
                return self._take_all(gates, now, begun=begun)
            return next((wait for key, each in gates if (wait := self._pass(key, each, who, now)) > 0), 0.0)

    def _gates(self, own: _Key, rate: Rate) -> list[tuple[_Key, Rate]]:
        """In the order in which a call comes by them. Its own is the last, for what waits there must go when its turn comes."""
        return [(own, rate)] if rate.overall is None else [((own[0], _ALL), rate.overall), (own, rate)]

    def _take_all(self, gates: Sequence[tuple[_Key, Rate]], now: float, *, begun: bool) -> float:
        buckets = [self._bucket(key, rate, now) for key, rate in gates]
        wait = max(bucket.wait(now) for bucket in buckets)
        if wait > 0 and not (begun and all(bucket.at <= now for bucket in buckets)):
            return wait
        for bucket in buckets:
            bucket.call()
        return 0.0

    def _pass(self, key: _Key, rate: Rate, who: str, now: float) -> float:
        """0 if they may go on; a turn that has come was paid for when it was given."""
        bucket = self._bucket(key, rate, now)
        if self._has_turn(key, who, now):
            return self._take_turn(bucket, (key, who), now)
        wait = bucket.wait(now)
        if wait > 0:
            bucket.level -= 1
            self._give((key, who), now, wait)
        else:
            bucket.call()
        return wait

    def _take_turn(self, bucket: _Bucket, turn: tuple[_Key, str], now: float) -> float:
        wait = self._turns[turn] - now
        if wait > _ROUNDING:
            return wait
        if (late := bucket.late()) > 0:
            self._turns[turn] = now + late
            return late
        bucket.left -= 1
        del self._turns[turn]
        return 0.0

    def _has_turn(self, key: _Key, who: str, now: float) -> bool:
        return now - self._turns.get((key, who), -math.inf) <= _MISSED

    def exhausted(self, method: str, channel: str, retry_after: float) -> None:
        """Slack said 429: nothing goes out for ``retry_after`` seconds, then those who wait, one by one, slower than before."""
        rate = self._rates.get(method)
        if rate is None:
            return
        with self._lock:
            key = _key(rate, method, channel)
            bucket = self._bucket(key, rate, self._clock())
            bucket.share = max(_LEAST, bucket.share / 2)
            bucket.at = max(bucket.at, self._clock() + retry_after)
            waiting = sorted((at, turn) for turn, at in self._turns.items() if turn[0] == key)
            bucket.level = min(bucket.level + 1, 1.0 - len(waiting))  # what was refused was no call
            bucket.left = min(bucket.left + 1, 1.0)
            for place, (at, turn) in enumerate(waiting):
                self._turns[turn] = max(at, bucket.at + place / bucket.pace)

    def _give(self, turn: tuple[_Key, str], now: float, wait: float) -> None:
        if len(self._turns) >= _MANY:
            self._turns = {each: at for each, at in self._turns.items() if at > now - _MISSED}
        self._turns[turn] = now + wait

    def _bucket(self, key: _Key, rate: Rate, now: float) -> _Bucket:
        if key not in self._buckets:
            self._forget_full(now)
            self._buckets[key] = _Bucket(rate, rate.burst, now, rate.burst)
        bucket = self._buckets[key]
        bucket.refill(now)
        return bucket

    def _forget_full(self, now: float) -> None:
        if len(self._buckets) < _MANY:
            return
        for bucket in self._buckets.values():
            bucket.refill(now)
        self._buckets = {key: bucket for key, bucket in self._buckets.items() if not bucket.is_full}


def _key(rate: Rate, method: str, channel: str) -> _Key:
    return (method, channel if rate.by_channel else "")
