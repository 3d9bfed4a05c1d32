"""What Slack would refuse in a message or a view, by two independent libraries and a rule that neither has.

`slackblocks` and `blockkit` check while their objects are built, so a payload is built anew from them, piece by piece.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import blockkit
import slackblocks
from slackblocks import TextType

_BLOCKKIT = {
    "plain_text": blockkit.Text, "mrkdwn": blockkit.Text, "button": blockkit.Button, "checkboxes": blockkit.Checkboxes,
    "file_input": blockkit.FileInput, "plain_text_input": blockkit.PlainTextInput, "radio_buttons": blockkit.RadioButtons,
    "static_select": blockkit.StaticSelect, "external_select": blockkit.ExternalSelect, "actions": blockkit.Actions,
    "context": blockkit.Context, "header": blockkit.Header, "input": blockkit.Input, "section": blockkit.Section,
    "modal": blockkit.Modal, "home": blockkit.Home, "datetimepicker": blockkit.DatetimePicker,
}  # fmt: skip

_SLACKBLOCKS = {
    "button": slackblocks.Button, "checkboxes": slackblocks.CheckboxGroup, "file_input": slackblocks.FileInput,
    "plain_text_input": slackblocks.PlainTextInput, "radio_buttons": slackblocks.RadioButtonGroup,
    "static_select": slackblocks.StaticSelectMenu, "external_select": slackblocks.ExternalSelectMenu,
    "actions": slackblocks.ActionsBlock, "context": slackblocks.ContextBlock, "header": slackblocks.HeaderBlock,
    "input": slackblocks.InputBlock, "section": slackblocks.SectionBlock, "modal": slackblocks.ModalView,
    "home": slackblocks.HomeTabView, "datetimepicker": slackblocks.DateTimePicker,
}  # fmt: skip


def accept_message(blocks: Sequence[Mapping[str, Any]], text: str = "text") -> None:
    """Raises for what chat.postMessage would refuse."""
    assert text, "a message needs a text for notifications"
    assert len(text) <= 3000
    _unique_ids(blocks)
    message: Any = blockkit.Message(text=text, blocks=[_blockkit(block) for block in blocks])
    message.build()
    repr(slackblocks.Message(channel="C1", text=text, blocks=[_slackblocks(block) for block in blocks]))
    assert len(blocks) <= 50


def accept_view(view: Mapping[str, Any]) -> None:
    """Raises for what views.open, or for a home tab views.publish, would refuse."""
    assert len(view["blocks"]) <= 100, "a view has at most 100 blocks"
    _unique_ids(view["blocks"])
    _blockkit(view).build()
    repr(_slackblocks(view))
    if any(block["type"] == "input" for block in view["blocks"]):
        assert view.get("submit"), "a view with inputs needs a submit button"


def texts(payload: Any) -> Iterator[str]:
    """Every text in it, in order."""
    if isinstance(payload, Mapping):
        if payload.get("type") in ("plain_text", "mrkdwn"):
            yield payload["text"]
        for value in payload.values():
            yield from texts(value)
    elif isinstance(payload, list):
        for value in payload:
            yield from texts(value)


def buttons(blocks: Sequence[Mapping[str, Any]]) -> list[str]:
    """The action ids of the buttons, in order."""
    return [element["action_id"] for block in blocks if block["type"] == "actions" for element in block["elements"]]


def _unique_ids(blocks: Sequence[Mapping[str, Any]]) -> None:
    ids = Counter(block["block_id"] for block in blocks if "block_id" in block)
    assert not [name for name, count in ids.items() if count > 1], "block ids are unique"
    for block in blocks:
        inside = Counter(element.get("action_id") for element in block.get("elements", ()) if "action_id" in element)
        assert not [name for name, count in inside.items() if count > 1], "action ids are unique within a block"


def _blockkit(data: Any) -> Any:
    if isinstance(data, list):
        return [_blockkit(item) for item in data]
    if not isinstance(data, Mapping):
        return data
    fields = {name: _blockkit(value) for name, value in data.items() if name != "type"}
    kind = data.get("type")
    if kind in ("plain_text", "mrkdwn"):
        return blockkit.Text(**fields, type=kind)
    if fields.get("min_query_length") == 0:
        del fields["min_query_length"]  # Slack and slackblocks take 0, which shows options before anything is typed
    return _BLOCKKIT[kind](**fields) if kind else _untyped(data, blockkit.Confirm, blockkit.Option)(**fields)


def _slackblocks(data: Any) -> Any:
    if isinstance(data, list):
        return [_slackblocks(item) for item in data]
    if not isinstance(data, Mapping):
        return data
    fields = {name: _slackblocks(value) for name, value in data.items() if name != "type"}
    kind = data.get("type")
    if "initial_date_time" in fields:
        fields["initial_datetime"] = fields.pop("initial_date_time")
    if kind in ("plain_text", "mrkdwn"):
        return slackblocks.Text(**fields, type_=TextType(kind))
    return (
        _SLACKBLOCKS[kind](**fields) if kind else _untyped(data, slackblocks.ConfirmationDialogue, slackblocks.Option)(**fields)
    )


def _untyped(data: Mapping[str, Any], dialog: Any, option: Any) -> Any:
    """Two kinds of object bear no type."""
    return dialog if "confirm" in data else option
