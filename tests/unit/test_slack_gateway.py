"""What leaves for Slack, and what is made of the answers."""

import json
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.exceptions import SlackFateUnknown, SlackRateLimited, SlackRefused
from bot.slack.budget import Budget, Rate
from bot.slack.files import FileInfo
from bot.slack.gateway import CLOCK_SKEW, EVENT_TYPE, Gateway, Identity, Opened, Posted
from tests.unit.slack_api import TOKEN, Reply, Sent, SlackApi, ok, refusal

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
BLOCKS = [{"type": "section", "text": {"type": "mrkdwn", "text": "Grüße & <b>"}}]
VIEW = {"type": "modal", "title": {"type": "plain_text", "text": "Certificate"}, "blocks": BLOCKS}
ME = {"user_id": "U0BOT", "bot_id": "B0BOT", "team_id": "T1"}


@pytest.fixture
def api() -> Iterator[SlackApi]:
    with SlackApi() as server:
        server.answer("auth.test", ok(**ME))
        server.answer("chat.postMessage", ok(channel="C1", ts="1.5"))
        server.answer("conversations.open", ok(channel={"id": "D1"}))
        yield server


@pytest.fixture
def slack(api: SlackApi) -> Gateway:
    return Gateway(TOKEN, api.url, now=lambda: NOW, budget=Budget({}))


def the_call(api: SlackApi, method: str) -> Sent:
    (sent,) = api.calls(method)
    return sent


def message(ts: str, event: str | None = "e1", user: str = "U0BOT", event_type: str = EVENT_TYPE) -> dict[str, Any]:
    found: dict[str, Any] = {"ts": ts, "user": user, "text": "x"}
    if event:
        found["metadata"] = {"event_type": event_type, "event_payload": {"event": event}}
    return found


def test_a_message_bears_its_events_id_and_nothing_else_as_metadata(api: SlackApi, slack: Gateway) -> None:
    """A post carries the blocks, the text, the thread and the event's id, with the token in the header only."""
    assert slack.post("C1", blocks=BLOCKS, text="Grüße", thread_ts="1.1", event="e1") == Posted("C1", "1.5")
    sent = the_call(api, "chat.postMessage")
    assert sent.args == {
        "channel": "C1",
        "blocks": BLOCKS,
        "text": "Grüße",
        "thread_ts": "1.1",
        "metadata": {"event_type": "pbx_cert_bot", "event_payload": {"event": "e1"}},
        "unfurl_links": False,
        "unfurl_media": False,
    }
    assert sent.headers["Authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in sent.path + json.dumps(sent.args)


def test_a_message_without_an_event_has_no_metadata(api: SlackApi, slack: Gateway) -> None:
    """What is not given is not sent, not even as null."""
    slack.post("C1", blocks=BLOCKS, text="x")
    assert the_call(api, "chat.postMessage").args.keys() == {"channel", "blocks", "text", "unfurl_links", "unfurl_media"}


def test_a_message_is_updated_in_place(api: SlackApi, slack: Gateway) -> None:
    """An update names the message and keeps its event's id."""
    slack.update("C1", "1.5", blocks=BLOCKS, text="x", event="e1")
    args = the_call(api, "chat.update").args
    assert (args["channel"], args["ts"], args["metadata"]["event_payload"]) == ("C1", "1.5", {"event": "e1"})


def test_an_ephemeral_message_names_its_only_reader(api: SlackApi, slack: Gateway) -> None:
    """Nobody but the named member sees it."""
    slack.ephemeral("C1", "U1", blocks=BLOCKS, text="x", thread_ts="1.1")
    args = the_call(api, "chat.postEphemeral").args
    assert (args["channel"], args["user"], args["thread_ts"]) == ("C1", "U1", "1.1")


def test_a_direct_message_goes_to_a_channel_that_is_known_before(api: SlackApi, slack: Gateway) -> None:
    """The channel is opened once for a user, and posting uses it."""
    slack.direct("U1", blocks=BLOCKS, text="x", event="e1")
    slack.direct("U1", blocks=BLOCKS, text="y", event="e2")
    assert slack.direct_channel("U1") == "D1"
    assert the_call(api, "conversations.open").args == {"users": "U1"}
    assert [sent.args["channel"] for sent in api.calls("chat.postMessage")] == ["D1", "D1"]


def test_a_direct_channel_that_could_not_be_opened_is_asked_for_again(api: SlackApi, slack: Gateway) -> None:
    """A failure is not remembered."""
    api.answer("conversations.open", refusal("internal_error"), ok(channel={"id": "D1"}))
    with pytest.raises(SlackFateUnknown):
        slack.direct_channel("U1")
    assert slack.direct_channel("U1") == "D1"


def test_views_are_opened_pushed_and_updated(api: SlackApi, slack: Gateway) -> None:
    """Opening gives the view's id and hash, pushing its id; an update carries the hash if there is one and gives the next."""
    api.answer("views.open", ok(view={"id": "V1", "hash": "h1"}))
    api.answer("views.push", ok(view={"id": "V2"}))
    assert (slack.open_view("t1", VIEW), slack.push_view("t2", VIEW)) == (Opened("V1", "h1"), "V2")
    api.answer("views.update", ok(view={"id": "V1", "hash": "h2"}), ok(view={"id": "V1", "hash": "h3"}))
    assert (slack.update_view("V1", VIEW, hash="h1"), slack.update_view("V1", VIEW)) == ("h2", "h3")
    assert the_call(api, "views.open").args == {"trigger_id": "t1", "view": VIEW}
    assert the_call(api, "views.push").args == {"trigger_id": "t2", "view": VIEW}
    assert [sent.args.get("hash", "none") for sent in api.calls("views.update")] == ["h1", "none"]


@pytest.mark.parametrize("answer", [ok(), ok(view=None), ok(view={"id": ""}), ok(view={"id": 5}), ok(view=[])])
def test_an_answer_that_lacks_what_it_must_have_is_of_unknown_fate(api: SlackApi, slack: Gateway, answer: Reply) -> None:
    """Slack said ok, but not to what."""
    api.answer("views.open", answer)
    with pytest.raises(SlackFateUnknown, match=r"view\.id"):
        slack.open_view("t1", VIEW)


def test_reading_methods_are_asked_with_a_form(api: SlackApi, slack: Gateway) -> None:
    """Slack's reading methods do not take JSON."""
    api.answer("chat.getPermalink", ok(permalink="https://example.slack.com/archives/C1/p15"))
    assert slack.permalink("C1", "1.5") == "https://example.slack.com/archives/C1/p15"
    sent = the_call(api, "chat.getPermalink")
    assert sent.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert sent.args == {"channel": "C1", "message_ts": "1.5"}


def test_group_members_and_identity(api: SlackApi, slack: Gateway) -> None:
    """A group is a set of user ids; the identity says who the token makes us."""
    api.answer("usergroups.users.list", ok(users=["U1", "U2", "U1"]))
    assert slack.group_members("S1") == frozenset({"U1", "U2"})
    assert slack.identity() == Identity("U0BOT", "B0BOT", "T1")


def test_membership_is_looked_for_on_every_page(api: SlackApi, slack: Gateway) -> None:
    """A member on the second page is one; when all pages are read and nobody is found, they are not."""
    first = ok(members=["U1"], response_metadata={"next_cursor": "c2"})
    api.answer("conversations.members", first, ok(members=["U2"], response_metadata={"next_cursor": ""}))
    assert slack.channel_members_include("C1", "U2")
    assert api.calls("conversations.members")[1].args["cursor"] == "c2"
    assert not slack.channel_members_include("C1", "U3")


def test_a_members_page_that_suffices_is_the_last(api: SlackApi, slack: Gateway) -> None:
    """No further page is asked for once the member is found."""
    api.answer("conversations.members", ok(members=["U1"], response_metadata={"next_cursor": "c2"}))
    assert slack.channel_members_include("C1", "U1")
    assert len(api.calls("conversations.members")) == 1


def test_a_lost_card_is_found_in_the_channels_history(api: SlackApi, slack: Gateway) -> None:
    """The history is searched with metadata, page by page, a little before the time of the attempt."""
    first = ok(messages=[message("3.0", "e3"), message("2.9", None)], response_metadata={"next_cursor": "c2"})
    api.answer("conversations.history", first, ok(messages=[message("2.0")]))
    assert slack.find("C1", "e1", oldest=NOW) == "2.0"
    one, two = api.calls("conversations.history")
    assert one.args == {
        "channel": "C1",
        "oldest": f"{(NOW - CLOCK_SKEW).timestamp():.6f}",
        "include_all_metadata": "1",
        "inclusive": "1",
        "limit": "200",
    }
    assert two.args["cursor"] == "c2"


def test_a_lost_line_is_found_in_its_thread(api: SlackApi, slack: Gateway) -> None:
    """With a thread, its replies are searched and the channel is not."""
    api.answer("conversations.replies", ok(messages=[message("1.0", "card"), message("2.0")], has_more=False))
    assert slack.find("C1", "e1", thread_ts="1.0", oldest=NOW) == "2.0"
    assert the_call(api, "conversations.replies").args["ts"] == "1.0"
    assert api.calls("conversations.history") == []


@pytest.mark.parametrize(
    "other",
    [
        message("2.0", "e2"),
        message("2.0", None),
        message("2.0", user="U0OTHER"),
        message("2.0", event_type="another_app"),
        {**message("2.0", None), "metadata": None},
        {**message("2.0", None), "metadata": {"event_type": EVENT_TYPE, "event_payload": None}},
        {"ts": "2.0", "bot_id": "", "metadata": message("1")["metadata"]},
    ],
)
def test_only_our_own_message_with_that_event_is_found(api: SlackApi, slack: Gateway, other: Mapping[str, Any]) -> None:
    """Another event, another app's message or a forged one is not what we lost."""
    api.answer("conversations.history", ok(messages=[other]))
    assert slack.find("C1", "e1", oldest=NOW) is None


def test_a_message_is_known_as_ours_by_the_bots_id_too(api: SlackApi, slack: Gateway) -> None:
    """Slack names a bot's message by its bot id, its user id or both."""
    ours = {"ts": "2.0", "bot_id": "B0BOT", "metadata": message("1")["metadata"]}
    api.answer("conversations.history", ok(messages=[ours]))
    assert slack.find("C1", "e1", oldest=NOW) == "2.0"


def test_who_we_are_is_asked_once_for_all_searches(api: SlackApi, slack: Gateway) -> None:
    """auth.test does not double the calls of a search."""
    slack.find("C1", "e1", oldest=NOW)
    slack.find("C1", "e2", oldest=NOW)
    assert len(api.calls("auth.test")) == 1


def test_a_time_without_a_zone_is_refused(slack: Gateway) -> None:
    """A naive time would be searched from somewhere else on each machine."""
    with pytest.raises(ValueError, match="zone"):
        slack.find("C1", "e1", oldest=NOW.replace(tzinfo=None))


def test_a_file_is_described(api: SlackApi, slack: Gateway) -> None:
    """The address for downloading is preferred, and it is read with our token."""
    api.answer(
        "files.info",
        ok(
            file={
                "id": "F1",
                "name": "chain.pem",
                "size": 7,
                "user": "U1",
                "permalink": "https://example.slack.com/files/U1/F1/chain.pem",
                "url_private": "https://files.slack.com/files-pri/T1-F1/chain.pem",
                "url_private_download": f"http://{api.host}/files-pri/T1-F1/download/chain.pem",
            }
        ),
    )
    api.answer("/files-pri/T1-F1/download/chain.pem", Reply(b"content"))
    info = slack.file("F1")
    assert info == FileInfo(
        "F1",
        "chain.pem",
        7,
        "U1",
        "https://example.slack.com/files/U1/F1/chain.pem",
        f"http://{api.host}/files-pri/T1-F1/download/chain.pem",
    )
    assert slack.download(info, 100) == b"content"


def test_a_deleted_files_description_has_no_address(api: SlackApi, slack: Gateway) -> None:
    """What Slack leaves out is empty, not an error of ours."""
    api.answer("files.info", ok(file={"id": "F1", "mode": "tombstone"}))
    assert slack.file("F1") == FileInfo("F1", "F1", 0, "", "", "")


def test_a_spent_budget_is_raised_and_nothing_is_sent(api: SlackApi) -> None:
    """Instead of sleeping, the gateway says how long to wait."""
    budget = Budget({"chat.update": Rate(60, 1)}, lambda: 0.0)
    slack = Gateway(TOKEN, api.url, now=lambda: NOW, budget=budget)
    slack.update("C1", "1.5", blocks=BLOCKS, text="x")
    with pytest.raises(SlackRateLimited) as caught:
        slack.update("C2", "1.6", blocks=BLOCKS, text="x")
    assert caught.value.retry_after == pytest.approx(1)
    assert len(api.calls("chat.update")) == 1


def test_a_429_keeps_the_method_quiet_for_that_channel_only(api: SlackApi) -> None:
    """After Slack's own word to wait nothing more is sent there, while another channel goes on."""
    api.answer("chat.postMessage", refusal("ratelimited", 429, {"Retry-After": "20"}), ok(channel="C2", ts="1.6"))
    slack = Gateway(TOKEN, api.url, now=lambda: NOW, budget=Budget(clock=lambda: 0.0))
    for _ in range(2):
        with pytest.raises(SlackRateLimited) as caught:
            slack.post("C1", blocks=BLOCKS, text="x")
        assert caught.value.retry_after == pytest.approx(20)
    assert len(api.calls("chat.postMessage")) == 1
    assert slack.post("C2", blocks=BLOCKS, text="x") == Posted("C2", "1.6")


def test_many_threads_share_one_gateway(api: SlackApi, slack: Gateway) -> None:
    """Calls of several workers do not wait for each other."""
    release = threading.Event()
    api.answer("chat.update", Reply(until=release))
    threads = [
        threading.Thread(target=slack.update, args=("C1", f"{n}"), kwargs={"blocks": [], "text": "x"}) for n in range(10)
    ]
    for thread in threads:
        thread.start()
    api.wait_for(lambda: len(api.calls("chat.update")) == 10)
    release.set()
    for thread in threads:
        thread.join()
    assert {sent.args["ts"] for sent in api.calls("chat.update")} == {str(n) for n in range(10)}


def test_a_home_tab_is_published_for_one_person(api: SlackApi, slack: Gateway) -> None:
    """Without a hash whatever is there; with one only in its place, and Slack's refusal of an old one is told by its code."""
    home = {"type": "home", "blocks": BLOCKS}
    api.answer("views.publish", ok(view={"id": "V1", "hash": "17.abc"}), refusal("hash_conflict"))
    assert slack.publish_home("U1", home) == "17.abc"
    (sent,) = api.calls("views.publish")
    assert sent.args == {"user_id": "U1", "view": home}
    with pytest.raises(SlackRefused) as refused:
        slack.publish_home("U1", home, "16.old")
    assert refused.value.error == "hash_conflict"
    assert api.calls("views.publish")[-1].args == {"user_id": "U1", "view": home, "hash": "16.old"}
