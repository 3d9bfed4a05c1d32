"""Modals and home tabs: their stacks, their hashes, and what the answer to a submission does to them.

docs.slack.dev/surfaces/modals and the pages of views.open, views.push, views.update and views.publish.
"""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack.errors import ApiRefusal
from bot.sandbox.slack.forms import carry_over, values, with_ids
from bot.sandbox.slack.records import Json, View
from bot.sandbox.slack.rules_blocks import require_view
from bot.sandbox.slack.state import State

STACK_LIMIT = 3


def to_json(state: State, view: View) -> Json:
    """A view as payloads and answers show it (docs.slack.dev/reference/views)."""
    given = view.given
    shown: Json = {
        "id": view.id,
        "team_id": state.team,
        "app_id": state.app_id,
        "app_installed_team_id": state.team,
        "bot_id": state.bot_id,
        "type": given["type"],
        "title": given.get("title"),
        "submit": given.get("submit"),
        "close": given.get("close"),
        "blocks": view.blocks,
        "state": {"values": values(view)},
        "hash": view.hash,
        "private_metadata": given.get("private_metadata", ""),
        "callback_id": given.get("callback_id", ""),
        "external_id": given.get("external_id", ""),
        "root_view_id": view.root_id,
        "previous_view_id": view.previous_id,
        "clear_on_close": given.get("clear_on_close", False),
        "notify_on_close": given.get("notify_on_close", False),
    }
    return shown


def _new_hash(state: State) -> str:
    return f"{int(state.now().timestamp())}.{next(state.ids):08x}"


def _filled(state: State, given: Json) -> Json:
    return {**given, "blocks": with_ids(state, given.get("blocks") or [])}


def _create(state: State, user: str, given: Json, below: View | None) -> View:
    filled = _filled(state, given)
    identity = state.new_id("V")
    view = View(
        id=identity,
        user=user,
        given=filled,
        hash=_new_hash(state),
        root_id=below.root_id if below else identity,
        previous_id=below.id if below else None,
        entered=carry_over({}, filled["blocks"]),
    )
    state.views[identity] = view
    return view


def _require_new_external_id(state: State, given: Json, but: View | None = None) -> None:
    wanted = given.get("external_id")
    for view in state.views.values():
        if wanted and view.open and view is not but and view.given.get("external_id") == wanted:
            raise ApiRefusal("duplicate_external_id")


def require_modal(given: Any) -> None:
    """Raise unless this is a valid view of type ``modal``."""
    require_view(given)
    if given["type"] != "modal":
        raise ApiRefusal.with_messages("invalid_arguments", ["[ERROR] must be a modal [json-pointer:/view/type]"])


def open_modal(state: State, trigger_id: str, given: Any, at: float) -> View:
    """``views.open``: whatever modal the person had open gives way."""
    require_modal(given)
    _require_new_external_id(state, given)
    trigger = state.exchange(trigger_id, at)
    clear(state, trigger.user)
    view = _create(state, trigger.user, given, None)
    state.stacks[trigger.user] = [view]
    state.changed.notify_all()
    return view


def push_modal(state: State, trigger_id: str, given: Any, at: float) -> View:
    """``views.push``: on top of the modal in which the trigger arose; three are the most."""
    require_modal(given)
    _require_new_external_id(state, given)
    trigger = state.exchange(trigger_id, at)
    if trigger.view is None or not state.views[trigger.view].open:
        raise ApiRefusal("not_found")
    return push_on(state, state.views[trigger.view], given)


def push_on(state: State, below: View, given: Json) -> View:
    stack = state.stacks[below.user]
    if len(stack) >= STACK_LIMIT:
        raise ApiRefusal("push_limit_reached")
    view = _create(state, below.user, given, stack[-1])
    stack.append(view)
    state.changed.notify_all()
    return view


def find_open(state: State, view_id: str | None, external_id: str | None) -> View:
    for view in state.views.values():
        if view.open and (view.id == view_id or (external_id and view.given.get("external_id") == external_id)):
            return view
    raise ApiRefusal("not_found")


def update(state: State, view: View, given: Any, expected_hash: str | None = None) -> View:
    """Put another view in the place of this one, under the same id and a new hash."""
    require_view(given)
    if given["type"] != view.given["type"]:
        raise ApiRefusal.with_messages("invalid_arguments", ["[ERROR] the type cannot be changed [json-pointer:/view/type]"])
    if expected_hash is not None and expected_hash != view.hash:
        raise ApiRefusal("hash_conflict")
    _require_new_external_id(state, given, but=view)
    view.given = _filled(state, given)
    view.entered = carry_over(view.entered, view.blocks)
    view.errors = {}
    view.hash = _new_hash(state)
    state.changed.notify_all()
    return view


def publish(state: State, user: str, given: Any, expected_hash: str | None) -> View:
    """``views.publish``: the person's home tab. A hash must be that of what was published last."""
    require_view(given)
    if given["type"] != "home":
        raise ApiRefusal.with_messages("invalid_arguments", ["[ERROR] must be a home tab [json-pointer:/view/type]"])
    if not state.app.home_tab:
        raise ApiRefusal("not_enabled")
    if user not in state.homes:
        if expected_hash is not None:
            raise ApiRefusal("hash_conflict")
        _require_new_external_id(state, given)
        state.homes[user] = _create(state, user, given, None)
        state.changed.notify_all()
        return state.homes[user]
    return update(state, state.homes[user], given, expected_hash)


def close_one(state: State, view: View) -> None:
    """Take one view off its stack; the one below becomes visible."""
    view.open = False
    stack = state.stacks.get(view.user, [])
    if view in stack:
        stack.remove(view)
    state.changed.notify_all()


def clear(state: State, user: str) -> list[View]:
    """Close every modal of this person; the answer holds those that were open, the visible one last."""
    closed = state.stacks.pop(user, [])
    for view in closed:
        view.open = False
    state.changed.notify_all()
    return closed


def apply_answer(state: State, view: View, ack: Json | None) -> str | None:
    """Do what the answer to a submission says; a sentence if it cannot be done.

    docs.slack.dev/surfaces/modals, "Responding to view submissions". What arrives last wins: a ``views.update`` that came
    before this answer is overwritten by it.
    """
    action = (ack or {}).get("response_action")
    if not ack:
        close_one(state, view)
        return None
    if not view.open and action != "clear":
        return "The view was closed before its submission was answered."
    try:
        return _apply(state, view, ack, action)
    except ApiRefusal as refusal:
        return f"{refusal.error}: {refusal.fields.get('errors', '')}"


def _apply(state: State, view: View, ack: Json, action: object) -> str | None:
    if action == "errors":
        return _show_errors(state, view, ack.get("errors"))
    if action == "clear":
        clear(state, view.user)
    elif action == "update":
        require_modal(ack.get("view"))
        update(state, view, ack["view"])
    elif action == "push":
        require_modal(ack.get("view"))
        push_on(state, view, ack["view"])
    else:
        return f"The answer to a submission cannot be {ack!r}."
    return None


def _show_errors(state: State, view: View, errors: Any) -> str | None:
    inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors:
        return "The answer names no errors."
    unknown = sorted(set(errors) - inputs)
    if unknown:
        return f"The errors name blocks that are no input blocks of this view: {unknown}."
    if not all(isinstance(sentence, str) and sentence for sentence in errors.values()):
        return "An error must be a sentence."
    view.errors = dict(errors)
    state.changed.notify_all()
    return None
