"""The record of calls: what a PBX was asked, what it answered, and whether the answer got out.

This is the tests' witness, so no secret may be in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

HIDDEN = "***"
SECRET_KEYS = {"access_token", "refresh_token", "password"}


@dataclass(frozen=True)
class PbxCall:
    """One call, as the PBX saw it."""

    number: int
    method: str
    #: Below ``/openapi/v1.0/``, such as ``certificate/create``.
    path: str
    #: Query and body together; tokens, secrets and DNS credentials are replaced by ``***``.
    params: Mapping[str, Any] = field(repr=False)
    #: What was answered; None where no API answer was made, as with a gateway's HTML page.
    errcode: int | None
    at: datetime
    client: str
    user_agent: str
    #: Whether a whole answer was handed to a connection that was still open.
    delivered: bool = False


def redact(params: Mapping[str, Any]) -> dict[str, Any]:
    """A copy without secrets; of ``auth_info_list`` the keys stay, their values go."""
    return {key: _redacted(key, value) for key, value in params.items()}


def _redacted(key: str, value: Any) -> Any:
    if key == "auth_info_list" and isinstance(value, list):
        return [_without_values(entry) for entry in value]
    return HIDDEN if key in SECRET_KEYS or key == "auth_info_list" else value


def _without_values(entry: Any) -> Any:
    """One element of the list, however badly it was made."""
    return {key: entry[key] if key == "k" else HIDDEN for key in entry} if isinstance(entry, dict) else HIDDEN
