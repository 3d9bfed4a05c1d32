"""Block Kit's limits, one row a rule (docs.slack.dev/reference/block-kit)."""

from __future__ import annotations

from typing import Any

import pytest

from bot.sandbox.slack.rules_blocks import message_problems, view_problems
from tests.unit.slack_app import modal, plain, text_input


def mrkdwn(text: str) -> dict[str, str]:
    return {"type": "mrkdwn", "text": text}


def button(**more: Any) -> dict[str, Any]:
    return {"type": "button", "text": plain("Go"), "action_id": "go", **more}


def actions(*elements: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements), **more}


def options(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"text": plain(f"Option {n}"), "value": str(n), **more} for n in range(count)]


def confirm(**more: Any) -> dict[str, Any]:
    return {"title": plain("Sure?"), "text": plain("Really?"), "confirm": plain("Yes"), "deny": plain("No"), **more}


SECTION = {"type": "section", "text": mrkdwn("words")}
SELECT = {"type": "static_select", "action_id": "s"}
GOOD_MESSAGES: list[list[dict[str, Any]]] = [
    [SECTION, {"type": "divider"}, {"type": "header", "text": plain("Title")}],
    [{"type": "section", "fields": [mrkdwn("x")] * 10, "accessory": button(style="danger", confirm=confirm())}],
    [actions(*[button(action_id=str(n), value="x" * 2000) for n in range(25)])],
    [actions(SELECT | {"options": options(100), "initial_option": options(1)[0]})],
    [{"type": "context", "elements": [mrkdwn("x"), plain("y")]}],
    [{"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a"}],
    [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": []}]}],
]
BAD_BLOCKS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown block": ({"type": "banner"}, "/blocks/0]"),
    "unknown field": ({"type": "divider", "color": "red"}, "/blocks/0/color]"),
    "long section": ({"type": "section", "text": mrkdwn("x" * 3001)}, "/blocks/0/text/text]"),
    "empty section text": ({"type": "section", "text": mrkdwn("")}, "/blocks/0/text/text]"),
    "section without words": ({"type": "section"}, "/blocks/0]"),
    "eleven fields": ({"type": "section", "fields": [mrkdwn("x")] * 11}, "/blocks/0/fields]"),
    "long field": ({"type": "section", "fields": [mrkdwn("x" * 2001)]}, "/blocks/0/fields/0/text]"),
    "long header": ({"type": "header", "text": plain("x" * 151)}, "/blocks/0/text/text]"),
    "header in mrkdwn": ({"type": "header", "text": mrkdwn("x")}, "/blocks/0/text]"),
    "eleven context elements": ({"type": "context", "elements": [mrkdwn("x")] * 11}, "/blocks/0/elements]"),
    "26 actions": (actions(*[button(action_id=str(n)) for n in range(26)]), "/blocks/0/elements]"),
    "no actions": (actions(), "/blocks/0/elements]"),
    "same action id twice": (actions(button(), button()), "/blocks/0]"),
    "long button": (actions(button(text=plain("x" * 76))), "/blocks/0/elements/0/text/text]"),
    "long button value": (actions(button(value="x" * 2001)), "/blocks/0/elements/0/value]"),
    "long url": (actions(button(url="x" * 3001)), "/blocks/0/elements/0/url]"),
    "style": (actions(button(style="warning")), "/blocks/0/elements/0/style]"),
    "long action id": (actions(button(action_id="x" * 256)), "/blocks/0/elements/0/action_id]"),
    "long block id": ({"type": "divider", "block_id": "x" * 256}, "/blocks/0/block_id]"),
    "confirm title": (actions(button(confirm=confirm(title=plain("x" * 101)))), "/confirm/title/text]"),
    "confirm text": (actions(button(confirm=confirm(text=plain("x" * 301)))), "/confirm/text/text]"),
    "confirm deny": (actions(button(confirm=confirm(deny=plain("x" * 31)))), "/confirm/deny/text]"),
    "101 options": (actions(SELECT | {"options": options(101)}), "/elements/0/options]"),
    "no options": (actions(SELECT), "/elements/0]"),
    "option text": (actions(SELECT | {"options": [{"text": plain("x" * 76), "value": "x"}]}), "/options/0/text/text]"),
    "option value": (actions(SELECT | {"options": [{"text": plain("x"), "value": "x" * 151}]}), "/options/0/value]"),
    "option description": (actions(SELECT | {"options": options(1, description=plain("x" * 76))}), "/description/text]"),
    "foreign initial option": (
        actions(SELECT | {"options": options(1), "initial_option": options(2)[1]}),
        "/elements/0/initial_option]",
    ),
    "eleven radio buttons": (actions({"type": "radio_buttons", "options": options(11)}), "/elements/0/options]"),
    "eleven checkboxes": (actions({"type": "checkboxes", "options": options(11)}), "/elements/0/options]"),
    "six in overflow": (actions({"type": "overflow", "options": options(6)}), "/elements/0/options]"),
    "image without words": ({"type": "image", "image_url": "https://example.com/a.png"}, "/blocks/0]"),
    "file input in a message": (
        {"type": "input", "label": plain("F"), "element": {"type": "file_input", "action_id": "f"}},
        "/blocks/0/element]",
    ),
    "text input as accessory": (SECTION | {"accessory": {"type": "plain_text_input"}}, "/blocks/0/accessory]"),
}
INPUT = text_input("Reason")


def picker(**more: Any) -> dict[str, Any]:
    return {"type": "input", "label": plain("Start"), "element": {"type": "datetimepicker", "action_id": "s", **more}}


FILES = {"type": "input", "label": plain("F"), "element": {"type": "file_input", "action_id": "f"}}
BAD_VIEWS: dict[str, tuple[dict[str, Any], str]] = {
    "long title": (modal(title="x" * 25), "/view/title/text]"),
    "long submit": (modal(submit=plain("x" * 25)), "/view/submit/text]"),
    "long close": (modal(close=plain("x" * 25)), "/view/close/text]"),
    "long metadata": (modal(private_metadata="x" * 3001), "/view/private_metadata]"),
    "long callback id": (modal(callback_id="x" * 256), "/view/callback_id]"),
    "101 blocks": (modal(*[{"type": "divider"}] * 101), "/view/blocks]"),
    "input without submit": ({"type": "modal", "title": plain("Ask"), "blocks": [INPUT]}, "/view/submit]"),
    "same block id twice": (modal(INPUT, INPUT), "/view/blocks]"),
    "title on a home tab": ({"type": "home", "title": plain("x"), "blocks": []}, "/view/title]"),
    "long label": (modal(INPUT | {"label": plain("x" * 2001)}), "/view/blocks/0/label/text]"),
    "long hint": (modal(INPUT | {"hint": plain("x" * 2001)}), "/view/blocks/0/hint/text]"),
    "eleven files": (modal(FILES | {"element": FILES["element"] | {"max_files": 11}}), "/element/max_files]"),  # type: ignore[operator]
    "minimum above maximum": (modal(text_input("R", min_length=5, max_length=4)), "/element/min_length]"),
    "nine digits": (modal(picker(initial_date_time=999_999_999)), "/element/initial_date_time]"),
    "eleven digits": (modal(picker(initial_date_time=10**10)), "/element/initial_date_time]"),
    "date as text": (modal(picker(initial_date_time="1628633820")), "/element/initial_date_time]"),
    "placeholder of a date": (modal(picker(placeholder=plain("When?"))), "/element/placeholder]"),
    "two in focus": (modal(text_input("A", focus_on_load=True), text_input("B", focus_on_load=True)), "/view/blocks]"),
}


@pytest.mark.parametrize("blocks", GOOD_MESSAGES)
def test_what_is_within_the_limits_passes(blocks: list[dict[str, Any]]) -> None:
    """Blocks at their limits are accepted."""
    assert message_problems(blocks) == []


@pytest.mark.parametrize("name", BAD_BLOCKS)
def test_what_breaks_a_limit_is_named_by_its_pointer(name: str) -> None:
    """Each broken rule of a block gives one message that ends in its JSON pointer."""
    block, pointer = BAD_BLOCKS[name]
    problems = message_problems([block])
    assert len(problems) == 1
    assert problems[0].endswith(pointer)


@pytest.mark.parametrize("name", BAD_VIEWS)
def test_what_breaks_a_view_is_named_by_its_pointer(name: str) -> None:
    """Each broken rule of a view gives one message that ends in its JSON pointer."""
    view, pointer = BAD_VIEWS[name]
    problems = view_problems(view)
    assert len(problems) == 1
    assert problems[0].endswith(pointer)


def test_a_modal_with_files_passes() -> None:
    """A file input belongs into a modal, and so may a date with all its fields."""
    assert view_problems(modal(FILES)) == []
    whole = picker(initial_date_time=1628633820, confirm=confirm(), focus_on_load=True)
    assert view_problems(modal(whole)) == []
