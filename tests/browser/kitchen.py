"""Blocks of every kind, as an app other than ours might make them."""

from typing import Any

from tests.unit.slack_app import modal, plain, text_input

Block = dict[str, Any]


def mrkdwn(text: str, **more: Any) -> Block:
    return {"type": "mrkdwn", "text": text, **more}


def section(text: str, **more: Any) -> Block:
    return {"type": "section", "text": mrkdwn(text), **more}


def option(text: str, about: str = "") -> Block:
    made: Block = {"text": plain(text), "value": text.lower()}
    return made | ({"description": plain(about)} if about else {})


def button(text: str, **more: Any) -> Block:
    return {"type": "button", "text": plain(text), "action_id": text.lower(), **more}


def confirm(title: str) -> Block:
    return {
        "title": plain(title),
        "text": plain("This cannot be undone."),
        "confirm": plain("Do it"),
        "deny": plain("Leave it"),
    }


def field(label: str, kind: str, **more: Any) -> Block:
    element = {"type": kind, "action_id": "it", **more}
    return {"type": "input", "block_id": label.lower(), "label": plain(label), "element": element}


RICH: Block = {
    "type": "rich_text",
    "elements": [
        {"type": "rich_text_section", "elements": [{"type": "text", "text": "rich and bold", "style": {"bold": True}}]},
        {"type": "rich_text_list", "style": "bullet", "elements": [
            {"type": "rich_text_section", "elements": [{"type": "text", "text": "an item"}]},
        ]},
        {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "rich code"}]},
    ],
}  # fmt: skip

OPTIONS = [option("Red", "like a rose"), option("Green"), option("Blue")]

FORM = modal(
    section("*Everything* in one form"),
    text_input("Name", placeholder=plain("Your name"), max_length=20),
    text_input("Story", multiline=True, initial_value="Once upon a time"),
    field("Colour", "static_select", options=OPTIONS, placeholder=plain("Pick a colour")),
    field("City", "external_select", min_query_length=2, placeholder=plain("Search a city")),
    field("Size", "radio_buttons", options=[option("Small"), option("Large")]),
    {**field("Extras", "checkboxes", options=[option("Milk"), option("Sugar")]), "optional": True},
    {**field("When", "datetimepicker"), "optional": True},
    {**field("Papers", "file_input", filetypes=["pem", "crt"], max_files=2), "optional": True},
    {"type": "actions", "block_id": "more", "elements": [button("Push"), button("Grow")]},
    title="Kitchen",
)
