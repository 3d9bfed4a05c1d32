"""The two ways in which this workspace says no: to the app (a Web API error) and to a person (their client)."""

from __future__ import annotations

from typing import Any


class ApiRefusal(Exception):
    """An answer with ``ok: false``; `fields` are the further members of that answer."""

    def __init__(self, error: str, *, status: int = 200, headers: dict[str, str] | None = None, **fields: Any) -> None:
        super().__init__(error)
        self.error = error
        self.status = status
        self.headers = headers or {}
        self.fields = fields

    @classmethod
    def with_messages(cls, error: str, messages: list[str]) -> ApiRefusal:
        """The errors that name what is wrong by JSON pointer (docs.slack.dev/apis/web-api, "response_metadata")."""
        return cls(error, errors=list(messages), response_metadata={"messages": list(messages)})


class PersonRefused(ValueError):
    """Slack's own client would not let a person do this."""
