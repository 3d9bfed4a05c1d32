"""Misbehaviour on request: slow calls, refused calls, answers that never arrive."""

from __future__ import annotations

import threading
from dataclasses import dataclass

#: Names under which what is no Web API method can be troubled (and is logged).
RESPONSE_URL = "response_url"
DOWNLOAD = "files.download"


@dataclass
class Failure:
    """How a call goes wrong. `after_effect`: what was asked has happened all the same."""

    error: str = "internal_error"
    status: int = 200
    after_effect: bool = False
    retry_after: int | None = None
    drop: bool = False
    hang: bool = False


@dataclass
class _Rule:
    method: str
    failure: Failure
    left: int
    skip: int


@dataclass
class Fate:
    """What awaits one call: seconds before its effect, seconds between effect and answer, and a failure."""

    before: float = 0.0
    after: float = 0.0
    failure: Failure | None = None


class Trouble:
    """Told by tests, asked by the server. ``"*"`` stands for every method, downloads and response_urls included."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._before: dict[str, float] = {}
        self._after: dict[str, float] = {}
        self._failures: list[_Rule] = []

    def delay(self, method: str, seconds: float, *, before: bool = False) -> None:
        """Hold back the answer for `seconds` after the effect, or the effect too where `before` is set."""
        with self._lock:
            (self._before if before else self._after)[method] = seconds

    def fail(
        self,
        method: str,
        error: str = "internal_error",
        *,
        status: int = 200,
        times: int = 1,
        after_effect: bool = False,
        retry_after: int | None = None,
        drop: bool = False,
        hang: bool = False,
        skip: int = 0,
    ) -> None:
        """Let `times` calls fail, after `skip` that do not.

        `drop` closes the connection without an answer, `hang` keeps it open without one until the caller gives up.
        """
        if retry_after is not None and status == 200:
            status, error = 429, "ratelimited"
        failure = Failure(error, status, after_effect, retry_after, drop, hang)
        with self._lock:
            self._failures.append(_Rule(method, failure, times, skip))

    @property
    def pending(self) -> int:
        """How many failures were told and are not used up."""
        with self._lock:
            return len(self._failures)

    def clear(self) -> None:
        """Behave again."""
        with self._lock:
            self._before.clear()
            self._after.clear()
            self._failures.clear()

    def take(self, method: str) -> Fate:
        """The fate of one call to `method`; a failure is used up by this."""
        with self._lock:
            return Fate(self._delay(self._before, method), self._delay(self._after, method), self._failure(method))

    def _delay(self, table: dict[str, float], method: str) -> float:
        return table.get(method, table.get("*", 0.0))

    def _failure(self, method: str) -> Failure | None:
        for rule in self._failures:
            if rule.method in (method, "*") and rule.skip > 0:
                rule.skip -= 1
            elif rule.method in (method, "*"):
                rule.left -= 1
                if rule.left <= 0:
                    self._failures.remove(rule)
                return rule.failure
        return None
