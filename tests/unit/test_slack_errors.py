"""Foreign errors become ours in one place, none is forgotten, and none takes a secret along."""

import http.client
import json
import logging
import socket
import ssl
import traceback
import urllib.error
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import ModuleType

import pytest
import requests
import slack_sdk.errors
import urllib3.exceptions
from slack_sdk import WebClient
from slack_sdk.web import SlackResponse

from bot.exceptions import SlackError, SlackFateUnknown, SlackRateLimited, SlackRefused, SlackUnreachable
from bot.slack.errors import (
    DEFAULT_WAIT,
    FOREIGN,
    LONGEST_WAIT,
    NEVER_LEFT,
    from_answer,
    from_status,
    guarded,
    retry_after,
    translate,
)
from bot.slack.gateway import Gateway
from tests.unit.slack_api import TOKEN, Reply, SlackApi, refusal

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
SECRET_PATH = "/actions/T0/1/response-url-that-must-not-show"


@pytest.fixture
def api() -> Iterator[SlackApi]:
    with SlackApi() as server:
        yield server


def gateway(url: str, timeout: int = 10) -> Gateway:
    return Gateway(TOKEN, url, now=lambda: NOW, timeout=timeout)


def exceptions_of(module: ModuleType) -> list[type[Exception]]:
    found = {value for value in vars(module).values() if isinstance(value, type) and issubclass(value, Exception)}
    homes = (module.__name__, "builtins")
    own = (cls for cls in found if cls.__module__ in homes and not issubclass(cls, Warning) and cls.__name__[0] != "_")
    return sorted(own, key=lambda cls: cls.__name__)


def subclasses(root: type[Exception]) -> set[type[Exception]]:
    return {root, *(cls for child in root.__subclasses__() for cls in subclasses(child))}


RAISED_BY_CALLS = sorted(
    {
        *exceptions_of(slack_sdk.errors),
        *exceptions_of(urllib.error),
        *exceptions_of(http.client),
        *exceptions_of(socket),
        *exceptions_of(ssl),
        *exceptions_of(requests.exceptions),
        *exceptions_of(urllib3.exceptions),
        *(cls for cls in subclasses(ConnectionError) if cls.__module__ == "builtins"),
        TimeoutError,
        json.JSONDecodeError,
        UnicodeDecodeError,
    },
    key=lambda cls: (cls.__module__, cls.__name__),
)


def api_error(response: object) -> slack_sdk.errors.SlackApiError:
    return slack_sdk.errors.SlackApiError("no", response)  # type: ignore[no-untyped-call]


def some(cls: type[Exception]) -> Exception:
    """An instance, whatever its constructor wants."""
    if issubclass(cls, slack_sdk.errors.SlackTokenRotationError):
        return cls(api_error({"ok": False, "error": "invalid_refresh_token"}))
    if issubclass(cls, slack_sdk.errors.SlackApiError):
        return api_error({"ok": False, "error": "channel_not_found"})
    if issubclass(cls, urllib.error.HTTPError):
        return urllib.error.HTTPError("http://h/", 502, "Bad Gateway", http.client.HTTPMessage(), None)
    if issubclass(cls, urllib.error.ContentTooShortError):
        return urllib.error.ContentTooShortError("short", ("", http.client.HTTPMessage()))
    if issubclass(cls, json.JSONDecodeError | requests.exceptions.JSONDecodeError):
        return cls("bad", "{", 0)
    if issubclass(cls, UnicodeDecodeError):
        return cls("utf-8", b"\xff", 0, 1, "bad")
    try:
        return cls("made for a test")
    except TypeError:
        return cls.__new__(cls)


@pytest.mark.parametrize("cls", RAISED_BY_CALLS, ids=lambda cls: f"{cls.__module__}.{cls.__name__}")
def test_every_error_of_the_libraries_is_translated(cls: type[Exception]) -> None:
    """Each error class that slack_sdk, urllib, http.client, socket, ssl, requests or urllib3 has ends as one of ours."""

    def fail() -> None:
        raise some(cls)

    with pytest.raises(SlackError) as caught:
        guarded(fail)
    assert type(caught.value) in (SlackUnreachable, SlackFateUnknown, SlackRefused, SlackRateLimited)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_every_error_of_slack_sdk_has_a_meaning_of_its_own() -> None:
    """No class of slack_sdk falls through to "nobody knows", except the base class, which nothing raises."""
    unknown = {cls for cls in exceptions_of(slack_sdk.errors) if isinstance(translate(some(cls)), SlackFateUnknown)}
    assert unknown == {slack_sdk.errors.SlackClientError}


@pytest.mark.parametrize("cls", NEVER_LEFT, ids=lambda cls: cls.__name__)
def test_what_never_left_is_unreachable_also_inside_urllibs_wrapping(cls: type[Exception]) -> None:
    """An error from before the request left says that nothing happened, bare or as the reason of a URLError."""
    assert isinstance(translate(some(cls)), SlackUnreachable)
    assert isinstance(translate(urllib.error.URLError(some(cls))), SlackUnreachable)


@pytest.mark.parametrize("reason", [TimeoutError(), ConnectionResetError(), BrokenPipeError(), ssl.SSLEOFError()])
def test_what_broke_off_is_of_unknown_fate_also_inside_urllibs_wrapping(reason: OSError) -> None:
    """urllib wraps errors of sending too, so a timeout or a reset inside a URLError proves nothing."""
    assert isinstance(translate(reason), SlackFateUnknown)
    assert isinstance(translate(urllib.error.URLError(reason)), SlackFateUnknown)


def test_errors_of_our_own_pass_unchanged() -> None:
    """What is not foreign is not caught: a mistake in the program stays visible."""

    def fail() -> None:
        raise KeyError("ours")

    with pytest.raises(KeyError):
        guarded(fail)
    assert not issubclass(KeyError, FOREIGN)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 1),
        ("1e9", DEFAULT_WAIT),
        ("999999999", LONGEST_WAIT),
        ("-5", DEFAULT_WAIT),
        ("", DEFAULT_WAIT),
        ("²", DEFAULT_WAIT),
    ],
)
def test_a_retry_after_is_believed_within_reason(value: str, seconds: float) -> None:
    """Nonsense and extremes make neither a hot loop nor a bot that sleeps for years."""
    assert retry_after({"Retry-After": value}, NOW) == seconds


def test_without_a_clock_a_date_means_the_default() -> None:
    """A date in Retry-After says nothing where nobody knows what time it is."""
    assert retry_after({"Retry-After": "Mon, 04 May 2026 12:00:07 GMT"}) == DEFAULT_WAIT


def test_a_plain_slack_sdk_client_is_understood_too(api: SlackApi) -> None:
    """Bolt's own client raises errors of the same kinds, and they are translated the same way."""
    api.answer("auth.test", refusal("invalid_auth"))
    api.answer("chat.update", Reply(b"<html>", 503))
    plain = WebClient(TOKEN, api.url, retry_handlers=[], logger=logging.getLogger("bot.slack.sdk"))
    with pytest.raises(SlackRefused):
        guarded(plain.auth_test)
    with pytest.raises(SlackFateUnknown):
        guarded(lambda: plain.chat_update(channel="C1", ts="1.1", text="x"))


def test_an_answer_without_a_code_is_judged_by_its_status() -> None:
    """An error that is no text, or an answer that is no mapping, is not Slack's word."""
    assert from_answer(400, {}, {"ok": False, "error": 5}).code == "http_400"
    assert from_answer(200, {}, None).code == "http_200"
    assert isinstance(from_status(408, {}), SlackFateUnknown)


@pytest.mark.parametrize(
    "reply", [refusal("invalid_auth"), Reply(b"<html>", 502), Reply(reset=True), refusal("ratelimited", 429)]
)
def test_no_secret_is_in_what_is_raised_or_logged(api: SlackApi, reply: Reply, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the token nor a response URL shows in an error, in what hangs on it, in a traceback or in a log on DEBUG."""
    caplog.set_level(logging.DEBUG)
    api.answer("chat.postMessage", reply)
    api.answer(SECRET_PATH, reply)
    slack = gateway(api.url)
    calls: list[Callable[[], object]] = [
        lambda: slack.post("C1", blocks=[], text="hello"),
        lambda: slack.respond(f"http://{api.host}{SECRET_PATH}", text="hello"),
    ]
    for call in calls:
        with pytest.raises(SlackError) as caught:
            call()
        error = caught.value
        shown = "\n".join([str(error), repr(error), repr(error.args), repr(vars(error)), *traceback.format_exception(error)])
        assert "must-not-show" not in shown
        assert error.__cause__ is None
        assert error.__context__ is None
    assert "must-not-show" not in caplog.text
    assert "hello" not in caplog.text
    assert TOKEN not in repr(slack)


def test_a_slack_sdk_error_would_show_the_token_if_it_were_kept() -> None:
    """Why the foreign error is let go: its response holds the request, with the token in its headers."""
    request = {"headers": {"Authorization": f"Bearer {TOKEN}"}}
    response = SlackResponse(
        client=None,
        http_verb="POST",
        api_url="https://slack.com/api/auth.test",
        req_args=request,
        data={"ok": False, "error": "invalid_auth"},
        headers={},
        status_code=200,
    )
    foreign = api_error(response)
    assert TOKEN in repr(foreign.response.req_args)
    assert TOKEN not in repr(vars(translate(foreign)))
