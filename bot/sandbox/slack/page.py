"""A plain page to look at: every conversation, read-only."""

from __future__ import annotations

from html import escape

from bot.sandbox.slack.conversations import replies, to_json, top_level
from bot.sandbox.slack.records import Channel, Message
from bot.sandbox.slack.state import State
from bot.sandbox.slack.text import Reader

_HEAD = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Sandbox</title><style>
body { font-family: sans-serif; max-width: 50rem; margin: 2rem auto; }
pre { white-space: pre-wrap; font-family: inherit; margin: 0.3rem 0 1rem; }
.reply { margin-left: 2rem; } .who { font-weight: bold; }
</style></head><body><h1>Sandbox</h1>
<p>This is a sandbox, not Slack. The page only shows; load it again to see what is new.</p>
"""


def render(state: State) -> str:
    """All conversations as one HTML page. Messages that only one person sees are marked."""
    with state.changed:
        parts = [_channel(state, channel) for channel in state.channels.values()]
    return _HEAD + "".join(parts) + "</body></html>"


def _channel(state: State, channel: Channel) -> str:
    other = state.members.get(channel.im_with or "")
    title = f"Direct messages with {other.name}" if other else f"#{channel.name}"
    shown = [f"<h2>{escape(title)}</h2>"]
    viewers = {message.viewer for message in channel.messages}
    messages = {m.ts: m for viewer in viewers for m in top_level(channel, viewer)}
    for ts in sorted(messages):
        shown.append(_message(state, channel, messages[ts]))
        shown += [_message(state, channel, reply) for reply in replies(channel, ts)]
    return "".join(shown)


def _message(state: State, channel: Channel, message: Message) -> str:
    name = state.members[message.user].name if message.user in state.members else message.user
    viewer = state.members.get(message.viewer or "")
    only = f" (only {viewer.name} sees this)" if viewer else ""
    words = Reader(state).read(to_json(channel, message))
    kind = "reply" if message.is_reply else "top"
    return f'<div class="{kind}"><span class="who">{escape(name + only)}</span><pre>{escape(words)}</pre></div>'
