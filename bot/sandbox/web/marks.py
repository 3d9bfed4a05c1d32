"""What each person has read."""

from typing import TypedDict

from bot.sandbox.slack.conversations import replies, top_level
from bot.sandbox.slack.records import Channel, Message
from bot.sandbox.slack.state import State


class Unread(TypedDict):
    """How much is new, by channel id, and by ``channel/ts`` for threads."""

    channels: dict[str, int]
    threads: dict[str, int]


class Marks:
    """The latest ts that a person has seen of a channel (``thread`` empty) or of a thread. The workspace's lock guards it."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._seen: dict[tuple[str, str, str], str] = {}

    def read(self, user: str, channel: str, thread: str, ts: str) -> None:
        with self._state.changed:
            key = (user, channel, thread)
            if ts > self._seen.get(key, ""):
                self._seen[key] = ts
                self._state.changed.notify_all()

    def unread(self, user: str, channels: list[Channel]) -> Unread:
        """Only what is there; what a person wrote is read by them."""
        found: Unread = {"channels": {}, "threads": {}}
        for channel in channels:
            if new := self._new(user, channel, "", top_level(channel, user)):
                found["channels"][channel.id] = new
            parents = {message.thread_ts for message in channel.messages if message.is_reply and message.thread_ts}
            for ts in parents:
                if new := self._new(user, channel, ts, replies(channel, ts, user)):
                    found["threads"][f"{channel.id}/{ts}"] = new
        return found

    def _new(self, user: str, channel: Channel, thread: str, messages: list[Message]) -> int:
        seen = self._seen.get((user, channel.id, thread), "")
        return sum(message.ts > seen and message.user != user for message in messages)
