"""Where foreign errors become ours: slack_sdk's, urllib's, http.client's, the socket layer's and requests'.

One question decides: can Slack have done it? If nothing left, `SlackUnreachable`. If it left and no answer of Slack's own came
back, `SlackFateUnknown`: look before asking again. Otherwise Slack's word.

The foreign exception is let go. It holds the request with its bearer token, or the URL of a response, so it is neither the
cause nor the context of ours.
"""

import http.client
import json
import re
import socket
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.error import HTTPError, URLError

import requests
import urllib3.exceptions
from slack_sdk import errors as sdk

from bot.exceptions import SlackError, SlackFateUnknown, SlackRateLimited, SlackRefused, SlackUnreachable
from bot.slack.transport import NotConnected, NotSlack

T = TypeVar("T")

#: Everything that a call to Slack can raise. urllib's and requests' errors are OSErrors; requests lets some of urllib3's by.
FOREIGN: tuple[type[Exception], ...] = (
    sdk.SlackClientError,
    NotSlack,
    OSError,
    http.client.HTTPException,
    urllib3.exceptions.HTTPError,
    urllib3.exceptions.ProxySchemeUnsupported,
    json.JSONDecodeError,
    UnicodeError,
)

#: Raised before a request is on its way, by whichever layer.
NEVER_LEFT: tuple[type[Exception], ...] = (
    NotConnected,
    ConnectionRefusedError,
    socket.gaierror,
    socket.herror,
    ssl.SSLCertVerificationError,
    http.client.NotConnected,
    http.client.InvalidURL,
    http.client.CannotSendRequest,
    http.client.CannotSendHeader,
    urllib3.exceptions.LocationValueError,
    urllib3.exceptions.ProxySchemeUnsupported,
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    requests.ConnectTimeout,
    requests.exceptions.ProxyError,
    requests.exceptions.SSLError,
    requests.URLRequired,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidHeader,
    sdk.SlackRequestError,
    sdk.SlackClientNotConnectedError,
    sdk.SlackClientConfigurationError,
)

#: slack_sdk refuses in Slack's place, with the code that Slack has for it.
_REFUSED_HERE: Mapping[type[BaseException], str] = {
    sdk.BotUserAccessError: "not_allowed_token_type",
    sdk.SlackObjectFormationError: "invalid_arguments",
}

#: Some aspect of it may have succeeded (docs.slack.dev/reference/methods/chat.postMessage, errors).
_PERHAPS_DONE = frozenset({"internal_error", "fatal_error", "service_unavailable"})
#: The same table: Slack did not get the whole request, or the workspace is being moved; worth asking again later.
_NOT_NOW = frozenset({"request_timeout", "team_added_to_org"})
_TOO_MANY = frozenset({"ratelimited", "rate_limited"})

_CODE = re.compile(r"[a-z0-9_.-]{1,80}", re.IGNORECASE)

#: Seconds to wait where Slack does not say, and the bounds of what is believed.
DEFAULT_WAIT, SHORTEST_WAIT, LONGEST_WAIT = 30.0, 1.0, 3600.0


def guarded(call: Callable[[], T], now: datetime | None = None) -> T:
    """The call's value; a foreign error is raised as one of ours, outside of the handler so that it keeps no reference."""
    try:
        return call()
    except FOREIGN as error:
        ours = translate(error, now)
    raise ours


def translate(error: BaseException, now: datetime | None = None) -> SlackError:
    """Our error for a foreign one. ``now`` gives meaning to a ``Retry-After`` that is a date."""
    if isinstance(error, sdk.SlackTokenRotationError):
        return translate(error.api_error, now)
    if isinstance(error, sdk.SlackApiError):
        return from_answer(*_parts(error.response), now)
    if isinstance(error, NotSlack):
        return from_status(error.status, error.headers, now)
    if isinstance(error, HTTPError):
        return from_status(error.code, dict(error.headers or {}), now)
    if isinstance(error, URLError):
        return _from_reason(error.reason, now)
    if type(error) in _REFUSED_HERE:
        return SlackRefused(_REFUSED_HERE[type(error)])
    if isinstance(error, NEVER_LEFT) or _found_no_way(error):
        return SlackUnreachable()
    return SlackFateUnknown()


def from_answer(status: int, headers: Mapping[str, str], data: object, now: datetime | None = None) -> SlackError:
    """What an answer with ``ok: false`` means; one without a code of Slack's is judged by its status."""
    error = data.get("error") if isinstance(data, dict) else None
    if not isinstance(error, str) or not _CODE.fullmatch(error):
        return from_status(status, headers, now)
    if status == 429 or error in _TOO_MANY:
        return SlackRateLimited(retry_after(headers, now))
    if status >= 500 or error in _PERHAPS_DONE:
        return SlackFateUnknown(code=error)
    if error in _NOT_NOW:
        return SlackUnreachable("Slack is not available at the moment; nothing was done.", code=error)
    return _refusal(error, data if isinstance(data, dict) else {})


def from_status(status: int, headers: Mapping[str, str], now: datetime | None = None) -> SlackError:
    """What a bare HTTP status means (RFC 9110, section 15): below 500 the request was turned away, except for 2xx and 408."""
    if status == 429:
        return SlackRateLimited(retry_after(headers, now))
    if 300 <= status < 500 and status != 408:
        return SlackRefused(f"http_{status}")
    return SlackFateUnknown(code=f"http_{status}")


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float:
    """Seconds to wait; the header is a number, or from a proxy a date (RFC 9110, section 10.2.3)."""
    value = next((value for name, value in headers.items() if name.lower() == "retry-after"), "").strip()
    seconds = float(value) if value.isascii() and value.isdigit() else _until(value, now)
    return min(max(seconds, SHORTEST_WAIT), LONGEST_WAIT)


def _until(value: str, now: datetime | None) -> float:
    if now is None:
        return DEFAULT_WAIT
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return DEFAULT_WAIT
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()


def _refusal(error: str, data: Mapping[str, Any]) -> SlackRefused:
    """With Slack's hints as notes: for ``invalid_blocks`` they point at the block."""
    refused = SlackRefused(error, str(data.get("needed") or ""))
    hints = (data.get("response_metadata") or {}).get("messages") or []
    for hint in hints[:5]:
        refused.add_note(str(hint)[:200])
    return refused


def _from_reason(reason: object, now: datetime | None) -> SlackError:
    """urllib wraps what happened until the request was out; a reason that is only a text is about the URL."""
    return translate(reason, now) if isinstance(reason, BaseException) else SlackUnreachable()


def _found_no_way(error: BaseException) -> bool:
    """requests has one ConnectionError for both; below it urllib3 knows whether there was a connection."""
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", None), urllib3.exceptions.NewConnectionError)


def _parts(response: Any) -> tuple[int, Mapping[str, str], object]:
    """Status, headers and data of a SlackResponse, or of the bare mapping that slack_sdk sometimes has in its place."""
    status = getattr(response, "status_code", 200)
    return status, getattr(response, "headers", None) or {}, getattr(response, "data", response)
