"""Reading what came back. Only ``errcode`` decides; neither the HTTP status nor the content type is to be relied on."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from bot.exceptions import PbxRefused
from bot.pbx.errors import refused
from bot.pbx.lenient import number, text
from bot.pbx.redaction import scrub

Answer = Mapping[str, Any]

#: Bytes. A full list is some 30 kB.
LARGEST = 4_000_000

_LONGEST_ERRMSG = 120


class Unreadable(Exception):
    """The answer is not one of the Open API; the text completes "but"."""


def read(status: int, body: bytes, doing: str, secrets: Iterable[str] = ()) -> Answer | PbxRefused:
    """The answer with errcode 0, or the refusal. Raises Unreadable for anything else."""
    if len(body) > LARGEST:
        raise Unreadable(f"the answer is larger than {LARGEST // 10**6} MB, which no answer of a PBX is")
    answer = _parsed(status, body)
    errcode = number(answer.get("errcode"))
    if errcode is None:
        raise Unreadable("the answer has no errcode, so it is not one of the PBX's API")
    if errcode != 0:
        return refused(errcode, _errmsg(answer, secrets), doing)
    return answer


def may_have_happened(status: int) -> bool:
    """Whether the call can have been carried out all the same, going by RFC 9110, sections 15.4 and 15.5.

    Status 4xx refuses a request, and 301, 307 and 308 tell the client to make it elsewhere. Everything else, above all a
    gateway's 502, leaves it open.
    """
    return not (400 <= status < 500 or status in (301, 307, 308))


def _parsed(status: int, body: bytes) -> dict[str, Any]:
    if 300 <= status < 400:
        raise Unreadable(f"it answered with a redirection (HTTP {status}), which the bot does not follow")
    if not body.strip():
        raise Unreadable(f"the answer is empty (HTTP {status})")
    try:
        answer = json.loads(body, object_hook=_without_credentials)
    except (ValueError, RecursionError):
        # From None: the error holds the answer, and an answer can hold credentials.
        raise Unreadable(f"the answer is {_kind(body)} (HTTP {status})") from None
    if not isinstance(answer, dict):
        raise Unreadable(f"the answer is JSON of another shape (HTTP {status})")
    return answer


def _without_credentials(told: dict[str, Any]) -> dict[str, Any]:
    """Answers about certificates can hold the DNS credentials; they are dropped before anything else sees them."""
    told.pop("auth_info_list", None)
    return told


def _kind(body: bytes) -> str:
    return "a web page instead of JSON" if body.lstrip()[:1] == b"<" else "not JSON"


def _errmsg(answer: Answer, secrets: Iterable[str]) -> str:
    """One short line: the text comes from outside and goes into messages and logs."""
    return scrub(text(answer.get("errmsg")), secrets)[:_LONGEST_ERRMSG].strip()
