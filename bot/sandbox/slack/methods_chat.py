"""chat.*: docs.slack.dev/reference/methods, the page of each name."""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack.asked import Asked, Method
from bot.sandbox.slack.conversations import (
    edit,
    joined_channel,
    post,
    remove,
    require_content,
    to_json,
    visible_channel,
)
from bot.sandbox.slack.errors import ApiRefusal
from bot.sandbox.slack.records import Channel, Json, Message
from bot.sandbox.slack.rules_blocks import require_blocks


def _blocks(asked: Asked) -> list[Json] | None:
    blocks = asked.json("blocks", "invalid_blocks_format")
    if blocks is not None and not isinstance(blocks, list):
        raise ApiRefusal("invalid_blocks_format")
    return blocks


def _metadata(asked: Asked) -> Json | None:
    """docs.slack.dev/messaging/message-metadata: an event type and a flat or nested payload."""
    given: Any = asked.json("metadata", "invalid_metadata_format")
    if given is None:
        return None
    if given == {}:
        return {}
    if not isinstance(given, dict) or not isinstance(given.get("event_type"), str):
        raise ApiRefusal("invalid_metadata_schema")
    if not isinstance(given.get("event_payload"), dict) or set(given) - {"event_type", "event_payload"}:
        raise ApiRefusal("invalid_metadata_schema")
    return given


def _destination(asked: Asked) -> Channel:
    """Where a message goes: a conversation, or the direct conversation of a person named by user id."""
    name, state = asked.required("channel"), asked.state
    if name in state.members and name != state.bot_user:
        return state.im(name)
    channel = visible_channel(state, name)
    if state.bot_user not in channel.members and "chat:write.public" not in state.app.scopes:
        raise ApiRefusal("not_in_channel")
    return channel


def _thread(asked: Asked, channel: Channel) -> str | None:
    """The thread's parent; an unknown one makes a message of its own, as Slack does."""
    wanted = asked.text("thread_ts")
    parent = channel.find(wanted) if wanted else None
    if parent is None or parent.viewer:
        return None
    return parent.thread_ts if parent.is_reply else parent.ts


def post_message(asked: Asked) -> Json:
    channel = _destination(asked)
    if channel.im_with and not asked.state.app.messages_tab:
        raise ApiRefusal("messages_tab_disabled")
    text, blocks, metadata = asked.text("text"), _blocks(asked), _metadata(asked)
    require_content(text, blocks)
    thread = _thread(asked, channel)
    message = post(asked.state, channel, text=text, blocks=blocks, thread_ts=thread, metadata=metadata or None)
    asked.call.effect = message.ts
    return {"channel": channel.id, "ts": message.ts, "message": to_json(channel, message)}


def post_ephemeral(asked: Asked) -> Json:
    channel = joined_channel(asked.state, asked.required("channel"))
    user = asked.required("user")
    if user not in channel.members:
        raise ApiRefusal("user_not_in_channel")
    text, blocks = asked.text("text"), _blocks(asked)
    require_content(text, blocks)
    thread = _thread(asked, channel)
    message = post(asked.state, channel, text=text, blocks=blocks, thread_ts=thread, viewer=user)
    asked.call.effect = message.ts
    return {"message_ts": message.ts}


def _kept_message(asked: Asked) -> tuple[Channel, Message]:
    channel = visible_channel(asked.state, asked.required("channel"))
    message = channel.find(asked.required("ts"))
    if message is None or message.viewer:
        raise ApiRefusal("message_not_found")
    return channel, message


def update(asked: Asked) -> Json:
    channel, message = _kept_message(asked)
    if message.user != asked.state.bot_user:
        raise ApiRefusal("cant_update_message")
    text = asked.text("text") if asked.args.get("text") is not None else None
    blocks, metadata = _blocks(asked), _metadata(asked)
    if blocks:
        require_blocks(blocks)
    elif text is None and blocks is None:
        raise ApiRefusal("no_text")
    if text is not None:
        require_content(text or " ", None)
    edit(asked.state, message, text, blocks)
    if metadata is not None:
        message.metadata = metadata or None
    asked.call.effect = message.ts
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": to_json(channel, message)}


def delete(asked: Asked) -> Json:
    channel, message = _kept_message(asked)
    if message.user != asked.state.bot_user:
        raise ApiRefusal("cant_delete_message")
    remove(asked.state, channel, message)
    asked.call.effect = message.ts
    return {"channel": channel.id, "ts": message.ts}


def get_permalink(asked: Asked) -> Json:
    channel = visible_channel(asked.state, asked.required("channel"))
    message = channel.find(asked.required("message_ts"))
    if message is None or message.viewer:
        raise ApiRefusal("message_not_found")
    link = f"{asked.state.origin}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.is_reply:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


METHODS = {
    "chat.postMessage": Method(post_message, "chat:write"),
    "chat.postEphemeral": Method(post_ephemeral, "chat:write"),
    "chat.update": Method(update, "chat:write"),
    "chat.delete": Method(delete, "chat:write"),
    "chat.getPermalink": Method(get_permalink),
}
