"""Channels, threads and direct messages: who may see what, what is posted, what the history shows."""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack.errors import ApiRefusal
from bot.sandbox.slack.forms import with_ids
from bot.sandbox.slack.records import Channel, Json, Message
from bot.sandbox.slack.rules_blocks import require_blocks
from bot.sandbox.slack.state import State

TEXT_LIMIT = 40_000


def visible_channel(state: State, name: str) -> Channel:
    """A conversation that the app can see; private ones it is not in do not exist for it."""
    channel = state.channels.get(name)
    if channel is None:
        wanted = name.removeprefix("#")
        channel = next((c for c in state.channels.values() if c.name == wanted and not c.im_with), None)
    if channel is None or (channel.private and state.bot_user not in channel.members):
        raise ApiRefusal("channel_not_found")
    return channel


def joined_channel(state: State, name: str) -> Channel:
    """A conversation that the app is a member of."""
    channel = visible_channel(state, name)
    if state.bot_user not in channel.members:
        raise ApiRefusal("not_in_channel")
    return channel


def scope_family(channel: Channel) -> str:
    """The first half of the scopes for this kind of conversation (docs.slack.dev/reference/scopes)."""
    if channel.im_with:
        return "im"
    return "groups" if channel.private else "channels"


def require_content(text: str, blocks: list[Json] | None) -> None:
    """The rules for text and blocks of docs.slack.dev/reference/methods/chat.postMessage."""
    if len(text) > TEXT_LIMIT:
        raise ApiRefusal("msg_too_long")
    if blocks:
        require_blocks(blocks)
    elif not text:
        raise ApiRefusal("no_text")


def post(
    state: State,
    channel: Channel,
    *,
    text: str,
    blocks: list[Json] | None,
    thread_ts: str | None = None,
    metadata: Json | None = None,
    viewer: str | None = None,
    user: str | None = None,
    files: list[Json] | None = None,
) -> Message:
    """Add a message to a conversation; the bot's own unless `user` says otherwise."""
    message = Message(
        ts=state.new_ts(),
        channel=channel.id,
        user=user or state.bot_user,
        bot_id=None if user else state.bot_id,
        text=text,
        blocks=with_ids(state, blocks or []),
        thread_ts=thread_ts,
        metadata=metadata,
        viewer=viewer,
        files=files or [],
    )
    channel.messages.append(message)
    state.changed.notify_all()
    return message


def edit(state: State, message: Message, text: str | None, blocks: list[Json] | None) -> None:
    """Replace text and blocks; what is None stays (docs.slack.dev/reference/methods/chat.update)."""
    if text is not None:
        message.text = text
    if blocks is not None:
        message.blocks = with_ids(state, blocks)
    if message.viewer is None:
        message.edited_ts = state.new_ts()
    state.changed.notify_all()


def remove(state: State, channel: Channel, message: Message) -> None:
    """Delete a message. One that has replies leaves a tombstone, which is Slack's own, and its thread stays."""
    if message.is_reply or not replies(channel, message.ts):
        channel.messages.remove(message)
    else:
        message.user, message.bot_id, message.subtype = "USLACKBOT", None, "tombstone"
        message.text, message.blocks, message.metadata = "This message was deleted.", [], None
    state.changed.notify_all()


def replies(channel: Channel, ts: str, viewer: str | None = None) -> list[Message]:
    """A thread in order, its parent not included."""
    return [m for m in channel.messages if m.is_reply and m.thread_ts == ts and m.viewer in (None, viewer)]


def top_level(channel: Channel, viewer: str | None = None) -> list[Message]:
    """What stands in the channel itself, oldest first."""
    return [m for m in channel.messages if not m.is_reply and m.viewer in (None, viewer)]


def to_json(channel: Channel, message: Message, *, metadata: bool = False) -> Json:
    """A message as the Web API shows it (docs.slack.dev/reference/events/message)."""
    shown: dict[str, Any] = {"type": "message", "user": message.user, "ts": message.ts, "text": message.text}
    if message.subtype:
        shown |= {"subtype": message.subtype, "hidden": True}
    if message.bot_id:
        shown |= {"bot_id": message.bot_id, "app_id": "A0SANDBOX", "team": "T0SANDBOX"}
    if message.blocks:
        shown["blocks"] = message.blocks
    if message.files:
        shown["files"] = message.files
    if message.edited_ts:
        shown["edited"] = {"user": message.user, "ts": message.edited_ts}
    if metadata and message.metadata:
        shown["metadata"] = message.metadata
    if message.viewer:
        shown["is_ephemeral"] = True
    return shown | _thread(channel, message)


def _thread(channel: Channel, message: Message) -> Json:
    if message.is_reply:
        return {"thread_ts": message.thread_ts, "parent_user_id": message.user}
    below = replies(channel, message.ts)
    if not below or message.viewer:
        return {}
    users = sorted({reply.user for reply in below})
    return {"thread_ts": message.ts, "reply_count": len(below), "reply_users": users, "latest_reply": below[-1].ts}
