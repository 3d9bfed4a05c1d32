"""The parts of Block Kit that this bot uses, as plain dicts (docs.slack.dev/reference/block-kit)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from bot.blocks.text import MAX_TEXT, plain

Block = dict[str, Any]
View = dict[str, Any]


def words(text: str, limit: int = MAX_TEXT) -> Block:
    return {"type": "plain_text", "text": plain(text, limit), "emoji": False}


def mrkdwn(text: str) -> Block:
    """Text that is escaped already. ``verbatim`` keeps Slack from making links of names that somebody else wrote."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def section(text: str) -> Block:
    return {"type": "section", "text": mrkdwn(text)}


def sections(texts: Iterable[str]) -> list[Block]:
    return [section(text) for text in texts]


def context(text: str) -> Block:
    return {"type": "context", "elements": [mrkdwn(text)]}


def header(text: str) -> Block:
    return {"type": "header", "text": words(text, 150)}


def actions(*buttons: Block) -> Block:
    return {"type": "actions", "elements": list(buttons)}


def button(text: str, action_id: str, value: str, style: str = "", confirm: Block | None = None) -> Block:
    made: Block = {"type": "button", "text": words(text, 75), "action_id": action_id, "value": value}
    return made | ({"style": style} if style else {}) | ({"confirm": confirm} if confirm else {})


def link(text: str, action_id: str, url: str, style: str = "") -> Block:
    """A button that opens an address; the bot is told that it was pressed, too."""
    made: Block = {"type": "button", "text": words(text, 75), "action_id": action_id, "url": url}
    return made | ({"style": style} if style else {})


def confirm(title: str, text: str, yes: str, no: str = "Cancel", style: str = "primary") -> Block:
    asked = {"title": words(title, 100), "text": words(text, 300), "confirm": words(yes, 30), "deny": words(no, 30)}
    return {**asked, "style": style}


def option(text: str, value: str, description: str = "") -> Block:
    made: Block = {"text": words(text, 75), "value": value}
    return made | ({"description": words(description, 75)} if description else {})


def choice(action_id: str, kind: str, options: Sequence[Block], chosen: Iterable[str] = (), ask: str = "") -> Block:
    """Radio buttons, checkboxes or a static select. A value that is not on offer is not chosen, or Slack refuses the view."""
    element: Block = {"type": kind, "action_id": action_id, "options": list(options)}
    initial = [one for one in options if one["value"] in set(chosen)]
    if initial:
        element |= {"initial_options": initial} if kind == "checkboxes" else {"initial_option": initial[0]}
    return element | ({"placeholder": words(ask, 150)} if ask else {})


def external(action_id: str, ask: str, chosen: Block | None, *, from_length: int) -> Block:
    """A select whose options come from us; it asks once ``from_length`` characters are typed."""
    element: Block = {"type": "external_select", "action_id": action_id, "min_query_length": from_length}
    return element | {"placeholder": words(ask, 150)} | ({"initial_option": chosen} if chosen else {})


def text_input(action_id: str, value: str = "", ask: str = "", **more: Any) -> Block:
    """``more``: multiline, min_length, max_length."""
    element: Block = {"type": "plain_text_input", "action_id": action_id, **more}
    value = value[: more.get("max_length", MAX_TEXT)]
    return element | ({"initial_value": value} if value else {}) | ({"placeholder": words(ask, 150)} if ask else {})


def moment(action_id: str, value: datetime | None = None) -> Block:
    """A date and a time of day, which people choose in their own time zone.

    It goes there and back in seconds since 1970, of which Slack takes 10 digits: the years 2001 to 2286.
    """
    element: Block = {"type": "datetimepicker", "action_id": action_id}
    seconds = int(value.timestamp()) if value else 0
    return element | ({"initial_date_time": seconds} if 10**9 <= seconds < 10**10 else {})


def field(
    block_id: str, label: str, element: Block, *, hint: str = "", optional: bool = False, dispatch: bool = False
) -> Block:
    made: Block = {"type": "input", "block_id": block_id, "label": words(label, 2000), "element": element}
    made |= {"optional": optional, "dispatch_action": dispatch}
    return made | ({"hint": words(hint, 2000)} if hint else {})


def modal(title: str, blocks: Sequence[Block], *, callback_id: str, metadata: str = "", **texts: str) -> View:
    """``texts``: submit and close, each at most 24 characters."""
    view: View = {"type": "modal", "callback_id": callback_id, "title": words(title, 24), "blocks": list(blocks)}
    view |= {"private_metadata": metadata} if metadata else {}
    return view | {name: words(text, 24) for name, text in texts.items()}


def home(blocks: Sequence[Block], metadata: str) -> View:
    """A home tab, for views.publish: at most 100 blocks."""
    return {"type": "home", "callback_id": "home", "private_metadata": metadata, "blocks": list(blocks)}
