"""What each person has read."""

from collections.abc import Iterator
from typing import TypedDict

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
            for message in self.new(user, channel):
                if message.is_reply:
                    key = f"{channel.id}/{message.thread_ts}"
                    found["threads"][key] = found["threads"].get(key, 0) + 1
                else:
                    found["channels"][channel.id] = found["channels"].get(channel.id, 0) + 1
        return found

    def new(self, user: str, channel: Channel) -> Iterator[Message]:
        """What others wrote there and this person has not seen, threads included."""
        for message in channel.messages:
            seen = self._seen.get((user, channel.id, message.thread_ts or "" if message.is_reply else ""), "")
            if message.viewer in (None, user) and message.user != user and message.ts > seen:
                yield message
