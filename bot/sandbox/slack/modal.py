"""A modal or home tab in a person's hands."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from bot.sandbox.slack import files, payloads, views
from bot.sandbox.slack.desk import Desk
from bot.sandbox.slack.errors import PersonRefused
from bot.sandbox.slack.forms import (
    Field,
    Name,
    answer,
    answered,
    fields,
    find_field,
    missing_or_wrong,
    option_named,
    require_fitting_files,
    values,
)
from bot.sandbox.slack.records import Delivery, Json, View
from bot.sandbox.slack.rules_blocks import options_problems
from bot.sandbox.slack.rules_elements import offered
from bot.sandbox.slack.text import Reader

_CHOICES = ("static_select", "radio_buttons", "external_select", "overflow")


class Modal:
    """A handle that stays with one view id, whatever the app puts there. Fields are called by label, block or action id.

    What changes a field returns the delivery it caused, or None where the app is not told.
    """

    def __init__(self, desk: Desk, view: View) -> None:
        self._desk = desk
        self._state = desk.state
        self._view = view

    @property
    def id(self) -> str:
        return self._view.id

    @property
    def view(self) -> Json:
        """The view as it is now, in the shape of the Web API."""
        with self._state.changed:
            return copy.deepcopy(views.to_json(self._state, self._view))

    @property
    def title(self) -> str:
        return Reader(self._state).text(self.view.get("title"))

    @property
    def is_open(self) -> bool:
        with self._state.changed:
            return self._view.open

    @property
    def errors(self) -> dict[str, str]:
        """What stands next to the fields, by block id."""
        with self._state.changed:
            return dict(self._view.errors)

    def texts(self) -> list[str]:
        """Everything a person can read in it, errors included."""
        with self._state.changed:
            lines = list(Reader(self._state).view_lines(self.view))
            return lines + list(self._view.errors.values())

    def field_labels(self) -> list[str]:
        """The labels of the input blocks, in order."""
        with self._state.changed:
            return [block["label"]["text"] for block in self._view.blocks if block["type"] == "input"]

    def value(self, label: Name) -> Any:
        """What stands in a field: a text, an option's value, the values of options, file names, a Unix time, or None."""
        with self._state.changed:
            entered = self._view.entered[find_field(self._view.blocks, label).key]
            found = answer(entered)
        if entered["type"] == "file_input":
            return [given["name"] for given in found]
        if isinstance(found, list):
            return [option["value"] for option in found]
        return found["value"] if isinstance(found, dict) else found

    def type(self, label: Name, text: str) -> Delivery | None:
        return self._enter(label, ("plain_text_input",), lambda field: text or None)

    def set_time(self, label: Name, moment: int | None) -> Delivery | None:
        """Choose a date and a time, in seconds since 1970, or empty the field."""
        return self._enter(label, ("datetimepicker",), lambda field: moment)

    def choose(self, label: Name, option: str) -> Delivery | None:
        """Choose by an option's text or value, in a select, radio buttons or an overflow menu."""
        return self._enter(label, _CHOICES, lambda field: option_named(offered(field.element), option))

    def options(self, label: Name, query: str = "") -> list[str]:
        """The texts an external select offers for a query, as the app answers."""
        return [option["text"]["text"] for option in self._asked(label, query)]

    def search(self, label: Name, query: str = "") -> list[Json]:
        """What an external select offers for a query; `pick_found` takes one of these without asking again."""
        found = self._asked(label, query)
        with self._state.changed:
            self._view.suggested[find_field(self._view.blocks, label).key] = found
        return found

    def pick_found(self, label: Name, value: str) -> Delivery | None:
        """Choose one of the options that the last `search` found, by its value."""
        return self._enter(
            label, ("external_select",), lambda field: option_named(self._view.suggested.get(field.key, []), value)
        )

    def pick(self, label: Name, option: str) -> Delivery | None:
        """Search for an option in an external select by its text, and choose it by text or value."""
        found = self._asked(label, option) or self._asked(label, "")
        return self._enter(label, ("external_select",), lambda field: option_named(found, option))

    def _asked(self, label: Name, query: str) -> list[Json]:
        """Options for a query of at least ``min_query_length`` characters, which is 3 unless the element says less."""
        with self._state.changed:
            field = find_field(self._view.blocks, label, ("external_select",))
            if len(query) < field.element.get("min_query_length", 3):
                return []
            payload = payloads.suggestion(self._state, self._view, field, query)
            delivery = self._desk.interactive(payload, self._view.user, _judge_options)
        self._desk.settled(delivery)
        if delivery.outcome != "acked" or delivery.problem or not delivery.ack:
            return []
        return offered(delivery.ack)

    def check(self, label: Name, *wanted: str) -> Delivery | None:
        return self._tick(label, set(), wanted)

    def uncheck(self, label: Name, *unwanted: str) -> Delivery | None:
        return self._tick(label, set(unwanted), ())

    def _tick(self, label: Name, without: set[str], wanted: tuple[str, ...]) -> Delivery | None:
        def ticked(field: Field) -> list[Json]:
            every = offered(field.element)
            removed = [option_named(every, each) for each in without]
            added = [option_named(every, each) for each in wanted]
            now = answer(self._view.entered[field.key])
            return [option for option in every if (option in now or option in added) and option not in removed]

        return self._enter(label, ("checkboxes",), ticked)

    def attach(self, label: Name, *given: tuple[str, bytes], keep: bool = False) -> Delivery | None:
        """Put these files, each a name and its content, into a file field: in place of those that were there, unless they
        are to be kept."""

        def uploaded(field: Field) -> list[Json]:
            before = answer(self._view.entered[field.key]) if keep else []
            require_fitting_files(field.element, [*(file["name"] for file in before), *(name for name, _ in given)])
            kept = [files.keep(self._state, self._view.user, name, content) for name, content in given]
            return [*before, *(files.to_json(self._state, each) for each in kept)]

        return self._enter(label, ("file_input",), uploaded)

    def detach(self, label: Name, file_id: str) -> Delivery | None:
        """Take one file out of a file field."""

        def without(field: Field) -> list[Json]:
            return [file for file in answer(self._view.entered[field.key]) if file["id"] != file_id]

        return self._enter(label, ("file_input",), without)

    def click(self, action: Name, value: str | None = None) -> Delivery:
        """Press a button by its text or action id; `value` tells buttons of one name apart."""
        with self._state.changed:
            self._require_usable()
            found = [f for f in fields(self._view.blocks) if f.element["type"] == "button" and f.called(action)]
            found = [f for f in found if value is None or f.element.get("value") == value]
            if not found:
                raise PersonRefused(f"There is no button {action!r} here.")
            delivery = self._tell(found[0], None)
        return self._desk.settled(delivery)

    def submit(self) -> Delivery:
        """Press the submit button; the client refuses while a required field is empty or a text has a wrong length."""
        with self._state.changed:
            self._require_usable()
            if not self._view.given.get("submit"):
                raise PersonRefused("This view has no submit button.")
            self._view.errors = missing_or_wrong(self._view)
            if self._view.errors:
                return self._refused()
            delivery = self._desk.submit(self._view)
        return self._desk.settled(delivery)

    def close(self) -> Delivery | None:
        """Close this view, and with ``clear_on_close`` all views; the app hears of it with ``notify_on_close``."""
        with self._state.changed:
            self._require_usable()
            given, delivery = self._view.given, None
            cleared = bool(given.get("clear_on_close"))
            if cleared:
                views.clear(self._state, self._view.user)
            else:
                views.close_one(self._state, self._view)
            if given.get("notify_on_close"):
                payload = payloads.closed(self._state, self._view, cleared=cleared)
                delivery = self._desk.interactive(payload, self._view.user)
        return self._desk.settled(delivery) if delivery else None

    def _require_usable(self) -> None:
        stack = self._state.stacks.get(self._view.user, [])
        on_top = self._view.given["type"] == "home" or (stack and stack[-1] is self._view)
        if not self._view.open or not on_top:
            raise PersonRefused("This view is closed or lies below another one.")
        if self._view.submitting:
            raise PersonRefused("This view is being submitted; its fields cannot be used.")

    def _enter(self, label: Name, kinds: tuple[str, ...], make: Callable[[Field], Any]) -> Delivery | None:
        with self._state.changed:
            self._require_usable()
            field = find_field(self._view.blocks, label, kinds)
            entered = answered(field.element, make(field)) if field.has_state else {"selected_option": make(field)}
            if field.has_state:
                self._view.entered[field.key] = entered
                self._state.changed.notify_all()
            delivery = self._tell(field, entered) if field.dispatches else None
        return self._desk.settled(delivery) if delivery else None

    def _tell(self, field: Field, entered: Json | None) -> Delivery:
        acted = payloads.action(self._state, field, entered)
        return self._desk.interactive(payloads.view_action(self._state, self._view, acted), self._view.user)

    def _refused(self) -> Delivery:
        """A submission that never left the client, and so stands in no list of deliveries."""
        self._state.changed.notify_all()
        view: Json = {"id": self._view.id, "state": {"values": values(self._view)}}
        return Delivery("interactive", "view_submission", "", self._view.user, {"view": view}, 0.0, outcome="refused by client")


def _judge_options(delivery: Delivery) -> None:
    """An answer that Slack would not show counts as none (docs.slack.dev/reference/interaction-payloads)."""
    if delivery.ack:
        delivery.problem = "; ".join(options_problems(delivery.ack)) or None
