"""What a process meant to say before it slept is held back at the last moment, when its connection to Slack already stands."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.exceptions import SlackUnreachable
from bot.slack.budget import Budget
from bot.slack.gateway import Gateway
from tests.unit.slack_api import TOKEN, SlackApi, ok

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
EARLIER = NOW - timedelta(microseconds=1)


@pytest.fixture
def api() -> Iterator[SlackApi]:
    with SlackApi() as server:
        server.answer("chat.postMessage", ok(channel="C1", ts="1.5"))
        yield server


@pytest.fixture
def slack(api: SlackApi) -> Gateway:
    return Gateway(TOKEN, api.url, now=lambda: NOW, budget=Budget({}))


CALLS: dict[str, Callable[[Gateway, datetime], object]] = {
    "chat.postMessage": lambda slack, moment: slack.post("C1", blocks=[], text="x", not_after=moment),
    "chat.update": lambda slack, moment: slack.update("C1", "1.5", blocks=[], text="x", not_after=moment),
}


@pytest.mark.parametrize("method", CALLS)
def test_nothing_is_said_too_late(api: SlackApi, slack: Gateway, method: str) -> None:
    """After its moment a message or a change leaves no byte, and it is certain that nothing happened."""
    with pytest.raises(SlackUnreachable):
        CALLS[method](slack, EARLIER)
    assert api.calls(method) == []


@pytest.mark.parametrize("method", CALLS)
def test_in_time_is_in_time(api: SlackApi, slack: Gateway, method: str) -> None:
    """At the very moment it still leaves."""
    CALLS[method](slack, NOW)
    assert len(api.calls(method)) == 1


def test_a_moment_is_for_one_call(api: SlackApi, slack: Gateway) -> None:
    """What is held back does not hold back what comes after it."""
    with pytest.raises(SlackUnreachable):
        CALLS["chat.update"](slack, EARLIER)
    slack.post("C1", blocks=[], text="x")
    assert len(api.calls("chat.postMessage")) == 1
