"""The fields of a view: what stands in them, what an update keeps, and what the client checks before it submits."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.sandbox.slack.errors import PersonRefused
from bot.sandbox.slack.records import Json, View
from bot.sandbox.slack.rules_blocks import elements
from bot.sandbox.slack.rules_elements import offered
from bot.sandbox.slack.state import State

#: What a field is called by: its label, its block or action id, or both ids where one does not say enough.
Name = str | tuple[str, str]

#: The member of ``state.values`` in which each kind of element holds its answer.
_ANSWER = {
    "plain_text_input": "value",
    "static_select": "selected_option",
    "external_select": "selected_option",
    "radio_buttons": "selected_option",
    "checkboxes": "selected_options",
    "file_input": "files",
    "datetimepicker": "selected_date_time",
}


@dataclass(frozen=True)
class Field:
    """One element of a block, with the names a person or a test may call it by."""

    block: Json
    element: Json

    @property
    def key(self) -> tuple[str, str]:
        return self.block["block_id"], self.element["action_id"]

    @property
    def label(self) -> str:
        named = self.block.get("label") or self.block.get("text") or self.element.get("text") or {}
        return str(named.get("text", ""))

    @property
    def names(self) -> set[str]:
        button = self.element.get("text") if self.element["type"] == "button" else None
        placeholder = self.element.get("placeholder") or {}
        return {self.label, *self.key, (button or {}).get("text", ""), placeholder.get("text", "")} - {""}

    def called(self, name: Name) -> bool:
        return name == self.key or name in self.names

    @property
    def has_state(self) -> bool:
        return self.element["type"] in _ANSWER

    @property
    def dispatches(self) -> bool:
        """An element outside an input block always tells the app; one inside only with ``dispatch_action``."""
        return self.block["type"] != "input" or bool(self.block.get("dispatch_action"))


def with_ids(state: State, blocks: list[Json]) -> list[Json]:
    """A copy of the blocks in which missing block and action ids are made up, as Slack does."""
    filled = copy.deepcopy(blocks)
    for block in filled:
        block.setdefault("block_id", state.new_id("b"))
        for _, element in elements(block):
            element.setdefault("action_id", state.new_id("a"))
    return filled


def fields(blocks: list[Json]) -> Iterator[Field]:
    for block in blocks:
        for _, element in elements(block):
            yield Field(block, element)


def find_field(blocks: list[Json], name: Name, kinds: tuple[str, ...] = ()) -> Field:
    """The one field of this label, block id or action id: of these types of element, or any that holds an answer."""
    fitting = [f for f in fields(blocks) if (f.element["type"] in kinds if kinds else f.has_state)]
    found = [f for f in fitting if f.called(name)]
    if not found:
        known = sorted({f.label or f.key[1] for f in fields(blocks)})
        raise PersonRefused(f"There is no {' or '.join(kinds) or 'field'} called {name!r} here; there are {known}.")
    exact = [f for f in found if name in (f.key, f.key[1])]
    if len(found) > 1 and len(exact) != 1:
        raise PersonRefused(f"{name!r} names {len(found)} fields here; call it by its action id.")
    return exact[0] if exact else found[0]


def option_named(options: list[Json], wanted: str) -> Json:
    """The option of this text or value."""
    for option in options:
        if wanted in (option["text"]["text"], option["value"]):
            return option
    known = [option["text"]["text"] for option in options]
    raise PersonRefused(f"There is no option {wanted!r}; there are {known}.")


def initial(element: Json) -> Json:
    """What stands in a field before anybody touched it, in the shape of ``state.values``."""
    kind = element["type"]
    answers: Json = {
        "value": element.get("initial_value") or None,
        "selected_option": element.get("initial_option"),
        "selected_options": element.get("initial_options") or [],
        "files": [],
        "selected_date_time": element.get("initial_date_time"),
    }
    return {"type": kind, _ANSWER[kind]: answers[_ANSWER[kind]]}


def answer(entered: Json) -> Any:
    """The answer itself: a text, an option, options, files or a Unix time."""
    return entered[_ANSWER[entered["type"]]]


def answered(element: Json, value: Any) -> Json:
    """An answer in the shape of ``state.values``."""
    return {"type": element["type"], _ANSWER[element["type"]]: value}


def carry_over(old: dict[tuple[str, str], Json], blocks: list[Json]) -> dict[tuple[str, str], Json]:
    """The fields after an update (docs.slack.dev/surfaces/modals, "Updating views").

    Under the same block id and action id what a person entered stays and initial values are ignored; under new ids the
    initial values count.
    """
    kept: dict[tuple[str, str], Json] = {}
    for field in fields(blocks):
        if field.has_state:
            before = old.get(field.key, {"type": None})
            kept[field.key] = before if _still_fits(field.element, before) else initial(field.element)
    return kept


def _still_fits(element: Json, before: Json) -> bool:
    if before["type"] != element["type"]:
        return False
    if element["type"] in ("static_select", "radio_buttons"):
        return answer(before) is None or answer(before) in offered(element)
    if element["type"] == "checkboxes":
        return all(option in offered(element) for option in answer(before))
    return True


def values(view: View) -> Json:
    """``view.state.values``, by block id and action id."""
    found: dict[str, Json] = {}
    for (block, action), entered in view.entered.items():
        found.setdefault(block, {})[action] = copy.deepcopy(entered)
    return found


def missing_or_wrong(view: View) -> dict[str, str]:
    """What the client itself refuses to submit, as block id -> sentence (docs.slack.dev/reference/block-kit/blocks)."""
    found: dict[str, str] = {}
    for field in fields(view.blocks):
        if field.block["type"] == "input":
            problem = _problem(field, answer(view.entered[field.key]))
            if problem:
                found[field.block["block_id"]] = problem
    return found


def _problem(field: Field, value: Any) -> str | None:
    if not value:
        return None if field.block.get("optional") else "Please complete this required field."
    if field.element["type"] == "plain_text_input":
        return _length_problem(field.element, value)
    return None


def _length_problem(element: Json, text: str) -> str | None:
    low, high = element.get("min_length", 0), element.get("max_length", 3000)
    if len(text) < low:
        return f"Please enter at least {low} characters."
    if len(text) > high:
        return f"Please enter no more than {high} characters."
    return None


def require_fitting_files(element: Json, names: list[str]) -> None:
    """`max_files` and `filetypes` as the client keeps them: by the file's extension only."""
    if len(names) > element.get("max_files", 10):
        raise PersonRefused(f"This field takes at most {element.get('max_files', 10)} files, not {len(names)}.")
    allowed = element.get("filetypes")
    for name in names:
        if allowed and name.rpartition(".")[2].lower() not in allowed:
            raise PersonRefused(f"This field does not take {name!r}, only files of type {', '.join(allowed)}.")
