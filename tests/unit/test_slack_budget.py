"""The budget: how often each method may be called."""

import threading
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.budget import RATES, Budget, Rate


@dataclass
class Clock:
    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


def spend(budget: Budget, method: str, channel: str = "") -> int:
    """Calls until the budget says wait."""
    count = 0
    while budget.reserve(method, channel) == 0:
        count += 1
    return count


def test_after_the_burst_it_says_how_long_to_wait() -> None:
    """The wait is exactly until the next call is there, and saying so costs nothing."""
    clock = Clock()
    budget = Budget({"m": Rate(30, 3)}, clock)
    assert spend(budget, "m") == 3
    assert budget.reserve("m") == budget.reserve("m") == pytest.approx(2.0)
    clock.seconds += 0.5
    assert budget.reserve("m") == pytest.approx(1.5)


@given(st.integers(1, 200), st.integers(1, 30), st.floats(0.001, 1e5))
def test_whoever_waits_as_told_may_call(per_minute: int, burst: int, passed: float) -> None:
    """The announced wait is enough, whatever the rate and however floats round."""
    clock = Clock()
    budget = Budget({"m": Rate(per_minute, burst)}, clock)
    spend(budget, "m")
    clock.seconds += passed
    spend(budget, "m")
    clock.seconds += budget.reserve("m")
    assert budget.reserve("m") == 0


def test_messages_are_counted_by_channel_and_updates_together() -> None:
    """chat.postMessage has a limit for each channel, chat.update one for the workspace."""
    budget = Budget(clock=Clock())
    assert spend(budget, "chat.postMessage", "C1") == RATES["chat.postMessage"].burst
    assert budget.reserve("chat.postMessage", "C2") == 0
    assert spend(budget, "chat.update", "C1") == RATES["chat.update"].burst
    assert budget.reserve("chat.update", "C2") > 0


def test_views_are_never_held_back() -> None:
    """A trigger id lives for three seconds, so opening a view does not wait."""
    budget = Budget(clock=Clock())
    budget.exhausted("views.open", "", 30)
    assert all(budget.reserve("views.open") == 0 for _ in range(1000))


def test_a_429_empties_the_bucket_until_its_time_is_over() -> None:
    """Nothing goes out before Retry-After, one call right after it, and no burst."""
    clock = Clock()
    budget = Budget({"m": Rate(60, 5)}, clock)
    budget.exhausted("m", "", 30)
    assert budget.reserve("m") == pytest.approx(30)
    clock.seconds += 29
    assert budget.reserve("m") == pytest.approx(1)
    clock.seconds += 1
    assert spend(budget, "m") == 1


def test_a_shorter_429_does_not_shorten_a_longer_one() -> None:
    """Two threads can be told to wait; the longer wait holds."""
    budget = Budget({"m": Rate(60, 5)}, Clock())
    budget.exhausted("m", "", 30)
    budget.exhausted("m", "", 2)
    assert budget.reserve("m") == pytest.approx(30)


def test_it_is_exact_under_many_threads() -> None:
    """However many threads ask at once, exactly the burst goes through."""
    budget = Budget({"m": Rate(1, 20)}, Clock())
    granted: list[int] = []
    start = threading.Barrier(16)

    def ask() -> None:
        start.wait()
        granted.extend(1 for _ in range(10) if budget.reserve("m") == 0)

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(granted) == 20


def test_full_buckets_are_forgotten_and_spent_ones_are_not() -> None:
    """Thousands of direct messages do not pile up in memory, and forgetting gives nobody a second burst."""
    clock = Clock()
    budget = Budget({"m": Rate(60, 2, by_channel=True)}, clock)
    for number in range(1500):
        budget.reserve("m", f"D{number}")
    clock.seconds += 10
    budget.exhausted("m", "D0", 600)
    for number in range(1500, 2500):
        budget.reserve("m", f"D{number}")
    assert budget.remembered < 1100
    assert budget.reserve("m", "D0") > 500
