"""What a person does on the page, handed on to `Person`, `Modal`, the PBXs and the clock."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from bot.sandbox.slack import Delivery, Modal, Person, PersonRefused, Workspace
from bot.sandbox.slack.forms import Name
from bot.sandbox.web.board import Clock
from bot.sandbox.web.marks import Marks
from bot.sandbox.web.panel import Panel
from bot.sandbox.web.samples import Sample

Given = Mapping[str, Any]
Done = Delivery | list[Any] | None
Files = Sequence[tuple[str, bytes]]

#: The PBXs throw temporary files away at 01:00, those that are an hour old by then.
CLEANED_AT, OLD = 1, timedelta(hours=1)
MOST_SKIPPED = timedelta(days=400)


class Malformed(ValueError):
    """The page would not send this."""


def text(given: Given, key: str, default: str | None = None) -> str:
    """A string; ``default`` where it is left out."""
    value = given.get(key, default)
    if not isinstance(value, str):
        raise Malformed(f"{key} must be a string")
    return value


def whole_or_nothing(given: Given, key: str) -> int | None:
    """A whole number, or null."""
    value = given.get(key)
    if isinstance(value, bool) or not isinstance(value, int | None):
        raise Malformed(f"{key} must be a whole number or null")
    return value


def flag(given: Given, key: str) -> bool:
    value = given.get(key)
    if not isinstance(value, bool):
        raise Malformed(f"{key} must be true or false")
    return value


class Acts:
    """Every method may wait for the app, for as long as Slack gives it; call them in a thread. `PersonRefused` is the answer
    of the person's own client."""

    def __init__(
        self,
        workspace: Workspace,
        panels: Sequence[Panel],
        clock: Clock | None,
        marks: Marks,
        files: Sequence[Sample],
        changed: Callable[[], None],
    ) -> None:
        self._workspace = workspace
        self._panels = {panel.name: panel for panel in panels}
        self._clock = clock
        self._marks = marks
        self._samples = {sample.name: sample for sample in files}
        self._changed = changed
        self._in_slack: dict[str, Callable[[Person, Given], Done]] = {
            "say": self._say,
            "command": self._command,
            "shortcut": lambda person, given: person.shortcut(text(given, "callback_id")),
            "click": self._click,
            "home": lambda person, given: person.open_home(),
            "read": self._read,
        }
        self._in_view: dict[str, Callable[[Modal, Name, Given], Done]] = {
            "type": lambda view, field, given: view.type(field, text(given, "value")),
            "set_time": lambda view, field, given: view.set_time(field, whole_or_nothing(given, "value")),
            "choose": lambda view, field, given: view.choose(field, text(given, "value")),
            "search": lambda view, field, given: view.search(field, text(given, "value")),
            "pick": lambda view, field, given: view.pick_found(field, text(given, "value")),
            "tick": self._tick,
            "press": lambda view, field, given: view.click(field, given.get("value")),
            "sample": self._attach_sample,
            "detach": lambda view, field, given: view.detach(field, text(given, "value")),
            "submit": lambda view, field, given: view.submit(),
            "close": lambda view, field, given: view.close(),
        }
        self._outside: dict[str, Callable[[Given], None]] = {"turn": self._turn, "skip": self._skip, "clean": self._clean}

    def do(self, given: Given) -> Done:
        """One act, named by ``do``, of the person named by ``as``. `Malformed` for what no page sends."""
        name = text(given, "do")
        if name in self._outside:
            self._outside[name](given)
            self._changed()
            return None
        person = self._person(given)
        if name in self._in_slack:
            return self._in_slack[name](person, given)
        if name not in self._in_view:
            raise Malformed(f"there is no {name}")
        return self._in_view[name](self._view(person, given), _field(given), given)

    def upload(self, given: Given, files: Files) -> Done:
        """Files into a field of a view, or into a conversation with a message."""
        person = self._person(given)
        if given.get("view"):
            return self._view(person, given).attach(_field(given), *files, keep=True)
        ids = [person.upload(name, content) for name, content in files]
        person.say(self._channel(given), text(given, "text", ""), text(given, "thread", "") or None, ids)
        return None

    def _person(self, given: Given) -> Person:
        try:
            return self._workspace.person(text(given, "as"))
        except KeyError:
            raise Malformed("nobody has this id") from None

    def _channel(self, given: Given) -> str:
        channel = text(given, "channel")
        if channel not in self._workspace.state.channels:
            raise Malformed("there is no such channel")
        return channel

    # In conversations

    def _say(self, person: Person, given: Given) -> Done:
        person.say(self._channel(given), text(given, "text"), text(given, "thread", "") or None)
        return None

    def _command(self, person: Person, given: Given) -> Done:
        where, thread = self._channel(given), text(given, "thread", "") or None
        return person.command(text(given, "command"), text(given, "text", ""), where, thread_ts=thread)

    def _click(self, person: Person, given: Given) -> Done:
        message = {"channel": self._channel(given), "ts": text(given, "ts")}
        return person.click(message, _field(given), given.get("value"))

    def _read(self, person: Person, given: Given) -> Done:
        self._marks.read(person.id, self._channel(given), text(given, "thread", ""), text(given, "ts"))
        return None

    # In views

    def _view(self, person: Person, given: Given) -> Modal:
        home = person.home
        for view in (*person.modals, *([home] if home else [])):
            if view.id == given.get("view"):
                return view
        raise PersonRefused("This window is not there any more.")

    def _tick(self, view: Modal, field: Name, given: Given) -> Done:
        return (view.check if flag(given, "on") else view.uncheck)(field, text(given, "value"))

    def _attach_sample(self, view: Modal, field: Name, given: Given) -> Done:
        sample = self._samples[text(given, "value")]
        return view.attach(field, (sample.name, sample.content), keep=True)

    # Around Slack

    def _turn(self, given: Given) -> None:
        self._panels[text(given, "pbx")].turn(text(given, "switch"), flag(given, "on"))

    def _skip(self, given: Given) -> None:
        seconds = given.get("seconds")
        if not isinstance(seconds, int) or not 0 < seconds <= MOST_SKIPPED.total_seconds():
            raise Malformed("seconds must be a whole number, at most 400 days")
        self._advance(timedelta(seconds=seconds))

    def _clean(self, given: Given) -> None:
        """To the next 01:00 at which every file of now is old enough to be thrown away."""
        if self._clock is None:
            raise PersonRefused("The clock cannot be put forward here.")
        now = self._clock()
        then = now.replace(hour=CLEANED_AT, minute=0, second=1, microsecond=0)
        while then < now + OLD:
            then += timedelta(days=1)
        self._advance(then - now)

    def _advance(self, step: timedelta) -> None:
        if self._clock is None:
            raise PersonRefused("The clock cannot be put forward here.")
        self._clock.advance(seconds=step.total_seconds())


def _field(given: Given) -> Name:
    return text(given, "block", ""), text(given, "action", "")
