"""What a call ends in: when Slack cannot be reached, when it does not answer, and by what it answers."""

import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from bot.exceptions import SlackError, SlackFateUnknown, SlackRateLimited, SlackRefused, SlackUnreachable
from bot.slack.gateway import Gateway
from tests.unit.slack_api import TOKEN, Reply, SlackApi, free_port, ok, refusal

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.fixture
def api() -> Iterator[SlackApi]:
    with SlackApi() as server:
        yield server


def gateway(url: str, timeout: int = 10) -> Gateway:
    return Gateway(TOKEN, url, now=lambda: NOW, timeout=timeout)


def test_a_port_where_nobody_listens_is_unreachable() -> None:
    """A refused connection means that nothing was sent."""
    with pytest.raises(SlackUnreachable):
        gateway(f"http://127.0.0.1:{free_port()}/api/").open_view("t", {})


def test_a_name_that_does_not_resolve_is_unreachable() -> None:
    """A host that does not exist means that nothing was sent (RFC 6761: .invalid never resolves)."""
    with pytest.raises(SlackUnreachable):
        gateway("https://slack.invalid/api/").open_view("t", {})


def test_a_server_that_speaks_no_tls_is_unreachable(api: SlackApi) -> None:
    """A TLS handshake that fails means that nothing was sent."""
    with pytest.raises(SlackUnreachable):
        gateway(api.url.replace("http:", "https:")).open_view("t", {})
    assert api.sent == []


def test_a_connection_that_nobody_accepts_is_unreachable() -> None:
    """A timeout while connecting means that nothing was sent, unlike one while waiting for the answer."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        try:
            for each in waiting:
                each.setblocking(False)
                each.connect_ex(address)
            with pytest.raises(SlackUnreachable):
                gateway(f"http://127.0.0.1:{address[1]}/api/", timeout=1).open_view("t", {})
        finally:
            for each in waiting:
                each.close()


def test_a_reset_after_sending_is_of_unknown_fate_and_is_not_sent_again(api: SlackApi) -> None:
    """slack_sdk's own handler would repeat a request that was reset; ours leaves once."""
    api.answer("chat.postMessage", Reply(reset=True), ok(channel="C1", ts="1.1"))
    with pytest.raises(SlackFateUnknown):
        gateway(api.url).post("C1", blocks=[], text="x")
    assert len(api.calls("chat.postMessage")) == 1


def test_no_answer_in_time_is_of_unknown_fate_and_is_not_sent_again(api: SlackApi) -> None:
    """A request that was sent and not answered may have been carried out."""
    release = threading.Event()
    api.answer("chat.postMessage", Reply(until=release))
    try:
        with pytest.raises(SlackFateUnknown):
            gateway(api.url, timeout=1).post("C1", blocks=[], text="x")
    finally:
        release.set()
    assert len(api.calls("chat.postMessage")) == 1


@pytest.mark.parametrize(
    ("reply", "expected", "code"),
    [
        (Reply(b"<html>Bad Gateway</html>", 502), SlackFateUnknown, "http_502"),
        (Reply(b"", 500), SlackFateUnknown, "http_500"),
        (Reply(b"<html>Please log in to the wireless network</html>"), SlackFateUnknown, "http_200"),
        (Reply(b"[1]"), SlackFateUnknown, "http_200"),
        (Reply(b"null"), SlackFateUnknown, "http_200"),
        (Reply(b'{"ok": tr'), SlackFateUnknown, "http_200"),
        (Reply(b"\xff\xfe\x00", headers={"Content-Type": "text/plain; charset=nonsense"}), SlackFateUnknown, "http_200"),
        (Reply(b'{"message": "Internal server error"}', 500), SlackFateUnknown, "http_500"),
        (Reply(b"short", content_length=100), SlackFateUnknown, "slack_no_answer"),
        (Reply(b"Not Found", 404), SlackRefused, "http_404"),
        (refusal("internal_error"), SlackFateUnknown, "internal_error"),
        (refusal("fatal_error"), SlackFateUnknown, "fatal_error"),
        (refusal("service_unavailable", 503), SlackFateUnknown, "service_unavailable"),
        (refusal("request_timeout"), SlackUnreachable, "request_timeout"),
        (refusal("channel_not_found"), SlackRefused, "channel_not_found"),
        (refusal("<b>what</b>"), SlackFateUnknown, "http_200"),
    ],
)
def test_an_answer_is_taken_for_what_it_says(api: SlackApi, reply: Reply, expected: type[SlackError], code: str) -> None:
    """Slack's word counts; what is not Slack's word is judged by its status."""
    api.answer("views.open", reply)
    with pytest.raises(expected) as caught:
        gateway(api.url).open_view("t", {})
    assert caught.value.code == code


def test_a_redirect_is_not_followed(api: SlackApi) -> None:
    """The token does not travel to where a redirect points; nothing was done, so it is a refusal."""
    with SlackApi() as elsewhere:
        api.answer("views.open", Reply(b"", 302, {"Location": f"http://{elsewhere.host}/"}))
        with pytest.raises(SlackRefused) as caught:
            gateway(api.url).open_view("t", {})
        assert caught.value.error == "http_302"
        assert elsewhere.sent == []


def test_a_missing_scope_says_which(api: SlackApi) -> None:
    """The scope that Slack asks for comes along."""
    api.answer("usergroups.users.list", refusal("missing_scope", needed="usergroups:read", provided="chat:write"))
    with pytest.raises(SlackRefused) as caught:
        gateway(api.url).group_members("S1")
    assert (caught.value.error, caught.value.needed) == ("missing_scope", "usergroups:read")


def test_slacks_hints_come_along_as_notes(api: SlackApi) -> None:
    """For invalid blocks Slack points at the place, and so does the error."""
    hint = "[ERROR] must be less than 151 characters [json-pointer:/blocks/0/text/text]"
    api.answer("chat.postMessage", refusal("invalid_blocks", response_metadata={"messages": [hint]}))
    with pytest.raises(SlackRefused) as caught:
        gateway(api.url).post("C1", blocks=[], text="x")
    assert caught.value.__notes__ == [hint]


@pytest.mark.parametrize(
    "reply",
    [
        refusal("ratelimited", 429, {"Retry-After": "7"}),
        refusal("rate_limited", 200, {"retry-after": "7"}),
        Reply(b"slow down", 429, {"Retry-After": "7"}),
        Reply(b"slow down", 429, {"Retry-After": "Mon, 04 May 2026 12:00:07 GMT"}),
    ],
)
def test_too_many_requests_carry_the_seconds_to_wait(api: SlackApi, reply: Reply) -> None:
    """429, or the code alone, is SlackRateLimited with what Retry-After says, a number or a date."""
    api.answer("views.open", reply)
    with pytest.raises(SlackRateLimited) as caught:
        gateway(api.url).open_view("t", {})
    assert caught.value.retry_after == 7


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(api: SlackApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sandbox on this machine works behind a proxy, too."""
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    api.answer("auth.test", ok(user_id="U0BOT"))
    slack = gateway(api.url)
    assert slack.identity().user == "U0BOT"
    slack.respond(f"http://{api.host}/actions/T1/1/secret", text="x")
    assert [sent.method for sent in api.sent] == ["auth.test", "/actions/T1/1/secret"]


def test_another_host_is_reached_through_the_environments_proxy(api: SlackApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call for Slack arrives at the proxy, with the whole address to go on to."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", f"http://{api.host}")
    api.answer("auth.test", ok(user_id="U0BOT"))
    gateway("http://slack.invalid/api/").identity()
    assert api.sent[0].path == "http://slack.invalid/api/auth.test"
