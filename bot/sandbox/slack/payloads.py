"""What the app is sent.

docs.slack.dev/reference/interaction-payloads and docs.slack.dev/interactivity/implementing-slash-commands.
"""

from __future__ import annotations

import secrets

from bot.sandbox.slack import views
from bot.sandbox.slack.conversations import to_json
from bot.sandbox.slack.forms import Field, answer
from bot.sandbox.slack.records import Channel, Json, Message, ResponseUrl, View
from bot.sandbox.slack.state import State

_TOKEN = "sandbox-verification"


def _who(state: State, user: str) -> Json:
    member = state.members[user]
    return {"id": user, "username": member.name, "name": member.name, "team_id": member.team or state.team}


def _common(state: State, kind: str, user: str) -> Json:
    return {
        "type": kind,
        "token": _TOKEN,
        "api_app_id": state.app_id,
        "team": {"id": state.team, "domain": "sandbox"},
        "enterprise": None,
        "is_enterprise_install": False,
        "user": _who(state, user),
    }


def _channel_name(channel: Channel) -> str:
    return "privategroup" if channel.private and not channel.im_with else channel.name


def response_url(state: State, kind: str, user: str, channel: str, original: str | None) -> str:
    """An address for at most five answers within 30 minutes (docs.slack.dev/interactivity/handling-user-interaction)."""
    key = secrets.token_hex(12)
    state.response_urls[key] = ResponseUrl(user, channel, state.now(), original)
    return f"{state.origin}/hooks/{kind}/{state.team}/{key}"


def command(state: State, user: str, name: str, text: str, channel: Channel) -> Json:
    return {
        "token": _TOKEN,
        "team_id": state.team,
        "team_domain": "sandbox",
        "channel_id": channel.id,
        "channel_name": _channel_name(channel),
        "user_id": user,
        "user_name": state.members[user].name,
        "command": name,
        "text": text,
        "api_app_id": state.app_id,
        "is_enterprise_install": "false",
        "response_url": response_url(state, "commands", user, channel.id, None),
        "trigger_id": state.new_trigger(user),
    }


def shortcut(state: State, user: str, callback_id: str) -> Json:
    common = _common(state, "shortcut", user)
    return {**common, "callback_id": callback_id, "action_ts": state.new_ts(), "trigger_id": state.new_trigger(user)}


def action(state: State, field: Field, chosen: Json | None) -> Json:
    """One entry of ``actions``: the element, and what stands in it now."""
    element = field.element
    acted: Json = {
        "type": element["type"],
        "action_id": element["action_id"],
        "block_id": field.block["block_id"],
        "action_ts": state.new_ts(),
    }
    if element["type"] == "button":
        return acted | {name: element[name] for name in ("text", "value", "style", "url") if name in element}
    return acted | {name: value for name, value in (chosen or {}).items() if name != "type"}


def message_action(state: State, user: str, channel: Channel, message: Message, acted: Json, chosen: Json) -> Json:
    """A click in a message; the source message is not included where it is ephemeral."""
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": message.viewer is not None,
    }
    if message.is_reply:
        container["thread_ts"] = message.thread_ts
    payload = {
        **_common(state, "block_actions", user),
        "container": container,
        "trigger_id": state.new_trigger(user),
        "channel": {"id": channel.id, "name": _channel_name(channel)},
        "state": {"values": chosen},
        "response_url": response_url(state, "actions", user, channel.id, message.ts),
        "actions": [acted],
    }
    return payload if message.viewer else payload | {"message": to_json(channel, message)}


def view_action(state: State, view: View, acted: Json) -> Json:
    modal = view.given["type"] == "modal"
    return {
        **_common(state, "block_actions", view.user),
        "container": {"type": "view", "view_id": view.id},
        "trigger_id": state.new_trigger(view.user, view.id if modal else None),
        "view": views.to_json(state, view),
        "actions": [acted],
    }


def suggestion(state: State, view: View, field: Field, query: str) -> Json:
    block, element = field.key
    return {
        **_common(state, "block_suggestion", view.user),
        "container": {"type": "view", "view_id": view.id},
        "block_id": block,
        "action_id": element,
        "value": query,
        "view": views.to_json(state, view),
    }


def submission(state: State, view: View) -> Json:
    """The files of the form become visible to the app with this."""
    for entered in view.entered.values():
        for given in answer(entered) if entered["type"] == "file_input" else []:
            state.files[given["id"]].seen_by_app = True
    return {
        **_common(state, "view_submission", view.user),
        "trigger_id": state.new_trigger(view.user, view.id),
        "view": views.to_json(state, view),
        "response_urls": [],
    }


def closed(state: State, view: View, *, cleared: bool) -> Json:
    common = _common(state, "view_closed", view.user)
    return {**common, "view": views.to_json(state, view), "is_cleared": cleared}


def event(state: State, inner: Json) -> Json:
    """docs.slack.dev/apis/events-api, "Event payload"; the same event keeps its id when it is sent again."""
    bot = {"enterprise_id": None, "team_id": state.team, "user_id": state.bot_user, "is_bot": True}
    return {
        "token": _TOKEN,
        "team_id": state.team,
        "api_app_id": state.app_id,
        "type": "event_callback",
        "event": inner,
        "event_id": state.new_id("Ev"),
        "event_time": int(state.now().timestamp()),
        "authorizations": [bot | {"is_enterprise_install": False}],
        "is_ext_shared_channel": False,
    }
