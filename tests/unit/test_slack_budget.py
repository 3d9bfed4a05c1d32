"""The budget: how often each method may be called."""

import heapq
import threading
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.slack import RateLimits
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


def wait_for(budget: Budget, who: str, channel: str = "") -> float:
    return budget.reserve("m", channel, who)


def test_a_crowd_is_served_in_the_order_of_its_coming() -> None:
    """Each of those who wait is told another moment, and at that moment has its call, whoever comes meanwhile."""
    clock = Clock()
    budget = Budget({"m": Rate(60, 1)}, clock)
    assert wait_for(budget, "first") == 0
    told = [wait_for(budget, f"crowd {number}") for number in range(5)]
    assert told == pytest.approx([1, 2, 3, 4, 5])
    for number in range(5):
        clock.seconds += 1
        assert wait_for(budget, f"late {number}") == pytest.approx(5)
        assert wait_for(budget, f"crowd {number}") == 0


def test_whoever_asks_too_early_keeps_its_turn() -> None:
    """Asking again before the time costs nothing and gains nothing."""
    clock = Clock()
    budget = Budget({"m": Rate(60, 1)}, clock)
    wait_for(budget, "first")
    assert [wait_for(budget, "second") for _ in range(3)] == pytest.approx([1, 1, 1])
    assert wait_for(budget, "third") == pytest.approx(2)
    clock.seconds += 0.4
    assert wait_for(budget, "second") == pytest.approx(0.6)


def test_a_turn_is_taken_once_and_not_kept_for_ever() -> None:
    """After its call, and long after a call that nobody made, everybody waits like all others."""
    clock = Clock()
    budget = Budget({"m": Rate(60, 1)}, clock)
    wait_for(budget, "first")
    wait_for(budget, "second")
    wait_for(budget, "never")
    clock.seconds += 1
    assert wait_for(budget, "second") == 0
    assert wait_for(budget, "second") == pytest.approx(2)
    clock.seconds += 600
    assert wait_for(budget, "somebody") == 0
    assert wait_for(budget, "never") == pytest.approx(1)


def test_what_is_begun_goes_on_at_the_cost_of_those_who_come_later() -> None:
    """The further pages of a search do not wait for a call of their own, but are paid for."""
    clock = Clock()
    budget = Budget({"m": Rate(60, 1)}, clock)
    assert [budget.reserve("m", begun=begun) for begun in (False, True, True)] == [0, 0, 0]
    assert wait_for(budget, "later") == pytest.approx(3)


def test_what_is_begun_waits_for_slack() -> None:
    """After a 429 nothing goes out, begun or not."""
    budget = Budget({"m": Rate(60, 9)}, Clock())
    budget.exhausted("m", "", 30)
    assert budget.reserve("m", begun=True) == pytest.approx(30)


def test_a_429_moves_those_who_wait_and_halves_their_pace() -> None:
    """Somebody else calls, too: the crowd keeps its order, begins after Retry-After, and comes half as fast."""
    clock = Clock()
    budget = Budget({"m": Rate(60, 1)}, clock)
    for number in range(4):
        wait_for(budget, f"{number}")
    budget.exhausted("m", "", 10)
    assert [wait_for(budget, f"{number}") for number in range(1, 5)] == pytest.approx([10, 12, 14, 16])


def test_the_pace_grows_back() -> None:
    """A replica that is alone again has all of the limit after ten minutes without a 429."""
    clock = Clock()
    budget = Budget({"m": Rate(60, 1)}, clock)
    for _ in range(9):
        budget.exhausted("m", "", 0)
    spend(budget, "m")
    slow = budget.reserve("m")
    clock.seconds += 600
    spend(budget, "m")
    assert slow == pytest.approx(16)
    assert budget.reserve("m") == pytest.approx(1)


def test_all_channels_together_have_a_limit_too() -> None:
    """Many direct messages at once stay within what a workspace may post in a minute."""
    clock = Clock()
    budget = Budget({"m": Rate(60, 2, by_channel=True, overall=Rate(30, 5))}, clock)
    assert [budget.reserve("m", f"D{number}") for number in range(5)] == [0] * 5
    assert wait_for(budget, "sixth", "D5") == pytest.approx(2)
    assert wait_for(budget, "seventh", "D6") == pytest.approx(4)
    clock.seconds += 2
    assert wait_for(budget, "sixth", "D5") == 0


def test_turns_are_not_remembered_without_end() -> None:
    """Turns that nobody took are forgotten after a while, and those that are still to come are kept."""
    clock = Clock()
    budget = Budget({"m": Rate(6000, 1)}, clock)
    wait_for(budget, "first")
    for number in range(1500):
        wait_for(budget, f"gone {number}")
    clock.seconds += 1000
    wait_for(budget, "first of the next")
    wait_for(budget, "next")
    assert budget.waiting < 10
    assert wait_for(budget, "next") > 0


def test_a_crowd_that_comes_back_late_does_not_call_at_once() -> None:
    """Everybody was held up for a minute, and all turns have come: no more than a burst goes out, and the rest one by one."""
    clock = Clock()
    budget = Budget({"m": Rate(60, 3)}, clock)
    crowd = [f"{number}" for number in range(30)]
    waits = {who: wait_for(budget, who) for who in crowd}
    clock.seconds += 60
    late = [who for who in crowd if waits[who] > 0]
    assert sum(wait_for(budget, who) == 0 for who in late) == 3
    for _ in range(5):
        clock.seconds += 1
        assert sum(wait_for(budget, who) == 0 for who in late[3:]) == 1


def test_a_crowd_in_one_channel_does_not_hold_up_another() -> None:
    """A direct message waits for the workspace's limit, and not for a channel's long queue."""
    budget = Budget({"m": Rate(60, 1, by_channel=True, overall=Rate(200, 10))}, Clock())
    for number in range(100):
        wait_for(budget, f"card {number}", "C1")
    assert wait_for(budget, "link", "D1") < 40


def test_a_crowd_that_does_as_it_is_told_never_meets_slacks_limits() -> None:
    """Five hundred cards in a channel at once, after each a message to one person: Slack's own buckets refuse none of them."""
    clock = Clock(0.0)
    budget, slack = Budget(clock=clock), RateLimits(1.0, clock)
    due = [(0.0, "C1", number) for number in range(500)]
    made, refused = 0, 0
    while due:
        clock.seconds, channel, number = heapq.heappop(due)
        wait = budget.reserve("chat.postMessage", channel, f"{channel} {number}")
        if wait > 0:
            heapq.heappush(due, (clock.seconds + wait, channel, number))
            continue
        made += 1
        refused += slack.wait("chat.postMessage", channel) > 0
        if channel == "C1":
            heapq.heappush(due, (clock.seconds, "D1", number))
    assert (made, refused) == (1000, 0)
    assert clock.seconds < 500 / 54 * 60 + 180
