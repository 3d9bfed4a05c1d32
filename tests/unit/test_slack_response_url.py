"""Answering by a response URL: privately, once, and to nobody but Slack."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from bot.exceptions import SlackFateUnknown, SlackRefused
from bot.slack.gateway import Gateway
from tests.unit.slack_api import TOKEN, Reply, SlackApi, refusal

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
BLOCKS = [{"type": "section", "text": {"type": "mrkdwn", "text": "Grüße & <b>"}}]
PATH = "/actions/T1/1/secret"


@pytest.fixture
def api() -> Iterator[SlackApi]:
    with SlackApi() as server:
        yield server


@pytest.fixture
def slack(api: SlackApi) -> Gateway:
    return Gateway(TOKEN, api.url, now=lambda: NOW)


def test_a_response_is_private_and_leaves_the_original(api: SlackApi, slack: Gateway) -> None:
    """The answer goes to the one who clicked; the token does not go along."""
    slack.respond(f"http://{api.host}{PATH}", text="Ana approved this 2 s ago.", blocks=BLOCKS)
    sent = api.calls(PATH)[0]
    assert sent.args == {
        "text": "Ana approved this 2 s ago.",
        "blocks": BLOCKS,
        "response_type": "ephemeral",
        "replace_original": False,
    }
    assert "Authorization" not in sent.headers


def test_slacks_plain_ok_is_an_ok(api: SlackApi, slack: Gateway) -> None:
    """A response URL answers in plain text."""
    api.answer(PATH, Reply(b"ok"))
    slack.respond(f"http://{api.host}{PATH}", text="x", replace_original=True)
    assert api.calls(PATH)[0].args["replace_original"] is True


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (refusal("used_url", 404), "used_url"),
        (refusal("expired_url"), "expired_url"),
        (Reply(b"invalid_payload", 400), "invalid_payload"),
        (Reply(b"No service", 404), "http_404"),
        (Reply(b"", 302, {"Location": "http://127.0.0.1/"}), "http_302"),
    ],
)
def test_a_response_url_that_is_used_up_is_a_refusal(api: SlackApi, slack: Gateway, reply: Reply, error: str) -> None:
    """Slack says why, in JSON or in plain text; anything else shows its status."""
    api.answer(PATH, reply)
    with pytest.raises(SlackRefused) as caught:
        slack.respond(f"http://{api.host}{PATH}", text="x")
    assert caught.value.error == error


@pytest.mark.parametrize("reply", [Reply(b"<html>Log in</html>"), Reply(b"", 503), Reply(reset=True)])
def test_a_response_that_nobody_confirms_is_of_unknown_fate(api: SlackApi, slack: Gateway, reply: Reply) -> None:
    """A page of somebody else's, an error of the server or a reset say nothing."""
    api.answer(PATH, reply)
    with pytest.raises(SlackFateUnknown):
        slack.respond(f"http://{api.host}{PATH}", text="x")
    assert len(api.calls(PATH)) == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/actions/T1/1/secret",
        "http://hooks.slack.com/actions/T1/1/secret",
        "https://hooks.slack.com.example.com/actions/T1/1/secret",
        "https://hooks.slack.com@example.com/secret",
        "https://example.com\\@hooks.slack.com/secret",
        "https://hooks.slack.com\t.example.com/secret",
        "https://example.com#@hooks.slack.com/secret",
        " https://hooks.slack.com/secret",
        "https://files.slack.com/secret",
        "http://localhost:1/secret",
        "file:///etc/hostname",
        "",
    ],
)
def test_a_foreign_response_url_is_not_called(slack: Gateway, url: str) -> None:
    """Only Slack's host for hooks, or the API's own host, is answered; the URL does not show in the error."""
    with pytest.raises(SlackRefused) as caught:
        slack.respond(url, text="x")
    assert caught.value.error == "foreign_url"
    assert "secret" not in repr(caught.value) + str(caught.value)


def test_with_slack_itself_only_its_host_for_hooks_is_answered() -> None:
    """slack.com serves the API, not response URLs."""
    slack = Gateway(TOKEN, "https://slack.com/api/", now=lambda: NOW)
    with pytest.raises(SlackRefused) as caught:
        slack.respond("https://slack.com/secret", text="x")
    assert caught.value.error == "foreign_url"
