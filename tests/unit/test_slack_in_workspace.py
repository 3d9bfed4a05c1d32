"""The gateway against the sandbox's workspace: with the app's own manifest, and where answers get lost."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.exceptions import FileUnavailable, SlackFateUnknown, SlackRateLimited, SlackRefused
from bot.sandbox.slack import Channel, Person, RateLimits, Workspace
from bot.slack.budget import RATES, Budget
from bot.slack.files import FileInfo, fetch
from bot.slack.gateway import Gateway
from bot.slack.people import People

MANIFEST = yaml.safe_load((Path(__file__).parents[2] / "manifest.yml").read_text(encoding="utf-8"))


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace(MANIFEST, limits=RateLimits.none()) as running:
        yield running


@pytest.fixture
def ana(workspace: Workspace) -> Person:
    return workspace.add_person("ana")


@pytest.fixture
def certs(workspace: Workspace, ana: Person) -> Channel:
    return workspace.add_channel("certs", [ana])


@pytest.fixture
def slack(workspace: Workspace) -> Gateway:
    return Gateway(workspace.bot_token, workspace.url, now=now, budget=Budget({}))


def event_of(message: dict[str, Any]) -> str:
    event: str = message["metadata"]["event_payload"]["event"]
    return event


def test_the_manifests_scopes_allow_what_the_gateway_does(
    workspace: Workspace, slack: Gateway, ana: Person, certs: Channel
) -> None:
    """Every call that needs a scope is one that the app asks for."""
    group = workspace.add_group("leads", [ana])
    private = workspace.add_channel("private", [ana], private=True)
    for channel in (certs.id, private.id, slack.direct_channel(ana.id)):
        posted = slack.post(channel, blocks=[], text="x", event="e1")
        slack.update(posted.channel, posted.ts, blocks=[], text="y")
        assert slack.find(posted.channel, "e1", oldest=now()) == posted.ts
        assert slack.find(posted.channel, "e1", thread_ts=posted.ts, oldest=now()) == posted.ts
        assert posted.ts.replace(".", "") in slack.permalink(posted.channel, posted.ts)
    for channel in (certs.id, private.id):
        assert slack.channel_members_include(channel, ana.id)
        slack.ephemeral(channel, ana.id, blocks=[], text="only you")
    assert slack.group_members(group) == frozenset({ana.id})
    assert slack.identity().user == workspace.bot_user
    with pytest.raises(SlackRefused, match="refused") as caught:
        slack.file("F0NONE")
    assert caught.value.error == "file_not_found"
    assert [call.error for call in workspace.log if call.error] == ["file_not_found"]


@pytest.mark.parametrize("place", ["channel", "thread", "direct message"])
def test_a_message_whose_answer_was_lost_is_found(
    workspace: Workspace, slack: Gateway, ana: Person, certs: Channel, place: str
) -> None:
    """The connection breaks off after the message was posted; looking finds it, and there is one."""
    channel = slack.direct_channel(ana.id) if place == "direct message" else certs.id
    thread = slack.post(certs.id, blocks=[], text="card", event="card").ts if place == "thread" else None
    workspace.trouble.fail("chat.postMessage", drop=True, after_effect=True)
    began = now()
    with pytest.raises(SlackFateUnknown):
        slack.post(channel, blocks=[], text="x", thread_ts=thread, event="e1")
    found = slack.find(channel, "e1", thread_ts=thread, oldest=began)
    assert found in [message["ts"] for message in workspace.messages(channel, thread)]
    assert len([call for call in workspace.log if call.args.get("metadata", {}).get("event_payload") == {"event": "e1"}]) == 1


@pytest.mark.parametrize("trouble", [{"drop": True}, {"status": 503}, {"error": "internal_error"}])
def test_a_message_that_did_not_arrive_is_not_found(
    workspace: Workspace, slack: Gateway, certs: Channel, trouble: dict[str, Any]
) -> None:
    """The same error without the effect: looking says so."""
    workspace.trouble.fail("chat.postMessage", **trouble)
    with pytest.raises(SlackFateUnknown):
        slack.post(certs.id, blocks=[], text="x", event="e1")
    assert slack.find(certs.id, "e1", oldest=now()) is None


def test_a_message_far_back_is_found_over_several_pages(slack: Gateway, certs: Channel) -> None:
    """More messages than fit on a page lie above the one that is looked for."""
    posted = slack.post(certs.id, blocks=[], text="x", event="first")
    for number in range(205):
        slack.post(certs.id, blocks=[], text="x", event=f"e{number}")
    assert slack.find(certs.id, "first", oldest=now() - timedelta(minutes=1)) == posted.ts


def test_a_channel_without_the_bot_is_refused_by_name(workspace: Workspace, slack: Gateway, ana: Person) -> None:
    """Slack's code says what is wrong with the channel."""
    foreign = workspace.add_channel("foreign", [ana], bot=False)
    with pytest.raises(SlackRefused) as caught:
        slack.post(foreign.id, blocks=[], text="x")
    assert caught.value.error == "not_in_channel"


def test_a_plan_without_user_groups_is_reported(workspace: Workspace, slack: Gateway, ana: Person) -> None:
    """On a free plan nobody is in a group, and the reason can be told."""
    group = workspace.add_group("leads", [ana])
    people = People(slack, now)
    workspace.trouble.fail("usergroups.users.list", "plan_upgrade_required")
    assert people.members([group]) == {}
    assert people.trouble(group) == "plan_upgrade_required"
    assert people.members([group]) == {group: frozenset({ana.id})}


def test_without_the_scope_the_login_page_is_recognised() -> None:
    """A workspace whose app lacks files:read shows its login page with status 200."""
    scopes = [scope for scope in MANIFEST["oauth_config"]["scopes"]["bot"] if scope != "files:read"]
    with Workspace({**MANIFEST, "oauth_config": {"scopes": {"bot": scopes}}}) as workspace:
        url = f"{workspace.page_url}files-pri/T1-F1/download/chain.pem"
        with pytest.raises(FileUnavailable) as caught:
            fetch(FileInfo("F1", "chain.pem", 10, "U1", "", url), workspace.bot_token, workspace.url, 100)
    assert caught.value.code == "files_read_missing"


def test_whoever_waits_as_the_budget_says_is_never_told_by_slack() -> None:
    """Within the workspace's own limits no call is answered 429, however fast the bot wants to be."""
    clock = {"seconds": 0.0}
    with Workspace(MANIFEST, limits=RateLimits(1.0, lambda: clock["seconds"])) as workspace:
        ana = workspace.add_person("ana")
        channel, group = workspace.add_channel("certs", [ana]), workspace.add_group("leads", [ana])
        slack = Gateway(workspace.bot_token, workspace.url, now=now, budget=Budget(RATES, lambda: clock["seconds"]))
        ts = slack.post(channel.id, blocks=[], text="x").ts
        for call in (
            lambda: slack.post(channel.id, blocks=[], text="x"),
            lambda: slack.update(channel.id, ts, blocks=[], text="x"),
            lambda: slack.group_members(group),
        ):
            for _ in range(60):
                try:
                    call()
                except SlackRateLimited as limited:
                    clock["seconds"] += limited.retry_after
        assert len(workspace.log) > 60
        assert [call.error for call in workspace.log if call.error] == []
