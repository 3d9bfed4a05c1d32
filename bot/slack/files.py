"""Fetching what somebody uploaded: with our token, so only from Slack's own hosts, and never more than allowed.

See docs.slack.dev/reference/objects/file-object ("authentication"). Three things there are not as one would think: without
the scope ``files:read`` Slack answers 200 with a page for logging in; a redirect drops the header; and a file in somebody
else's storage has a URL of theirs, which must not see the token.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import requests
from requests.auth import AuthBase

from bot import crashpoints
from bot.exceptions import FileUnavailable
from bot.slack.errors import from_status, guarded
from bot.slack.transport import host_of, is_loopback, is_private

#: Seconds to connect, to wait for the next bytes, and for the whole file.
CONNECT, READ, WHOLE = 5.0, 10.0, 60.0
_CHUNK = 64 * 1024
_PAGES = (".html", ".htm")


@dataclass(frozen=True)
class FileInfo:
    """An uploaded file, as files.info has it. ``url`` is where its content is, or ``""``; ``size`` is in bytes."""

    id: str
    name: str
    size: int
    user: str
    permalink: str
    url: str


class _Bearer(AuthBase):
    """The token as requests' *auth*, because a header alone gives way to a ``.netrc`` entry for the host."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def fetch(
    info: FileInfo,
    token: str,
    api_url: str,
    max_bytes: int,
    *,
    read: float = READ,
    clock: Callable[[], float] = time.monotonic,
) -> bytes:
    """The file's content.

    Raises FileUnavailable where another attempt would end the same way, and SlackUnreachable, SlackFateUnknown or
    SlackRateLimited where it may not. ``read`` is for the next bytes, in seconds; ``clock`` counts seconds.
    """
    if info.size > max_bytes:
        raise _too_large(info, max_bytes)
    _check_address(info, api_url)
    with crashpoints.around("slack download"):
        return guarded(lambda: _download(info, token, max_bytes, read, clock))


def _check_address(info: FileInfo, api_url: str) -> None:
    if not info.url:
        raise FileUnavailable(f"Slack no longer has the content of {info.name}. Please upload it again.", code="file_gone")
    if not is_private(info.url) or not _is_slacks(host_of(info.url), host_of(api_url)):
        raise FileUnavailable(
            f"{info.name} is not stored in Slack, so it was not fetched. Please upload the file itself.", code="foreign_url"
        )


def _is_slacks(host: str, api_host: str) -> bool:
    """slack.com and what is below it; or the API's own host and what is below that (another Slack: GovSlack, a sandbox)."""
    return any(host == own or host.endswith(f".{own}") for own in ("slack.com", api_host) if own)


def _download(info: FileInfo, token: str, max_bytes: int, read: float, clock: Callable[[], float]) -> bytes:
    deadline = clock() + WHOLE
    #: requests asks the environment for proxies; this machine is never behind one.
    proxies = {"no_proxy": host_of(info.url)} if is_loopback(host_of(info.url)) else None
    with requests.get(
        info.url,
        auth=_Bearer(token),
        headers={"User-Agent": "pbx-cert-bot", "Accept-Encoding": "identity", "Connection": "close"},
        allow_redirects=False,
        stream=True,
        timeout=(CONNECT, read),
        proxies=proxies,
    ) as answer:
        _check_status(info, answer)
        return b"".join(_limited(info, answer, max_bytes, lambda: clock() > deadline))


def _check_status(info: FileInfo, answer: requests.Response) -> None:
    status = answer.status_code
    if status == 200:
        return
    if status in (404, 410):
        raise FileUnavailable(f"Slack no longer has {info.name}. Please upload it again.", code="file_gone")
    if 300 <= status < 400:
        raise FileUnavailable(f"Slack sent us elsewhere for {info.name}, so it was not fetched.", code="redirected")
    if 400 <= status < 500 and status not in (408, 429):
        raise FileUnavailable(f"Slack did not let the bot read {info.name}.", code=f"http_{status}")
    raise from_status(status, answer.headers)


def _limited(info: FileInfo, answer: requests.Response, max_bytes: int, is_late: Callable[[], bool]) -> Iterator[bytes]:
    """What arrives, as long as it is little and quick enough: neither the announced size nor each single read says so."""
    length = 0
    for chunk in answer.iter_content(_CHUNK):
        if not length:
            _check_no_login_page(info, answer, chunk)
        length += len(chunk)
        if length > max_bytes:
            raise _too_large(info, max_bytes)
        if is_late():
            raise requests.ReadTimeout
        yield chunk


def _check_no_login_page(info: FileInfo, answer: requests.Response, beginning: bytes) -> None:
    kind = answer.headers.get("Content-Type", "").lower()
    is_page = kind.startswith("text/html") or beginning.lstrip(b"\xef\xbb\xbf \r\n\t")[:14].lower() == b"<!doctype html"
    if is_page and not info.name.lower().endswith(_PAGES):
        raise FileUnavailable(
            f"Slack answered with its login page instead of {info.name}. The bot lacks the scope files:read; "
            "whoever manages the Slack app has to add it and install the app again.",
            code="files_read_missing",
        )


def _too_large(info: FileInfo, max_bytes: int) -> FileUnavailable:
    return FileUnavailable(
        f"{info.name} is larger than {_size(max_bytes)}, which no certificate needs. "
        "Please upload only the certificate, its chain and its key.",
        code="file_too_large",
    )


def _size(count: int) -> str:
    """1,000,000 and 1,048,576 bytes are both what people call 1 MB."""
    return f"{count / 1_000_000:.0f} MB" if count >= 1_000_000 else f"{count / 1000:.0f} kB"
