"""Finding one's own messages again, in a workspace as the sandbox has it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from bot.exceptions import SlackRefused
from bot.sandbox.slack import Person, RateLimits, Workspace
from bot.sandbox.slack.records import Channel
from bot.slack.budget import Budget
from bot.slack.gateway import Gateway, Posted

MANIFEST = yaml.safe_load((Path(__file__).parents[2] / "manifest.yml").read_text())


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace(MANIFEST, limits=RateLimits.none()) as workspace:
        yield workspace


@pytest.fixture
def ana(workspace: Workspace) -> Person:
    return workspace.add_person("ana")


@pytest.fixture
def channel(workspace: Workspace, ana: Person) -> Channel:
    return workspace.add_channel("certs", [ana])


@pytest.fixture
def slack(workspace: Workspace) -> Gateway:
    return Gateway(workspace.bot_token, workspace.url, now=now, budget=Budget({}))


def say(slack: Gateway, channel: Channel, event: str | None = None, **how: object) -> Posted:
    return slack.post(channel.id, blocks=[], text="hello", event=event, **how)  # type: ignore[arg-type]


def delete(workspace: Workspace, posted: Posted) -> None:
    workspace.delete({"channel": posted.channel, "ts": posted.ts})


def find(slack: Gateway, channel: Channel, event: str) -> str | None:
    return slack.find(channel.id, event, oldest=now() - timedelta(minutes=1))


def test_a_message_is_found_by_each_of_its_events(slack: Gateway, channel: Channel) -> None:
    """A message that tells of three events is found by any of them, and by no other."""
    posted = say(slack, channel, "1/17", also=["1/18", "1/19"])
    assert [find(slack, channel, event) for event in ("1/17", "1/18", "1/19")] == [posted.ts] * 3
    assert find(slack, channel, "1/1") is None


def test_it_is_found_behind_pages_of_talk(slack: Gateway, channel: Channel, ana: Person, workspace: Workspace) -> None:
    """Four hundred and fifty messages of people stand between the post and the search, which are three pages."""
    posted = say(slack, channel, "1/card")
    for number in range(450):
        ana.say(channel, f"talk {number}")
    assert find(slack, channel, "1/card") == posted.ts
    assert [call.method for call in workspace.log].count("conversations.history") == 3


def test_a_message_is_read_as_it_is_now(slack: Gateway, channel: Channel) -> None:
    """The one message, with its text of today, however many there are around it."""
    before, posted, after = (say(slack, channel) for _ in range(3))
    slack.update(channel.id, posted.ts, blocks=[], text="changed")
    assert (slack.message(channel.id, posted.ts) or {})["text"] == "changed"
    assert {(slack.message(channel.id, each.ts) or {})["text"] for each in (before, after)} == {"hello"}


def test_a_deleted_message_is_not_there(workspace: Workspace, slack: Gateway, channel: Channel) -> None:
    """Neither when it is gone without a trace nor when its thread keeps a tombstone in its place."""
    bare, threaded, left = (say(slack, channel) for _ in range(3))
    say(slack, channel, thread_ts=threaded.ts)
    delete(workspace, bare)
    delete(workspace, threaded)
    assert slack.message(channel.id, bare.ts) is None
    assert slack.message(channel.id, threaded.ts) is None
    assert slack.message(channel.id, left.ts) is not None


def test_a_tombstone_is_not_ours_to_change(workspace: Workspace, slack: Gateway, channel: Channel) -> None:
    """What stays of a deleted message belongs to Slack."""
    posted = say(slack, channel)
    say(slack, channel, thread_ts=posted.ts)
    delete(workspace, posted)
    with pytest.raises(SlackRefused) as caught:
        slack.update(channel.id, posted.ts, blocks=[], text="x")
    assert caught.value.error == "cant_update_message"


def test_the_answer_says_where_a_message_landed(workspace: Workspace, slack: Gateway, channel: Channel) -> None:
    """In its thread, or in the channel itself when the thread's first message is gone."""
    posted = say(slack, channel)
    assert say(slack, channel, thread_ts=posted.ts).thread_ts == posted.ts
    gone = say(slack, channel)
    delete(workspace, gone)
    assert say(slack, channel, thread_ts=gone.ts).thread_ts == ""


def test_ones_own_message_is_taken_back(workspace: Workspace, slack: Gateway, channel: Channel) -> None:
    """A message of ours is deleted; twice is an error, since it is not there any more."""
    posted = say(slack, channel)
    slack.delete(channel.id, posted.ts)
    assert workspace.messages(channel) == []
    with pytest.raises(SlackRefused) as caught:
        slack.delete(channel.id, posted.ts)
    assert caught.value.error == "message_not_found"
