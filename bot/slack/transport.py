"""The door through which calls leave for Slack's Web API and its response URLs, and whom we trust behind it.

Why slack_sdk's own way out does not do:

- urllib follows a redirected POST with a GET and takes the bearer token along, to wherever the redirect points;
- it reports a connection that never was and a conversation that broke off by the same exception, although after the first
  nothing has happened and after the second nobody knows;
- slack_sdk's default `ConnectionErrorRetryHandler` sends a request again after a reset, when the first one may have arrived:
  that doubles a message. Here nothing is sent twice; whoever owns the intent decides, after looking.
"""

import functools
import http.client
import ipaddress
import json
import logging
import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from urllib.request import (
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    UnknownHandler,
    getproxies,
)

from slack_sdk import WebClient

from bot import crashpoints

#: slack_sdk prints whole requests and answers on DEBUG, and on ERROR what we translate and raise anyway.
_silent = logging.getLogger("bot.slack.sdk")
_silent.setLevel(logging.CRITICAL + 1)

_ADDRESS = re.compile(r"(https?)://([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?(?=[/?#]|$)", re.IGNORECASE)


class NotConnected(OSError):
    """No connection came about, so nothing was sent."""


class NotSlack(Exception):
    """What answered does not speak Slack's Web API: no JSON object came back."""

    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: str


#: For the calls of this thread: whether they may still leave.
_in_time: ContextVar[Callable[[], bool] | None] = ContextVar("in_time", default=None)


@contextmanager
def leaving_only_while(in_time: Callable[[], bool] | None) -> Iterator[None]:
    """Calls within the block leave only if this still holds when their connection stands; else they raise NotConnected."""
    before = _in_time.set(in_time)
    try:
        yield
    finally:
        _in_time.reset(before)


def _must_be_in_time() -> None:
    """Asked at the last moment: a process may have slept since it meant to call."""
    in_time = _in_time.get()
    if in_time is not None and not in_time():
        raise NotConnected("too late")


class _Plain(http.client.HTTPConnection):
    def connect(self) -> None:
        try:
            super().connect()
        except (OSError, http.client.HTTPException) as error:
            raise NotConnected(type(error).__name__) from error
        _must_be_in_time()


class _Secure(http.client.HTTPSConnection):
    def connect(self) -> None:
        try:
            super().connect()
        except (OSError, http.client.HTTPException) as error:
            raise NotConnected(type(error).__name__) from error
        _must_be_in_time()


class _PlainHandler(HTTPHandler):
    def http_open(self, req: Request) -> http.client.HTTPResponse:
        return self.do_open(_Plain, req)


class _SecureHandler(HTTPSHandler):
    def https_open(self, req: Request) -> http.client.HTTPResponse:
        return self.do_open(_Secure, req, context=_tls())


@functools.cache
def _tls() -> ssl.SSLContext:
    """The system's certificate authorities; reading them takes longer than a handshake."""
    return ssl.create_default_context()


def opener_for(url: str) -> OpenerDirector:
    """An opener that follows no redirect and raises for no status, through the environment's proxy unless to this machine."""
    director = OpenerDirector()
    proxies = {} if is_loopback(host_of(url)) else getproxies()
    for handler in (ProxyHandler(proxies), _PlainHandler(), _SecureHandler(), UnknownHandler()):
        director.add_handler(handler)
    return director


def exchange(opener: OpenerDirector, request: Request, timeout: float) -> Answer:
    """Send once and read the answer. ``timeout`` is in seconds, for each of connecting, sending and every read."""
    with opener.open(request, timeout=timeout) as answer:
        body = answer.read().decode("utf-8", errors="replace")
        return Answer(answer.status, dict(answer.headers), body)


class Client(WebClient):
    """slack_sdk's client behind our own door: same methods, one attempt, no redirects, no log."""

    def __init__(self, token: str, api_url: str, timeout: int) -> None:
        super().__init__(token, api_url, timeout=timeout, retry_handlers=[], logger=_silent)
        self._opener = opener_for(api_url)

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:
        """The seam in slack_sdk's base client below which there is only the network."""
        with crashpoints.around(f"slack {url.rpartition('/')[2]}"):
            answer = exchange(self._opener, req, self.timeout)
        if json_object(answer.body) is None:
            raise NotSlack(answer.status, answer.headers)
        return {"status": answer.status, "headers": answer.headers, "body": answer.body}


def json_object(body: str) -> dict[str, Any] | None:
    """The JSON object that the text is, or nothing."""
    try:
        data = json.loads(body)
    except ValueError:
        return None
    return data if isinstance(data, dict) else None


def host_of(url: str) -> str:
    """The host that a request to the URL would go to, or ``""`` where two readers of URLs could disagree about it.

    User information, backslashes, blanks and the like in front of the path are what such disagreements are made of.
    """
    match = _ADDRESS.match(url)
    return match[2].lower().strip("[]") if match else ""


def is_loopback(host: str) -> bool:
    """Whether the host is this machine by its name or address, without asking a resolver."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_private(url: str) -> bool:
    """Whether nobody on the way can read along: https, or plain http within this machine."""
    return url.lower().startswith("https://") or is_loopback(host_of(url))
