"""What one person sees, cut into named pieces of JSON, so that only what changed has to be sent."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from bot.sandbox.slack import Channel, Modal, Person, Workspace
from bot.sandbox.slack.conversations import to_json
from bot.sandbox.slack.records import Json, Member, Message
from bot.sandbox.web.marks import Marks
from bot.sandbox.web.panel import Panel
from bot.sandbox.web.samples import Sample
from bot.sandbox.web.served import Handshakes


class Clock(Protocol):
    """The sandbox's time, which can be put forward."""

    def __call__(self) -> datetime: ...

    def advance(self, **by: float) -> None: ...


@dataclass
class _Written:
    """A message as JSON, and what it was made from."""

    text: str
    blocks: list[Json]
    below: tuple[Any, ...]
    dumped: str

    def stands(self, message: Message, below: tuple[Any, ...]) -> bool:
        return self.text == message.text and self.blocks is message.blocks and self.below == below


class Board:
    def __init__(
        self,
        workspace: Workspace,
        panels: Sequence[Panel],
        handshakes: Handshakes,
        clock: Clock | None,
        people: Sequence[tuple[Person, str]],
        home: Channel,
        marks: Marks,
        files: Sequence[Sample],
    ) -> None:
        self._workspace, self._state = workspace, workspace.state
        self._panels, self._handshakes, self._clock = panels, handshakes, clock
        self._people, self._home, self._marks = people, home, marks
        self._files = [[sample.name, sample.about] for sample in files]
        self._written: dict[tuple[str, str], _Written] = {}

    def first(self) -> str:
        """As whom the page opens."""
        return self._people[0][0].id

    def may_act_as(self, user: str) -> bool:
        return any(person.id == user for person, _ in self._people)

    def pieces(self, user: str) -> dict[str, str]:
        """Each piece by its name, as JSON."""
        with self._state.changed:
            made = self._messages(user) | {name: _dump(value) for name, value in self._slack(user)}
        for panel in self._panels:
            served = self._handshakes.of(panel.name)
            made[f"pbx:{panel.name}"] = _dump({**panel.shown(), "served": served})
        made["clock"] = _dump(self._time())
        return made

    def _time(self) -> dict[str, Any]:
        skipped = round((self._clock() - datetime.now(UTC)).total_seconds()) if self._clock else 0
        return {"skipped": skipped, "can": self._clock is not None}

    def _slack(self, user: str) -> list[tuple[str, Any]]:
        person = self._workspace.person(user)
        channels = self._channels(user)
        unread = self._marks.unread(user, channels)
        home = person.home
        return [
            ("me", {"id": person.id, "name": person.name}),
            ("workspace", self._about()),
            ("people", [self._person(one, role) for one, role in self._people]),
            ("names", self._names()),
            ("unread", unread),
            ("modals", [_view(modal) for modal in person.modals]),
            ("home", _view(home) if home else None),
            ("notices", person.notices),
            *((f"channel:{channel.id}", self._channel(channel, user)) for channel in channels),
        ]

    def _channels(self, user: str) -> list[Channel]:
        """What this person can look at; the conversation with the bot is there from the start."""
        self._state.im(user)
        return [one for one in self._state.channels.values() if user in one.members or not one.private]

    def _about(self) -> dict[str, Any]:
        app = self._state.app
        return {
            "app": app.bot_name,
            "bot": self._state.bot_user,
            "home": self._home.id,
            "home_tab": app.home_tab,
            "messages_tab": app.messages_tab,
            "can_write": app.people_may_write_to_it,
            "connected": self._workspace.connected,
            "commands": [[name, item.get("usage_hint", ""), item["description"]] for name, item in app.commands.items()],
            "shortcuts": [
                [key, item["name"], item["description"]] for key, item in app.shortcuts.items() if item["type"] == "global"
            ],
            "samples": self._files,
        }

    def _names(self) -> dict[str, Any]:
        state = self._state
        return {
            "users": {member.id: member.name for member in state.members.values()},
            "groups": {group.id: group.handle for group in state.groups.values()},
            "channels": {channel.id: channel.name for channel in state.channels.values() if not channel.im_with},
        }

    def _person(self, person: Person, role: str) -> dict[str, Any]:
        """Whom to act as, and how much waits for them: what came by direct message, or mentions them."""
        groups = [group.id for group in self._state.groups.values() if person.id in group.members]
        calls = [f"<@{person.id}>", *(f"<!subteam^{group}>" for group in groups)]
        waiting = 0
        for channel in self._channels(person.id):
            below = _threads(channel)
            for message in self._marks.new(person.id, channel):
                words = self._dumped(channel, message, below.get(message.ts, ()))
                waiting += channel.im_with is not None or any(call in words for call in calls)
        return {"id": person.id, "name": person.name, "role": _marked(self._state.members[person.id], role), "waiting": waiting}

    def _channel(self, channel: Channel, user: str) -> dict[str, Any]:
        return {
            "id": channel.id,
            "name": channel.name,
            "private": channel.private,
            "im": channel.im_with is not None,
            "member": user in channel.members,
            "people": len(channel.members),
        }

    def _messages(self, user: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for channel in self._channels(user):
            below: dict[str, tuple[Any, ...]] = _threads(channel)
            for message in channel.messages:
                if message.viewer in (None, user):
                    key = f"message:{channel.id}:{message.ts}"
                    found[key] = self._dumped(channel, message, below.get(message.ts, ()))
        return found

    def _dumped(self, channel: Channel, message: Message, below: tuple[Any, ...]) -> str:
        key = (channel.id, message.ts)
        known = self._written.get(key)
        if known is None or not known.stands(message, below):
            shown = to_json(channel, message) | {"channel": channel.id}
            known = self._written[key] = _Written(message.text, message.blocks, below, _dump(shown))
        return known.dumped


def _marked(member: Member, role: str) -> str:
    """The role, and what Slack's own badge beside the name would say."""
    if member.deleted:
        return f"{role}, deactivated"
    badge = "guest" if member.guest else "app" if member.is_bot else "other workspace" if member.team else ""
    return f"{role}, {badge}" if badge else role


def _threads(channel: Channel) -> dict[str, tuple[Any, ...]]:
    """By the parent's ts, what of a thread is shown beside its parent."""
    found: dict[str, tuple[Any, ...]] = {}
    for message in channel.messages:
        if message.is_reply and message.thread_ts:
            found[message.thread_ts] = (*found.get(message.thread_ts, ()), message.ts)
    return found


def _view(modal: Modal) -> Mapping[str, Any]:
    return {**modal.view, "errors": modal.errors}


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
