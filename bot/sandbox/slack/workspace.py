"""The workspace as tests and the demo hold it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self, TypeVar

from starlette.routing import BaseRoute

from bot.sandbox.slack.conversations import remove
from bot.sandbox.slack.desk import Desk
from bot.sandbox.slack.events import Events
from bot.sandbox.slack.limits import RateLimits
from bot.sandbox.slack.manifest import AppManifest
from bot.sandbox.slack.people import Person, id_of, shown_messages
from bot.sandbox.slack.records import Call, Channel, Delivery, Group, Guest, Json, Member
from bot.sandbox.slack.server import Server, Site
from bot.sandbox.slack.socket_mode import SocketMode
from bot.sandbox.slack.state import State
from bot.sandbox.slack.text import Reader
from bot.sandbox.slack.trouble import Trouble
from bot.sandbox.slack.web_api import Guard, WebApi

T = TypeVar("T")


def utc_now() -> datetime:
    return datetime.now(UTC)


class Workspace:
    """A local Slack for one app. All methods may be called from any thread.

    `now` is the time of messages and of links that expire; triggers and acknowledgements are measured on the real
    monotonic clock.
    """

    def __init__(
        self,
        manifest: Mapping[str, Any],
        *,
        limits: RateLimits | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._state = State(AppManifest(manifest), now)
        self._socket = SocketMode(self._state)
        self._events = Events(self._state, self._socket)
        self._desk = Desk(self._state, self._socket, self._events)
        self.trouble = Trouble()
        guard = Guard(self._state, self.trouble)
        web_api = WebApi(self._state, limits or RateLimits.slack(), guard)
        self._site = Site(self._state, guard, web_api, self._socket)
        self._server = Server(self._site.app)
        self.port = 0
        self.bot_user = self._state.bot_user
        self.bot_token, self.app_token = self._state.bot_token, self._state.app_token

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1, on any free port unless one is named."""
        self.port, self._socket.loop = self._server.start(port)
        self._state.origin = f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """End the server; whoever waits for an answer of the app waits no longer."""
        self._socket.give_up()
        self._server.stop()

    @property
    def url(self) -> str:
        """The base address of the Web API."""
        return f"{self._state.origin}/api/"

    @property
    def page_url(self) -> str:
        return f"{self._state.origin}/"

    # What happened. The lists are copies.

    @property
    def log(self) -> list[Call]:
        """Every Web API call, response_url POST and download, in the order of arrival."""
        with self._state.changed:
            return list(self._state.log)

    @property
    def deliveries(self) -> list[Delivery]:
        """Everything that was sent to the app."""
        with self._state.changed:
            return list(self._state.deliveries)

    @property
    def connected(self) -> bool:
        """Whether the app is connected over Socket Mode."""
        return self.connections > 0

    @property
    def connections(self) -> int:
        """How many WebSockets the app holds open; what is sent goes to each in its turn."""
        with self._state.changed:
            return self._socket.connections

    def messages(self, channel: str | Channel, thread_ts: str | None = None, viewer: str | Person | None = None) -> list[Json]:
        """Messages of a channel, or the replies of one thread; ephemeral ones only for their `viewer`."""
        return shown_messages(self._desk, channel, thread_ts, id_of(viewer) if viewer else None)

    def read(self, message_or_view: Json) -> str:
        """A message or a view as plain text, as a person would read it."""
        with self._state.changed:
            return Reader(self._state).read(message_or_view)

    def wait_for(self, predicate: Callable[[], T], timeout: float = 10) -> T:
        """Wait until `predicate` is true; it is asked at every change of the workspace."""
        with self._state.changed:
            found = self._state.changed.wait_for(predicate, timeout)
            if found:
                return found
            last = [f"{call.method} {call.error or ''}".strip() for call in self._state.log[-5:]]
            sent = [f"{d.kind} {d.outcome}" for d in self._state.deliveries[-5:]]
        name = getattr(predicate, "__qualname__", repr(predicate))
        raise TimeoutError(f"Waited {timeout} s for {name}. Last calls: {last}; last deliveries: {sent}.")

    def wait_connected(self, timeout: float = 10) -> None:
        self.wait_for(lambda: self.connected, timeout)

    def lose_unanswered(self) -> None:
        """Let nobody wait for an answer of the app any longer: for a test that knows that the app is dead."""
        self._socket.lose_unanswered()

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call this at each change, under the workspace's lock."""
        self._state.changed.listen(listener)

    def serve(self, *routes: BaseRoute) -> None:
        """Answer these addresses too; for the page that people act in."""
        self._site.add(*routes)

    # What is in it.

    @property
    def state(self) -> State:
        """Everything there is, for whoever shows it; take ``changed`` around every look."""
        return self._state

    def person(self, id: str) -> Person:  # noqa: A002
        """Who has this id; KeyError if nobody has."""
        with self._state.changed:
            return Person(self._desk, self._state.members[id])

    def add_person(
        self,
        name: str,
        *,
        id: str | None = None,  # noqa: A002
        guest: Guest = "",
        deleted: bool = False,
        bot: bool = False,
        team: str = "",
    ) -> Person:
        """A member of the workspace, or with ``team`` somebody of another one; a guest, a bot, or deactivated."""
        with self._state.changed:
            member = Member(id or self._state.new_id("U"), name, bot, guest=guest, deleted=deleted, team=team)
            self._state.members[member.id] = member
        return Person(self._desk, member)

    def deactivate(self, person: str | Person, *, deleted: bool = True) -> None:
        """What an admin does to somebody who leaves, or undoes. They stay in their user groups, as the worst case."""
        with self._state.changed:
            self._state.members[id_of(person)].deleted = deleted
            self._state.changed.notify_all()

    def make_guest(self, person: str | Person, guest: Guest = "multi-channel") -> None:
        """Change what somebody is: a guest, or with ``""`` a full member."""
        with self._state.changed:
            self._state.members[id_of(person)].guest = guest
            self._state.changed.notify_all()

    def add_channel(
        self,
        name: str,
        members: Iterable[str | Person] = (),
        *,
        bot: bool = True,
        private: bool = False,
        id: str | None = None,  # noqa: A002
    ) -> Channel:
        """A channel with these members, and the bot unless `bot` says otherwise."""
        with self._state.changed:
            inside = {id_of(member) for member in members} | ({self.bot_user} if bot else set())
            channel = Channel(id or self._state.new_id("C"), name.removeprefix("#"), inside, private)
            self._state.channels[channel.id] = channel
        return channel

    def join(self, channel: str | Channel, *members: str | Person) -> None:
        """Add members to a channel; `bot_user` is the bot."""
        with self._state.changed:
            self._state.channels[id_of(channel)].members.update(map(id_of, members))

    def delete(self, message: Json) -> None:
        """What an admin of the workspace can do to anybody's message."""
        with self._state.changed:
            channel = self._state.channels[message["channel"]]
            found = channel.find(message["ts"])
            if found is None:
                raise KeyError(message["ts"])
            remove(self._state, channel, found)

    def leave(self, channel: str | Channel, *members: str | Person) -> None:
        with self._state.changed:
            self._state.channels[id_of(channel)].members.difference_update(map(id_of, members))

    def add_group(self, handle: str, members: Iterable[str | Person], id: str | None = None) -> str:  # noqa: A002
        """A user group; returns its id."""
        with self._state.changed:
            group = Group(id or self._state.new_id("S"), handle, [id_of(member) for member in members])
            self._state.groups[group.id] = group
        return group.id

    def set_group(self, group_id: str, members: Iterable[str | Person]) -> None:
        """Change who is in a user group; the app hears of it if it subscribes to ``subteam_members_changed``."""
        with self._state.changed:
            group = self._state.groups[group_id]
            before, group.members = set(group.members), [id_of(member) for member in members]
            added, removed = sorted(set(group.members) - before), sorted(before - set(group.members))
            self._events.send(
                {
                    "type": "subteam_members_changed",
                    "subteam_id": group_id,
                    "team_id": self._state.team,
                    "date_update": int(self._state.now().timestamp()),
                    "added_users": added,
                    "added_users_count": len(added),
                    "removed_users": removed,
                    "removed_users_count": len(removed),
                    "event_ts": self._state.new_ts(),
                }
            )

    # How strictly, and how badly, it behaves.

    @property
    def ack_deadline(self) -> float:
        """Seconds the app has to acknowledge."""
        return self._socket.ack_deadline

    @ack_deadline.setter
    def ack_deadline(self, seconds: float) -> None:
        self._socket.ack_deadline = seconds

    @property
    def trigger_lifetime(self) -> float:
        """Seconds for which a trigger id opens a view."""
        return self._state.trigger_lifetime

    @trigger_lifetime.setter
    def trigger_lifetime(self, seconds: float) -> None:
        self._state.trigger_lifetime = seconds

    @property
    def event_retry_delays(self) -> tuple[float, ...]:
        """Seconds before each repetition of an event that was not acknowledged."""
        return self._events.retry_delays

    @event_retry_delays.setter
    def event_retry_delays(self, delays: tuple[float, ...]) -> None:
        self._events.retry_delays = delays

    def disconnect(self, *, goodbye: bool = True) -> None:
        """Drop the app's WebSockets, after Slack's ``disconnect`` message or without it; new ones may connect."""
        self._socket.disconnect(goodbye=goodbye)

    def deliver_again(self, delivery: Delivery) -> Delivery:
        """Send the same thing once more under another envelope; its answer changes nothing here."""
        again = self._socket.deliver(delivery.type, delivery.payload, delivery.user, lambda settled: None)
        return self._desk.settled(again)
