"""Block Kit's limits for blocks, messages, modals and home tabs.

Sources: docs.slack.dev/reference/block-kit/blocks, docs.slack.dev/reference/views and the pages of ``chat.postMessage`` and
``views.open``.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from bot.sandbox.slack.errors import ApiRefusal
from bot.sandbox.slack.rules import Check, Report, anything, array, boolean, by_type, record, string
from bot.sandbox.slack.rules_elements import (
    IN_ACTIONS,
    IN_CONTEXT,
    IN_INPUT,
    IN_SECTION,
    OPTION,
    OPTION_GROUP,
    any_text,
    plain,
)

MESSAGE_BLOCKS, VIEW_BLOCKS = 50, 100
VIEW_BYTES = 250_000


def _block(required: tuple[str, ...] = (), **fields: Check) -> Check:
    return record({"block_id": string(255), **fields}, required)


def _section_has_words(block: Any, at: str, report: Report) -> None:
    if "text" not in block and "fields" not in block:
        report.add(at, "missing required field: text")


_SECTION = _block(
    text=any_text(3000),
    fields=array(any_text(2000), 1, 10),
    accessory=by_type(IN_SECTION),
    expand=boolean,
)
_INPUT = _block(
    ("label", "element"),
    label=plain(2000),
    element=by_type(IN_INPUT),
    hint=plain(2000),
    optional=boolean,
    dispatch_action=boolean,
)


def _section(block: Any, at: str, report: Report) -> None:
    _SECTION(block, at, report)
    _section_has_words(block, at, report)


BLOCKS: dict[str, Check] = {
    "section": _section,
    "header": _block(("text",), text=plain(150)),
    "context": _block(("elements",), elements=array(by_type(IN_CONTEXT), 1, 10)),
    "actions": _block(("elements",), elements=array(by_type(IN_ACTIONS), 1, 25)),
    "divider": _block(),
    "input": _INPUT,
    "image": _block(("alt_text",), image_url=string(3000), alt_text=string(2000), title=plain(2000), slack_file=anything),
    "rich_text": _block(("elements",), elements=array(anything, 0, 100)),
}
_BLOCK = by_type(BLOCKS)
_VIEW_FIELDS: dict[str, Check] = {
    "blocks": array(_BLOCK, 0, VIEW_BLOCKS),
    "private_metadata": string(3000, 0),
    "callback_id": string(255, 0),
    "external_id": string(255, 0),
}
VIEWS: dict[str, Check] = {
    "home": record(_VIEW_FIELDS, ["blocks"]),
    "modal": record(
        {
            **_VIEW_FIELDS,
            "title": plain(24),
            "submit": plain(24),
            "close": plain(24),
            "clear_on_close": boolean,
            "notify_on_close": boolean,
            "submit_disabled": boolean,
        },
        ["title", "blocks"],
    ),
}


def elements(block: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The elements of a block a person can act on, each with its pointer below the block."""
    found = [("element", block.get("element")), ("accessory", block.get("accessory"))]
    if block.get("type") == "actions" and isinstance(block.get("elements"), list):
        found += [(f"elements/{index}", element) for index, element in enumerate(block["elements"])]
    for pointer, element in found:
        if isinstance(element, dict) and element.get("type") != "image":
            yield pointer, element


def message_problems(blocks: Any) -> list[str]:
    """What Slack would refuse in a message's blocks, each with its JSON pointer."""
    report = Report()
    array(_BLOCK, 0, MESSAGE_BLOCKS)(blocks, "/blocks", report)
    if not report.messages:
        _whole(blocks, "/blocks", report, files=False)
    return report.messages


def view_problems(view: Any) -> list[str]:
    """What Slack would refuse in a view, each with its JSON pointer."""
    report = Report()
    by_type(VIEWS)(view, "/view", report)
    if not report.messages:
        modal = view["type"] == "modal"
        _whole(view["blocks"], "/view/blocks", report, files=modal)
        if modal and "submit" not in view and any(b["type"] == "input" for b in view["blocks"]):
            report.add("/view/submit", "missing required field: submit, which a view with input blocks needs")
    return report.messages


def _whole(blocks: list[dict[str, Any]], at: str, report: Report, *, files: bool) -> None:
    """The rules that look beyond one block."""
    _unique_ids([block.get("block_id") for block in blocks], at, "block_id", report)
    focused = 0
    for index, block in enumerate(blocks):
        inside = list(elements(block))
        _unique_ids([element.get("action_id") for _, element in inside], f"{at}/{index}", "action_id", report)
        focused += sum(element.get("focus_on_load") is True for _, element in inside)
        if not files and any(element["type"] == "file_input" for _, element in inside):
            report.add(f"{at}/{index}/element", "file_input is available in modals only")
    if focused > 1:
        report.add(at, "only one element may have focus_on_load")


def _unique_ids(ids: list[Any], at: str, name: str, report: Report) -> None:
    for value, count in Counter(each for each in ids if each is not None).items():
        if count > 1:
            report.add(at, f"`{name}` {value} already exists, it must be unique")


def require_blocks(blocks: Any) -> None:
    """Raise ``invalid_blocks`` as docs.slack.dev/reference/methods/chat.postMessage describes it."""
    problems = message_problems(blocks)
    if problems:
        raise ApiRefusal.with_messages("invalid_blocks", problems)


def require_view(view: Any) -> None:
    """Raise ``view_too_large`` or ``invalid_arguments`` (docs.slack.dev/reference/methods/views.open)."""
    if len(json.dumps(view, ensure_ascii=False).encode()) > VIEW_BYTES:
        raise ApiRefusal("view_too_large")
    problems = view_problems(view)
    if problems:
        raise ApiRefusal.with_messages("invalid_arguments", problems)


def options_problems(answer: Any) -> list[str]:
    """What is wrong with the answer to a ``block_suggestion``; at most 100 options."""
    report = Report()
    fields = {"options": array(OPTION, 0, 100), "option_groups": array(OPTION_GROUP, 0, 100)}
    record(fields)(answer, "", report)
    return report.messages
