"""Everything the workspace knows, behind one lock with a condition that is notified at every change."""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Callable
from datetime import datetime

from bot.sandbox.changes import Announced
from bot.sandbox.slack.errors import ApiRefusal
from bot.sandbox.slack.manifest import AppManifest
from bot.sandbox.slack.records import (
    Call,
    Channel,
    Delivery,
    Group,
    Member,
    ResponseUrl,
    StoredFile,
    Trigger,
    View,
)


class State:
    """Take `changed` around every look and every change; it may be taken again by the same thread."""

    def __init__(self, app: AppManifest, now: Callable[[], datetime]) -> None:
        self.changed = Announced()
        self.app = app
        self.now = now
        self.ids = itertools.count(1)
        self.team, self.app_id, self.bot_id = "T0SANDBOX", "A0SANDBOX", "B0SANDBOX"
        self.bot_user = "U0SANDBOXBOT"
        self.members: dict[str, Member] = {self.bot_user: Member(self.bot_user, app.bot_name, is_bot=True)}
        self.channels: dict[str, Channel] = {}
        self.groups: dict[str, Group] = {}
        self.views: dict[str, View] = {}
        #: The modals each person has open, the visible one last.
        self.stacks: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}
        self.triggers: dict[str, Trigger] = {}
        self.files: dict[str, StoredFile] = {}
        self.log: list[Call] = []
        self.deliveries: list[Delivery] = []
        self.response_urls: dict[str, ResponseUrl] = {}
        #: Single-use tickets of WebSocket addresses.
        self.tickets: set[str] = set()
        #: ``http://127.0.0.1:PORT`` once the server listens.
        self.origin = ""
        self.bot_token = f"xoxb-sandbox-{secrets.token_hex(12)}"
        self.app_token = f"xapp-1-{self.app_id}-{secrets.token_hex(12)}"
        self.trigger_lifetime = 3.0
        self._last_ts = 0

    def new_id(self, prefix: str) -> str:
        return f"{prefix}0SBX{next(self.ids):06d}"

    def new_ts(self) -> str:
        """A message's timestamp and id: seconds with six decimals, always greater than the one before."""
        self._last_ts = max(int(self.now().timestamp() * 1_000_000), self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def new_trigger(self, user: str, view: str | None = None) -> str:
        """A trigger id; it lives for 3 seconds and opens one view (docs.slack.dev/interactivity)."""
        number = next(self.ids)
        trigger = Trigger(f"{number}.{number * 7}.{number:032x}", user, time.monotonic(), view)
        self.triggers[trigger.id] = trigger
        return trigger.id

    def exchange(self, trigger_id: str, at: float) -> Trigger:
        """Use up a trigger; `at` is the monotonic time at which the call arrived."""
        trigger = self.triggers.get(trigger_id)
        if trigger is None:
            raise ApiRefusal("invalid_trigger_id")
        if trigger.used:
            raise ApiRefusal("exchanged_trigger_id")
        if at - trigger.issued > self.trigger_lifetime:
            raise ApiRefusal("expired_trigger_id")
        trigger.used = True
        return trigger

    def notice(self, user: str, sentence: str) -> None:
        """What Slack itself tells a person, apart from any message of the app."""
        if user in self.members:
            self.members[user].notices.append(sentence)
        self.changed.notify_all()

    def im(self, user: str) -> Channel:
        """The direct conversation of a person with the bot, made at first use."""
        for channel in self.channels.values():
            if channel.im_with == user:
                return channel
        channel = Channel(self.new_id("D"), "directmessage", {user, self.bot_user}, private=True, im_with=user)
        self.channels[channel.id] = channel
        return channel
