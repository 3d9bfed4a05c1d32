"""What was said in the workspace since we last looked."""

from collections.abc import Iterator
from typing import Any

from bot.sandbox.demo.stage import Stage

Message = dict[str, Any]


class Feed:
    """Remembers what was seen, and takes what there is already as seen. Places are named as a person would name them."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._seen = {_identity(message) for _, message in self._all()}

    def has_news(self) -> bool:
        return any(_identity(message) not in self._seen for _, message in self._all())

    def news(self) -> list[tuple[str, Message]]:
        """Where, and what: the oldest first, each once."""
        fresh = [(place, message) for place, message in self._all() if _identity(message) not in self._seen]
        self._seen |= {_identity(message) for _, message in fresh}
        return sorted(fresh, key=lambda found: float(found[1]["ts"]))

    def _all(self) -> Iterator[tuple[str, Message]]:
        slack = self._stage.slack
        for channel in self._stage.channels:
            for message in slack.messages(channel):
                yield f"#{channel.name}", message
                for reply in slack.messages(channel, thread_ts=message["ts"]):
                    yield f"#{channel.name}, thread", reply
            yield from self._for_one(channel.id, f"#{channel.name}")
        for person in self._stage.people:
            for message in person.dms():
                yield f"Direct message to {person.name}", message

    def _for_one(self, channel: str, place: str) -> Iterator[tuple[str, Message]]:
        for person in self._stage.people:
            for message in person.messages(channel):
                if message.get("is_ephemeral"):
                    yield f"{place}, only {person.name} sees this", message


def _identity(message: Message) -> tuple[str, str]:
    return message["channel"], message["ts"]
