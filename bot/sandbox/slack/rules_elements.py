"""Block Kit's limits for composition objects and elements.

Sources: docs.slack.dev/reference/block-kit/composition-objects and docs.slack.dev/reference/block-kit/block-elements, one
page each. Elements that are not named here are refused: the sandbox has no way to show them.
"""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack.rules import Check, Report, anything, array, boolean, both, by_type, choice, number, record, string


def plain(maximum: int) -> Check:
    """A text object of type ``plain_text``."""
    return by_type({"plain_text": _text(maximum)})


def any_text(maximum: int) -> Check:
    """A text object of either type."""
    return by_type({"plain_text": _text(maximum), "mrkdwn": _text(maximum, "verbatim")})


def _text(maximum: int, extra: str = "emoji") -> Check:
    return record({"text": string(maximum), extra: boolean}, ["text"])


def _option(text: Check) -> Check:
    fields = {"text": text, "value": string(150), "description": any_text(75), "url": string(3000)}
    return record(fields, ["text", "value"])


OPTION = _option(plain(75))
RICH_OPTION = _option(any_text(75))
OPTION_GROUP = record({"label": plain(75), "options": array(OPTION, 1, 100)}, ["label", "options"])

CONFIRM = record(
    {
        "title": plain(100),
        "text": any_text(300),
        "confirm": plain(30),
        "deny": plain(30),
        "style": choice("primary", "danger"),
    },
    ["title", "text", "confirm", "deny"],
)
_DISPATCH = record(
    {"trigger_actions_on": array(choice("on_enter_pressed", "on_character_entered"), 1, 2)},
)


def _element(required: tuple[str, ...] = (), **fields: Check) -> Check:
    return record({"action_id": string(255), **fields}, required)


def offered(element: dict[str, Any]) -> list[Any]:
    """The options of an element, those of its groups included."""
    groups = element.get("option_groups")
    options = list(element.get("options") or [])
    for group in groups if isinstance(groups, list) else []:
        options += group.get("options") or [] if isinstance(group, dict) else []
    return options


def _initial_is_offered(element: Any, at: str, report: Report) -> None:
    """An initial option must equal one of the options, word for word."""
    options = offered(element)
    first = element.get("initial_option")
    if first is not None and first not in options:
        report.add(f"{at}/initial_option", "must be one of the provided options")
    for index, chosen in enumerate(element.get("initial_options") or []):
        if chosen not in options:
            report.add(f"{at}/initial_options/{index}", "must be one of the provided options")


def _options_or_groups(element: Any, at: str, report: Report) -> None:
    if ("options" in element) == ("option_groups" in element):
        report.add(at, "needs either options or option_groups")


def _length_order(element: Any, at: str, report: Report) -> None:
    low, high = element.get("min_length"), element.get("max_length")
    if isinstance(low, int) and isinstance(high, int) and low > high:
        report.add(f"{at}/min_length", "must not be greater than max_length")


BUTTON = _element(
    ("text",),
    text=plain(75),
    value=string(2000),
    url=string(3000),
    style=choice("primary", "danger"),
    confirm=CONFIRM,
    accessibility_label=string(75),
)
STATIC_SELECT = both(
    _element(
        options=array(OPTION, 1, 100),
        option_groups=array(OPTION_GROUP, 1, 100),
        initial_option=OPTION,
        placeholder=plain(150),
        confirm=CONFIRM,
        focus_on_load=boolean,
    ),
    _options_or_groups,
    _initial_is_offered,
)
EXTERNAL_SELECT = _element(
    initial_option=OPTION,
    min_query_length=number(0, 3000),
    placeholder=plain(150),
    confirm=CONFIRM,
    focus_on_load=boolean,
)
RADIO_BUTTONS = both(
    _element(
        ("options",),
        options=array(RICH_OPTION, 1, 10),
        initial_option=RICH_OPTION,
        confirm=CONFIRM,
        focus_on_load=boolean,
    ),
    _initial_is_offered,
)
CHECKBOXES = both(
    _element(
        ("options",),
        options=array(RICH_OPTION, 1, 10),
        initial_options=array(RICH_OPTION, 1, 10),
        confirm=CONFIRM,
        focus_on_load=boolean,
    ),
    _initial_is_offered,
)
OVERFLOW = _element(("options",), options=array(OPTION, 1, 5), confirm=CONFIRM)
PLAIN_TEXT_INPUT = both(
    _element(
        initial_value=string(3000, 0),
        multiline=boolean,
        min_length=number(0, 3000),
        max_length=number(1, 3000),
        placeholder=plain(150),
        dispatch_action_config=_DISPATCH,
        focus_on_load=boolean,
    ),
    _length_order,
)
FILE_INPUT = _element(filetypes=array(string(255), 1, 100), max_files=number(1, 10))
#: A Unix time "in the format of 10 digits" (datetime-picker-element). Slack takes it in actions blocks, too; the page does not.
DATETIME_PICKER = _element(initial_date_time=number(10**9, 10**10 - 1), confirm=CONFIRM, focus_on_load=boolean)
IMAGE = record({"image_url": string(3000), "alt_text": string(2000), "slack_file": anything}, ["alt_text"])

_SELECTS = {
    "static_select": STATIC_SELECT,
    "external_select": EXTERNAL_SELECT,
    "radio_buttons": RADIO_BUTTONS,
    "checkboxes": CHECKBOXES,
}
#: What each kind of block may hold.
IN_SECTION = {**_SELECTS, "button": BUTTON, "overflow": OVERFLOW, "image": IMAGE}
IN_ACTIONS = {**_SELECTS, "button": BUTTON, "overflow": OVERFLOW}
IN_INPUT = {**_SELECTS, "plain_text_input": PLAIN_TEXT_INPUT, "file_input": FILE_INPUT, "datetimepicker": DATETIME_PICKER}
IN_CONTEXT = {
    "image": IMAGE,
    "plain_text": _text(3000),
    "mrkdwn": _text(3000, "verbatim"),
}
