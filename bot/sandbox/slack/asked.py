"""One Web API call as its method sees it: arguments by name and kind, scopes, and the record of the call."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from bot.sandbox.slack.errors import ApiRefusal
from bot.sandbox.slack.records import Call, Json
from bot.sandbox.slack.state import State


def bad_argument(sentence: str, pointer: str) -> ApiRefusal:
    """``invalid_arguments`` with the pointer of the one at fault."""
    return ApiRefusal.with_messages("invalid_arguments", [f"[ERROR] {sentence} [json-pointer:{pointer}]"])


@dataclass
class Asked:
    state: State
    args: Json
    call: Call

    def text(self, name: str) -> str:
        """An optional string; empty where it is absent."""
        value = self.args.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise bad_argument("must be a string", f"/{name}")
        return value

    def required(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise bad_argument(f"missing required field: {name}", f"/{name}")
        return value

    def json(self, name: str, error: str) -> Any:
        """An optional structure, given as such or as a JSON string; `error` is for a string that is no JSON."""
        value = self.args.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError:
            raise ApiRefusal(error) from None

    def flag(self, name: str) -> bool:
        return self.args.get(name) in (True, 1, "1", "true", "True")

    def whole(self, name: str, default: int, maximum: int) -> int:
        """A whole number from 1 to `maximum`."""
        value = self.args.get(name)
        if value in (None, ""):
            return default
        number = int(value) if str(value).isdecimal() else 0
        if not 1 <= number <= maximum:
            raise ApiRefusal("invalid_limit")
        return number

    def need(self, scope: str) -> None:
        """Raise ``missing_scope`` unless the manifest asks for this scope (docs.slack.dev/reference/scopes)."""
        provided = self.state.app.scopes
        if scope not in provided:
            raise ApiRefusal("missing_scope", needed=scope, provided=",".join(provided))


@dataclass(frozen=True)
class Method:
    """A Web API method: what it does, the scope it always needs, and the kind of token it takes."""

    run: Callable[[Asked], Json]
    scope: str | None = None
    token: Literal["bot", "app"] = "bot"


def page(items: list[Any], asked: Asked, default: int, maximum: int) -> tuple[list[Any], Json]:
    """One page and the members that lead to the next (docs.slack.dev/apis/web-api/pagination)."""
    limit = asked.whole("limit", default, maximum)
    cursor = asked.text("cursor")
    if cursor and not cursor.removeprefix("next:").isdecimal():
        raise ApiRefusal("invalid_cursor")
    start = int(cursor.removeprefix("next:")) if cursor else 0
    more = start + limit < len(items)
    answer: Json = {"response_metadata": {"next_cursor": f"next:{start + limit}" if more else ""}}
    return items[start : start + limit], answer | {"has_more": more}
