"""Answering by the URL that came with a command or a click (docs.slack.dev/interactivity/handling-user-interaction).

Whoever has such a URL can write in our name, so it is a secret: it goes to Slack's host only, and into no log and no exception.
That is why requests is not used here: urllib3 logs every path on DEBUG.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.request import Request

from bot import crashpoints
from bot.exceptions import SlackRefused
from bot.slack.errors import from_answer, guarded
from bot.slack.transport import Answer, exchange, host_of, is_private, json_object, opener_for

_HOST = "hooks.slack.com"


def send(url: str, payload: Mapping[str, Any], *, api_url: str, timeout: float, now: datetime) -> None:
    """Post once. Raises what a call to the Web API raises, and SlackRefused("foreign_url") without having sent anything."""
    if not is_private(url) or host_of(url) not in _hosts(host_of(api_url)):
        raise SlackRefused("foreign_url")
    body = json.dumps(payload).encode()
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "pbx-cert-bot"}
    request = Request(url, body, headers, method="POST")  # noqa: S310 - the scheme and the host were just checked
    with crashpoints.around("slack response_url"):
        answer = guarded(lambda: exchange(opener_for(url), request, timeout), now)
    _check(answer, now)


def _hosts(api_host: str) -> frozenset[str]:
    """Slack's, and where the API is not Slack's own: its host, or its host for hooks (GovSlack, a sandbox)."""
    if api_host in ("slack.com", "www.slack.com"):
        return frozenset({_HOST})
    return frozenset({_HOST, api_host, f"hooks.{api_host}"}) if api_host else frozenset({_HOST})


def _check(answer: Answer, now: datetime) -> None:
    """Slack says ``ok`` in plain text or ``{"ok": true}``; a refusal is JSON, or a bare code under a status of its own."""
    said = answer.body.strip()
    data = json_object(said) or {"ok": said in ("ok", ""), "error": said}
    if answer.status != 200 or data.get("ok") is not True:
        raise from_answer(answer.status, answer.headers, data, now)
