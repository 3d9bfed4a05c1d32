"""A person of the workspace, acting through Slack's client; every method may be called from any thread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from bot.sandbox.slack import files as uploads
from bot.sandbox.slack import payloads, views
from bot.sandbox.slack.conversations import post, replies, to_json, top_level
from bot.sandbox.slack.desk import Desk
from bot.sandbox.slack.errors import PersonRefused
from bot.sandbox.slack.forms import Field, Name, answered, fields, option_named
from bot.sandbox.slack.modal import Modal
from bot.sandbox.slack.records import Channel, Delivery, Json, Member, Message
from bot.sandbox.slack.rules_elements import offered


def id_of(thing: str | Channel | Member | Person) -> str:
    return thing if isinstance(thing, str) else thing.id


def shown_messages(desk: Desk, channel: str | Channel, thread_ts: str | None, viewer: str | None) -> list[Json]:
    """Messages with their channel's id: the channel's own, or the replies of one thread without its parent."""
    with desk.state.changed:
        found = desk.state.channels[id_of(channel)]
        messages = replies(found, thread_ts, viewer) if thread_ts else top_level(found, viewer)
        return [to_json(found, message, metadata=True) | {"channel": found.id} for message in messages]


class Person:
    def __init__(self, desk: Desk, member: Member) -> None:
        self._desk = desk
        self._state = desk.state
        self._member = member
        self.id = member.id
        self.name = member.name

    def __repr__(self) -> str:
        return f"Person({self.name!r}, {self.id!r})"

    @property
    def notices(self) -> list[str]:
        """What Slack itself told this person: that something failed."""
        with self._state.changed:
            return list(self._member.notices)

    @property
    def im(self) -> Channel:
        """The direct conversation with the bot."""
        with self._state.changed:
            return self._state.im(self.id)

    @property
    def modals(self) -> list[Modal]:
        """The open modals, the visible one last."""
        with self._state.changed:
            return [Modal(self._desk, view) for view in self._state.stacks.get(self.id, [])]

    @property
    def home(self) -> Modal | None:
        """The home tab of the app, once it was published."""
        with self._state.changed:
            view = self._state.homes.get(self.id)
        return Modal(self._desk, view) if view else None

    def command(self, command: str, text: str = "", channel: str | Channel = "", *, thread_ts: str | None = None) -> Delivery:
        """Type a slash command; the direct conversation with the bot where no channel is named."""
        with self._state.changed:
            where = self._member_of(channel or self.im)
            if thread_ts:
                raise PersonRefused(f"{command} is not supported in threads.")
            if command not in self._state.app.commands or "commands" not in self._state.app.scopes:
                raise PersonRefused(f"{command} is not a valid command.")
            delivery = self._desk.command(command, text, self.id, where)
        return self._desk.settled(delivery)

    def shortcut(self, callback_id: str) -> Delivery:
        """Use a global shortcut."""
        with self._state.changed:
            declared = self._state.app.shortcuts.get(callback_id, {})
            if declared.get("type") != "global" or "commands" not in self._state.app.scopes:
                raise PersonRefused(f"There is no global shortcut {callback_id!r}.")
            delivery = self._desk.interactive(payloads.shortcut(self._state, self.id, callback_id), self.id)
        return self._desk.settled(delivery)

    def wait_modal(self, title: str | None = None, callback_id: str | None = None, timeout: float = 5) -> Modal:
        """Wait until the visible modal has this title or callback id, or is there at all."""

        def matching() -> Modal | None:
            stack = self._state.stacks.get(self.id, [])
            given = stack[-1].given if stack else {}
            fits = (not title or given["title"]["text"] == title) if stack else False
            fits = fits and (not callback_id or given.get("callback_id") == callback_id)
            return Modal(self._desk, stack[-1]) if fits else None

        with self._state.changed:
            found = self._state.changed.wait_for(matching, timeout)
            if found:
                return found
            now = [modal.title for modal in self.modals]
        raise TimeoutError(f"{self.name} waited {timeout} s for modal {title or callback_id or ''!r}; open: {now}.")

    def open_home(self, tab: Literal["home", "messages"] = "home") -> Delivery | None:
        """Look at a tab of the app's; the app hears of it if it subscribes to ``app_home_opened``.

        docs.slack.dev/reference/events/app_home_opened: a home tab that was published before comes along.
        """
        with self._state.changed:
            if tab == "home" and not self._state.app.home_tab:
                raise PersonRefused("This app has no home tab.")
            event: Json = {"type": "app_home_opened", "user": self.id, "channel": self.im.id, "tab": tab}
            if tab == "home" and (view := self._state.homes.get(self.id)):
                event["view"] = views.to_json(self._state, view)
            delivery = self._desk.events.send({**event, "event_ts": self._state.new_ts()})
        return self._desk.settled(delivery) if delivery else None

    def say(self, channel: str | Channel, text: str, thread_ts: str | None = None, files: Sequence[str] = ()) -> Json:
        """Write a message of one's own; ``files`` are ids of one's uploads, which the app does not see by this."""
        with self._state.changed:
            where = self._member_of(channel)
            if not text and not files:
                raise PersonRefused("There is nothing to send.")
            shown = [uploads.to_json(self._state, self._state.files[each]) for each in files]
            message = post(self._state, where, text=text, blocks=None, thread_ts=thread_ts, user=self.id, files=shown)
            return to_json(where, message) | {"channel": where.id}

    def upload(self, name: str, content: bytes) -> str:
        """Upload a file, which the app does not see unless it is handed over in a form."""
        with self._state.changed:
            return uploads.keep(self._state, self.id, name, content).id

    def delete_file(self, file_id: str) -> None:
        with self._state.changed:
            stored = self._state.files[file_id]
            if stored.owner != self.id:
                raise PersonRefused("People delete only their own files.")
            stored.deleted = True
            self._state.changed.notify_all()

    def messages(self, channel: str | Channel, thread_ts: str | None = None) -> list[Json]:
        """What this person sees there, ephemeral messages included."""
        with self._state.changed:
            return shown_messages(self._desk, self._visible_to_me(channel), thread_ts, self.id)

    def dms(self) -> list[Json]:
        """The direct conversation with the bot."""
        return self.messages(self.im)

    def click(self, message: Json, action: Name, value: str | None = None, *, as_seen: bool = False) -> Delivery:
        """Act on a message: a button by its text or action id, or an option `value` of a menu.

        The element is looked for in the message as it is now; with `as_seen`, as it was when the given dict was taken,
        which is what a person does whose screen has not caught up. Confirmation dialogs are accepted.
        """
        with self._state.changed:
            channel = self._visible_to_me(message["channel"])
            current = channel.find(message["ts"])
            if current is None or current.viewer not in (None, self.id):
                raise PersonRefused("This message is not there any more.")
            blocks = message.get("blocks", []) if as_seen else current.blocks
            field, chosen = _target(blocks, action, value)
            delivery = self._act(channel, current, field, chosen)
        return self._desk.settled(delivery)

    def _act(self, channel: Channel, message: Message, field: Field, chosen: Json | None) -> Delivery:
        acted = payloads.action(self._state, field, chosen)
        block, action = field.key
        state = {block: {action: chosen}} if chosen and field.has_state else {}
        payload = payloads.message_action(self._state, self.id, channel, message, acted, state)
        return self._desk.interactive(payload, self.id)

    def _must_be_active(self) -> None:
        if self._member.deleted:
            raise PersonRefused(f"{self.name} was deactivated and cannot sign in.")

    def _visible_to_me(self, channel: str | Channel) -> Channel:
        self._must_be_active()
        found = self._state.channels[id_of(channel)]
        if self.id not in found.members and found.private:
            raise PersonRefused(f"{self.name} does not see {found.name}.")
        return found

    def _member_of(self, channel: str | Channel) -> Channel:
        self._must_be_active()
        found = self._state.channels[id_of(channel)]
        if self.id not in found.members:
            raise PersonRefused(f"{self.name} is not a member of {found.name}.")
        if found.im_with and not self._state.app.people_may_write_to_it:
            raise PersonRefused("Sending messages and commands to this app has been turned off.")
        return found


def _target(blocks: list[Json], action: Name, value: str | None) -> tuple[Field, Json | None]:
    """The element of a message, and what is chosen in it where it is a menu."""
    named = [field for field in fields(blocks) if field.called(action)]
    for field in named:
        if field.element["type"] != "button" and value is not None:
            option = option_named(offered(field.element), value)
            chosen = [option] if field.element["type"] == "checkboxes" else option
            return field, answered(field.element, chosen) if field.has_state else {"selected_option": option}
        if field.element["type"] == "button" and value in (None, field.element.get("value")):
            return field, None
    known = sorted({name for field in fields(blocks) for name in field.names})
    raise PersonRefused(f"There is no {action!r} in this message; there is {known}.")
