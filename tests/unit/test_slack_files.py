"""Fetching an uploaded file: from Slack only, whole, and not more than allowed."""

import itertools
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.exceptions import FileUnavailable, SlackFateUnknown, SlackRateLimited, SlackUnreachable
from bot.slack.files import FileInfo, fetch
from tests.unit.slack_api import TOKEN, Reply, SlackApi, free_port, refusal

LIMIT = 1_048_576
PATH = "/files-pri/T1-F1/download/chain.pem"
PEM = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
SLACK = "https://slack.com/api/"


@pytest.fixture
def api() -> Iterator[SlackApi]:
    with SlackApi() as server:
        server.answer(PATH, Reply(PEM, headers={"Content-Type": "application/x-x509-ca-cert"}))
        yield server


@pytest.fixture
def info(api: SlackApi) -> FileInfo:
    return FileInfo("F1", "chain.pem", len(PEM), "U1", "https://example.slack.com/files/U1/F1", f"http://{api.host}{PATH}")


def test_a_file_is_fetched_with_the_token_in_the_header(api: SlackApi, info: FileInfo) -> None:
    """The content comes as it is, and the token does not stand in the URL."""
    assert fetch(info, TOKEN, api.url, LIMIT) == PEM
    (sent,) = api.sent
    assert sent.headers["Authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in sent.path


def test_a_netrc_entry_does_not_replace_the_token(
    api: SlackApi, info: FileInfo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """requests prefers ``.netrc`` to a header; our token is not given as one."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    fetch(info, TOKEN, api.url, LIMIT)
    assert api.sent[0].headers["Authorization"] == f"Bearer {TOKEN}"


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    api: SlackApi, info: FileInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sandbox on this machine works behind a proxy, too."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    assert fetch(info, TOKEN, api.url, LIMIT) == PEM


@pytest.mark.parametrize(
    ("url", "api_url"),
    [
        ("https://drive.example.com/file/d/1", SLACK),
        ("http://files.slack.com/files-pri/T1-F1/chain.pem", SLACK),
        ("https://files.slack.com.example.com/chain.pem", SLACK),
        ("https://notslack.com/chain.pem", SLACK),
        ("https://files.slack.com@example.com/chain.pem", SLACK),
        ("https://example.com\\@files.slack.com/chain.pem", SLACK),
        ("https://example.com/?files.slack.com", SLACK),
        ("http://127.0.0.1:1/chain.pem", SLACK),
        ("http://localhost:1/chain.pem", "http://127.0.0.1:2/api/"),
        ("http://sandbox.example.com/chain.pem", "http://sandbox.example.com/api/"),
        ("ftp://files.slack.com/chain.pem", SLACK),
        ("file:///etc/hostname", SLACK),
    ],
)
def test_the_token_goes_to_no_other_host(info: FileInfo, url: str, api_url: str) -> None:
    """A file in foreign storage, or on a way where others can read along, is not fetched."""
    with pytest.raises(FileUnavailable) as caught:
        fetch(replace(info, url=url), TOKEN, api_url, LIMIT)
    assert caught.value.code == "foreign_url"


@pytest.mark.parametrize(
    ("url", "api_url"),
    [
        ("https://127.0.0.1:{port}/chain.pem", "https://127.0.0.1:1/api/"),
        ("https://LOCALHOST:{port}/chain.pem", "https://localhost/api/"),
        ("https://files.localhost:{port}/chain.pem", "https://localhost/api/"),
    ],
)
def test_the_apis_own_host_and_what_is_below_it_are_trusted(info: FileInfo, url: str, api_url: str) -> None:
    """Another Slack keeps its files on its own hosts; here nobody listens, so trying shows as unreachable."""
    with pytest.raises(SlackUnreachable):
        fetch(replace(info, url=url.format(port=free_port())), TOKEN, api_url, LIMIT)


def test_a_deleted_file_has_no_address(info: FileInfo) -> None:
    """Without an address there is nothing to fetch, and the sentence says what to do."""
    with pytest.raises(FileUnavailable, match="upload it again") as caught:
        fetch(replace(info, url=""), TOKEN, SLACK, LIMIT)
    assert caught.value.code == "file_gone"


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(b"", 302, {"Location": "https://example.slack.com/login"}), "redirected"),
        (Reply(b"gone", 404), "file_gone"),
        (Reply(b"gone", 410), "file_gone"),
        (Reply(b"no", 403), "http_403"),
        (Reply(b"<html><body>Sign in", headers={"Content-Type": "text/html; charset=utf-8"}), "files_read_missing"),
        (Reply(b"\n <!DOCTYPE html><html>Sign in"), "files_read_missing"),
        (Reply(b"<!DOCTYPE html>" + b"x" * LIMIT), "files_read_missing"),
    ],
)
def test_what_will_not_change_is_unavailable(api: SlackApi, info: FileInfo, reply: Reply, code: str) -> None:
    """A redirect, a refusal or the login page is no content, and asking again would not help."""
    api.answer(PATH, reply)
    with pytest.raises(FileUnavailable) as caught:
        fetch(info, TOKEN, api.url, LIMIT)
    assert caught.value.code == code
    assert "chain.pem" in caught.value.message
    assert len(api.sent) == 1


def test_a_redirect_does_not_carry_the_token_away(api: SlackApi, info: FileInfo) -> None:
    """Nobody else is called."""
    with SlackApi() as elsewhere:
        api.answer(PATH, Reply(b"", 302, {"Location": f"http://{elsewhere.host}/"}))
        with pytest.raises(FileUnavailable):
            fetch(info, TOKEN, api.url, LIMIT)
        assert elsewhere.sent == []


def test_the_login_page_names_the_missing_scope(api: SlackApi, info: FileInfo) -> None:
    """The sentence tells whoever manages the app what to do."""
    api.answer(PATH, Reply(b"<!doctype html>"))
    with pytest.raises(FileUnavailable, match="files:read"):
        fetch(info, TOKEN, api.url, LIMIT)


def test_an_html_file_is_just_that(api: SlackApi, info: FileInfo) -> None:
    """Somebody who uploads a page is told that it is no certificate, and not that a scope is missing."""
    api.answer(PATH, Reply(b"<!doctype html>"))
    assert fetch(replace(info, name="saved.HTML"), TOKEN, api.url, LIMIT) == b"<!doctype html>"


def test_a_file_that_says_it_is_too_large_is_not_fetched(api: SlackApi, info: FileInfo) -> None:
    """The announced size is enough, and the sentence names the limit."""
    with pytest.raises(FileUnavailable, match=r"larger than 1 MB") as caught:
        fetch(replace(info, size=LIMIT + 1), TOKEN, api.url, LIMIT)
    assert caught.value.code == "file_too_large"
    assert api.sent == []


def test_a_file_that_is_larger_than_it_says_is_cut_off(api: SlackApi, info: FileInfo) -> None:
    """The limit holds for what arrives, not for what was announced."""
    api.answer(PATH, Reply(b"x" * (LIMIT + 1)))
    with pytest.raises(FileUnavailable) as caught:
        fetch(info, TOKEN, api.url, LIMIT)
    assert caught.value.code == "file_too_large"


def test_a_file_of_exactly_the_limit_is_fetched(api: SlackApi, info: FileInfo) -> None:
    """At most means including."""
    api.answer(PATH, Reply(b"x" * LIMIT))
    assert len(fetch(replace(info, size=LIMIT), TOKEN, api.url, LIMIT)) == LIMIT


def test_a_small_limit_is_named_as_such(info: FileInfo) -> None:
    """The sentence tells the limit that holds."""
    with pytest.raises(FileUnavailable, match="larger than 20 kB"):
        fetch(replace(info, size=20_001), TOKEN, SLACK, 20_000)


@pytest.mark.parametrize(
    "reply",
    [Reply(b"", 503), Reply(b"", 408), Reply(reset=True), Reply(PEM, content_length=len(PEM) + 10)],
)
def test_what_may_be_better_next_time_is_not_called_unavailable(api: SlackApi, info: FileInfo, reply: Reply) -> None:
    """A failing server or a broken transfer is worth another attempt; half a file is not a file."""
    api.answer(PATH, reply)
    with pytest.raises(SlackFateUnknown):
        fetch(info, TOKEN, api.url, LIMIT)


def test_a_429_says_how_long_to_wait(api: SlackApi, info: FileInfo) -> None:
    """Slack's hosts for files have limits, too."""
    api.answer(PATH, refusal("ratelimited", 429, {"Retry-After": "9"}))
    with pytest.raises(SlackRateLimited) as caught:
        fetch(info, TOKEN, api.url, LIMIT)
    assert caught.value.retry_after == 9


def test_a_file_that_trickles_in_is_given_up(api: SlackApi, info: FileInfo) -> None:
    """Each read may be quick enough while the whole takes forever; after a minute it is enough."""
    minutes = itertools.count(0, 61)
    with pytest.raises(SlackFateUnknown):
        fetch(info, TOKEN, api.url, LIMIT, clock=lambda: float(next(minutes)))
    assert fetch(info, TOKEN, api.url, LIMIT, clock=lambda: 0.0) == PEM


def test_the_token_shows_in_no_error(api: SlackApi, info: FileInfo, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the error nor a log on DEBUG has it."""
    caplog.set_level("DEBUG")
    api.answer(PATH, Reply(reset=True))
    with pytest.raises(SlackFateUnknown) as caught:
        fetch(info, TOKEN, api.url, LIMIT)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert TOKEN not in repr(caught.value) + caplog.text


def test_two_files_can_be_fetched_at_once(api: SlackApi, info: FileInfo) -> None:
    """Nothing is shared between downloads."""
    release = threading.Event()
    api.answer(PATH, Reply(PEM, until=release))
    contents: list[bytes] = []
    threads = [threading.Thread(target=lambda: contents.append(fetch(info, TOKEN, api.url, LIMIT))) for _ in range(2)]
    for thread in threads:
        thread.start()
    api.wait_for(lambda: len(api.sent) == 2)
    release.set()
    for thread in threads:
        thread.join()
    assert contents == [PEM, PEM]
