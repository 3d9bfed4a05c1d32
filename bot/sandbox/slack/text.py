"""Block Kit as plain text, with mentions and links resolved (docs.slack.dev/messaging/formatting-message-text)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from bot.sandbox.slack.records import Json
from bot.sandbox.slack.state import State

_MARKUP = re.compile(r"<([^<>]+)>")


class Reader:
    """Reads messages and views aloud; names come from the workspace."""

    def __init__(self, state: State) -> None:
        self._state = state

    def read(self, thing: Json) -> str:
        """A message, or a view with what stands in its fields, as lines of text."""
        if "hash" in thing:
            return "\n".join(self.view_lines(thing))
        lines = [line for block in thing.get("blocks") or [] for line in self.block_lines(block, {})]
        return "\n".join(lines) or self.mrkdwn(thing.get("text", ""))

    def view_lines(self, view: Json) -> Iterator[str]:
        if view.get("title"):
            yield self.text(view["title"])
        for block in view["blocks"]:
            yield from self.block_lines(block, view["state"]["values"])
        buttons = [f"[{self.text(view[name])}]" for name in ("close", "submit") if view.get(name)]
        if buttons:
            yield " ".join(buttons)

    def text(self, given: Json | None) -> str:
        if not given:
            return ""
        return self.mrkdwn(given["text"]) if given["type"] == "mrkdwn" else str(given["text"])

    def mrkdwn(self, text: str) -> str:
        return html.unescape(_MARKUP.sub(lambda found: self._resolved(found.group(1)), text))

    def _resolved(self, inner: str) -> str:
        target, _, label = inner.partition("|")
        if target.startswith("@"):
            member = self._state.members.get(target[1:])
            return f"@{member.name if member else target[1:]}"
        if target.startswith("#"):
            channel = self._state.channels.get(target[1:])
            return f"#{channel.name if channel else label or target[1:]}"
        if target.startswith("!subteam^"):
            group = self._state.groups.get(target.removeprefix("!subteam^"))
            return f"@{group.handle if group else label or target}"
        if target.startswith("!"):
            return label or f"@{target[1:].partition('^')[0]}"
        return f"{label} ({target})" if label else target.removeprefix("mailto:")

    def block_lines(self, block: Json, values: Json) -> Iterator[str]:
        """The visible lines of one block; `values` is the ``state.values`` of its view."""
        kind = block["type"]
        if kind == "divider":
            yield "---"
        elif kind == "input":
            yield from self._input_lines(block, values)
        elif kind == "rich_text":
            yield "".join(self._rich(block["elements"]))
        elif kind == "image":
            yield block["alt_text"]
        else:
            yield from self._plain_lines(block, values)

    def _plain_lines(self, block: Json, values: Json) -> Iterator[str]:
        for given in [block.get("text"), *block.get("fields", [])]:
            if given:
                yield self.text(given)
        shown = [self._element(element, block, values) for element in block.get("elements", [])]
        if shown:
            yield " ".join(shown)
        if block.get("accessory"):
            yield self._element(block["accessory"], block, values)

    def _input_lines(self, block: Json, values: Json) -> Iterator[str]:
        yield f"{self.text(block['label'])}: {self._element(block['element'], block, values)}"
        if block.get("hint"):
            yield self.text(block["hint"])

    def _element(self, element: Json, block: Json, values: Json) -> str:
        kind = element["type"]
        if kind in ("mrkdwn", "plain_text"):
            return self.text(element)
        if kind == "image":
            return str(element["alt_text"])
        if kind == "button":
            return f"[{self.text(element['text'])}]"
        if kind == "overflow":
            return " ".join(f"[{self.text(option['text'])}]" for option in element["options"])
        entered = values.get(block.get("block_id", ""), {}).get(element.get("action_id", ""), {})
        return self.entered(entered) or f"({self.text(element.get('placeholder')) or 'empty'})"

    def entered(self, entered: Json) -> str:
        """What stands in a field, as its person sees it."""
        if entered.get("selected_option"):
            return self.text(entered["selected_option"]["text"])
        if entered.get("selected_options"):
            return ", ".join(self.text(option["text"]) for option in entered["selected_options"])
        if entered.get("files"):
            return ", ".join(given["name"] for given in entered["files"])
        if entered.get("selected_date_time"):
            return f"{datetime.fromtimestamp(entered['selected_date_time'], UTC):%Y-%m-%d %H:%M} UTC"
        return str(entered.get("value") or "")

    def _rich(self, given: Any) -> Iterator[str]:
        for item in given:
            kind = item.get("type", "")
            if kind == "user":
                yield self._resolved(f"@{item['user_id']}")
            elif kind == "usergroup":
                yield self._resolved(f"!subteam^{item['usergroup_id']}")
            elif kind == "channel":
                yield self._resolved(f"#{item['channel_id']}")
            elif kind == "link":
                yield str(item.get("text") or item["url"])
            elif "text" in item:
                yield str(item["text"])
            yield from self._rich(item.get("elements", []))
            if kind.startswith("rich_text_"):
                yield "\n"
