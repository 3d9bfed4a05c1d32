"""The rules by which the other tests judge blocks find what Slack would refuse."""

from typing import Any

import pytest

from bot.blocks import parts
from tests.unit.blockkit_rules import accept_message, accept_view

BUTTON = parts.button("Go", "go", "1")
FIELD = parts.field("f0:a", "A", parts.text_input("a"))


def a_view(*blocks: Any, **changes: Any) -> dict[str, Any]:
    return {**parts.modal("T", blocks or [FIELD], callback_id="c", submit="Go"), **changes}


@pytest.mark.parametrize(
    "blocks",
    [
        [parts.section("x" * 3001)],
        [parts.section("")],
        [parts.section("x")] * 51,
        [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}],
        [{"type": "header", "text": parts.mrkdwn("x")}],
        [parts.actions(BUTTON, BUTTON)],
        [parts.actions(BUTTON | {"value": "x" * 2001})],
        [parts.actions(BUTTON | {"style": "loud"})],
        [parts.actions(BUTTON | {"text": {"type": "plain_text", "text": "x" * 76}})],
        [parts.actions(*(parts.button("Go", f"go{n}", "1") for n in range(26)))],
    ],
)
def test_bad_messages_are_found(blocks: list[dict[str, Any]]) -> None:
    """Each planted mistake in a message is found."""
    with pytest.raises(Exception, match=r".+"):
        accept_message(blocks)


@pytest.mark.parametrize(
    "view",
    [
        a_view(title={"type": "plain_text", "text": "x" * 25}),
        a_view(submit={"type": "plain_text", "text": "x" * 25}),
        a_view(private_metadata="x" * 3001),
        a_view(callback_id="x" * 256),
        a_view(FIELD, FIELD),
        a_view(*[parts.section("x")] * 101),
        {key: value for key, value in a_view().items() if key != "submit"},
        a_view(parts.field("f", "A", parts.choice("a", "static_select", []))),
        a_view(parts.field("f", "A", parts.choice("a", "static_select", [parts.option("x", "1")] * 101))),
        a_view(parts.field("f", "A", {**parts.choice("a", "radio_buttons", [parts.option("x", "1")]),
                                      "initial_option": parts.option("y", "2")})),
        a_view(parts.field("f", "A", {"type": "file_input", "action_id": "a", "max_files": 11})),
    ],
)  # fmt: skip
def test_bad_views_are_found(view: dict[str, Any]) -> None:
    """Each planted mistake in a view is found."""
    with pytest.raises(Exception, match=r".+"):
        accept_view(view)


def test_good_ones_are_accepted() -> None:
    """What is right passes."""
    accept_message([parts.header("T"), parts.section("x"), parts.context("y"), parts.actions(BUTTON)])
    accept_view(a_view())
