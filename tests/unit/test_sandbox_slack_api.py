"""The Web API's door: tokens, scopes, bodies, rate limits, trouble, log (docs.slack.dev/apis/web-api)."""

from __future__ import annotations

import time

import pytest
import requests
from slack_sdk.errors import SlackApiError

from bot.sandbox.slack import RateLimits
from tests.unit.slack_app import MANIFEST, client, manifest, refusal, workspace


def test_a_token_says_who_calls() -> None:
    """auth.test names the bot for its token and refuses a missing, unknown or wrong kind of token."""
    with workspace() as ws:
        assert client(ws).auth_test()["user_id"] == ws.bot_user
        assert requests.post(ws.url + "auth.test", timeout=5).json()["error"] == "not_authed"
        assert refusal(client(ws, "xoxb-wrong").auth_test)["error"] == "invalid_auth"
        assert refusal(client(ws, ws.app_token).auth_test)["error"] == "not_allowed_token_type"
        assert refusal(client(ws).apps_connections_open, app_token=ws.bot_token)["error"] == "not_allowed_token_type"


def test_a_scope_that_the_manifest_lacks_is_named() -> None:
    """A call without its scope gets missing_scope with what is needed and what was provided."""
    with workspace(manifest=manifest(without=("chat:write",))) as ws:
        room = ws.add_channel("certs")
        answer = refusal(client(ws).chat_postMessage, channel=room.id, text="hello")
        assert (answer["error"], answer["needed"]) == ("missing_scope", "chat:write")
        assert "files:read" in answer["provided"]


def test_socket_mode_must_be_enabled_in_the_manifest() -> None:
    """apps.connections.open is refused where the manifest does not enable Socket Mode."""
    with workspace(manifest=MANIFEST | {"settings": {}}) as ws:
        answer = refusal(client(ws, ws.app_token).apps_connections_open, app_token=ws.app_token)
        assert answer["error"] == "socket_mode_not_enabled"


def test_an_unknown_method_is_refused() -> None:
    """A name that is no method gets unknown_method."""
    with workspace() as ws:
        assert refusal(client(ws).api_call, api_method="chat.sing")["error"] == "unknown_method"


def test_forms_and_json_are_both_read() -> None:
    """Blocks arrive the same from a form with a JSON string and from a JSON body."""
    blocks = [{"type": "divider", "block_id": "d"}]
    with workspace() as ws:
        room = ws.add_channel("certs")
        auth = {"Authorization": f"Bearer {ws.bot_token}"}
        address = ws.url + "chat.postMessage"
        form = {"channel": room.id, "text": "a", "blocks": '[{"type": "divider", "block_id": "d"}]'}
        assert requests.post(address, data=form, headers=auth, timeout=5).json()["message"]["blocks"] == blocks
        json = {"channel": room.id, "text": "b", "blocks": blocks}
        assert requests.post(address, json=json, headers=auth, timeout=5).json()["message"]["blocks"] == blocks
        broken = requests.post(address, data=form | {"blocks": "[{"}, headers=auth, timeout=5).json()
        assert broken["error"] == "invalid_blocks_format"


def test_a_method_above_its_tier_gets_429_with_retry_after() -> None:
    """The 21st usergroups.list within a minute is ratelimited, with the seconds to wait."""
    with workspace(limits=RateLimits.slack()) as ws:
        for _ in range(20):
            client(ws).usergroups_list()
        answer = refusal(client(ws).usergroups_list)
        assert (answer.status_code, answer["error"], answer.headers["Retry-After"]) == (429, "ratelimited", "3")


def test_messages_are_limited_by_channel() -> None:
    """A burst of 8 messages passes, the 9th is ratelimited, and another channel is not affected."""
    with workspace(limits=RateLimits.slack()) as ws:
        one, two = ws.add_channel("one"), ws.add_channel("two")
        for number in range(8):
            client(ws).chat_postMessage(channel=one.id, text=str(number))
        assert refusal(client(ws).chat_postMessage, channel=one.id, text="8").status_code == 429
        assert client(ws).chat_postMessage(channel=two.id, text="0")["ok"]


def test_more_generous_limits_can_be_asked_for() -> None:
    """Twice the limits let 40 calls of a Tier 2 method pass."""
    with workspace(limits=RateLimits.times(2)) as ws:
        assert all(client(ws).usergroups_list()["ok"] for _ in range(40))


def test_a_failure_on_request_happens_as_often_as_told() -> None:
    """A told error is answered once and has no effect; then calls succeed again."""
    with workspace() as ws:
        room = ws.add_channel("certs")
        ws.trouble.fail("chat.postMessage", "internal_error")
        assert refusal(client(ws).chat_postMessage, channel=room.id, text="a")["error"] == "internal_error"
        assert ws.messages(room) == []
        assert client(ws).chat_postMessage(channel=room.id, text="b")["ok"]


def test_a_failure_can_follow_the_effect() -> None:
    """With after_effect the message stands in the channel although the call got a 503."""
    with workspace() as ws:
        room = ws.add_channel("certs")
        ws.trouble.fail("chat.postMessage", status=503, after_effect=True)
        with pytest.raises(SlackApiError) as caught:
            client(ws).chat_postMessage(channel=room.id, text="a")
        assert caught.value.response.status_code == 503
        assert [message["text"] for message in ws.messages(room)] == ["a"]


def test_a_dropped_call_gets_no_answer() -> None:
    """With drop the connection ends without a byte of an answer."""
    with workspace() as ws:
        ws.trouble.fail("auth.test", drop=True)
        with pytest.raises(requests.ConnectionError):
            requests.post(ws.url + "auth.test", timeout=5)
        assert client(ws).auth_test()["ok"]


def test_retry_after_is_told() -> None:
    """A failure with retry_after is a 429 with that header."""
    with workspace() as ws:
        ws.trouble.fail("auth.test", retry_after=30)
        answer = refusal(client(ws).auth_test)
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "30")


def test_a_delay_holds_back_the_answer_and_not_the_effect() -> None:
    """A delayed message is in the channel before its call ends."""
    with workspace() as ws:
        room = ws.add_channel("certs")
        ws.trouble.delay("chat.postMessage", 0.3)
        begun = time.monotonic()
        client(ws).chat_postMessage(channel=room.id, text="a")
        assert time.monotonic() - begun >= 0.3
        (call,) = ws.log
        assert call.ended_at is not None
        assert call.ended_at - call.started_at >= 0.3
        assert call.effect == ws.messages(room)[0]["ts"]


def test_the_log_keeps_arguments_but_no_token() -> None:
    """A call's arguments are in the log, and the token is nowhere in it."""
    with workspace() as ws:
        requests.post(ws.url + "users.info", data={"token": ws.bot_token, "user": "U0"}, timeout=5)
        (call,) = ws.log
        assert (call.method, call.args, call.ok, call.error) == ("users.info", {"user": "U0"}, False, "user_not_found")
        assert ws.bot_token not in repr(ws.log)
