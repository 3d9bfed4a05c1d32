"""views.*: docs.slack.dev/reference/methods, the page of each name."""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack import views
from bot.sandbox.slack.asked import Asked, Method, bad_argument
from bot.sandbox.slack.records import Json, View


def _view(asked: Asked) -> Any:
    given = asked.json("view", "invalid_arguments")
    if given is None:
        raise bad_argument("missing required field: view", "/view")
    return given


def _shown(asked: Asked, view: View) -> Json:
    asked.call.effect = view.id
    return {"view": views.to_json(asked.state, view)}


def open_(asked: Asked) -> Json:
    trigger = asked.required("trigger_id")
    return _shown(asked, views.open_modal(asked.state, trigger, _view(asked), asked.call.started_at))


def push(asked: Asked) -> Json:
    trigger = asked.required("trigger_id")
    return _shown(asked, views.push_modal(asked.state, trigger, _view(asked), asked.call.started_at))


def update(asked: Asked) -> Json:
    view_id, external_id = asked.text("view_id"), asked.text("external_id")
    if not view_id and not external_id:
        raise bad_argument("missing required field: view_id", "/view_id")
    given = _view(asked)
    found = views.find_open(asked.state, view_id, external_id)
    return _shown(asked, views.update(asked.state, found, given, asked.text("hash") or None))


def publish(asked: Asked) -> Json:
    user = asked.required("user_id")
    if user not in asked.state.members or asked.state.members[user].is_bot:
        raise bad_argument("invalid `user_id`", "/user_id")
    return _shown(asked, views.publish(asked.state, user, _view(asked), asked.text("hash") or None))


METHODS = {
    "views.open": Method(open_),
    "views.push": Method(push),
    "views.update": Method(update),
    "views.publish": Method(publish),
}
