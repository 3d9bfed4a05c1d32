"""What the listeners share: the rooms of the house, and the ways in which all of them answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from bot.blocks import dialogs
from bot.blocks.form import FormContext, FormState, form
from bot.blocks.home import Places
from bot.domain.policy import PROFILE_UNKNOWN, Verdict
from bot.domain.requests import Ask, Request
from bot.exceptions import SlackError, SlackFateUnknown, StoreBusy, StoreError
from bot.listeners.afterwards import defer
from bot.listeners.painting import Painter
from bot.slack.gateway import Opened
from bot.store import audit, ledger
from bot.store.engine import LISTENER_WAIT
from bot.work.check import Checker
from bot.work.context import Context
from bot.work.home import Homes
from bot.work.links import Links
from bot.work.listings import Listings
from bot.work.reading import Reader

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Desk:
    """Thread-safe; one for the process."""

    context: Context
    checker: Checker
    painter: Painter
    reader: Reader
    links: Links
    homes: Homes

    @classmethod
    def of(cls, context: Context) -> Self:
        reader, links = Reader(context), Links(context)
        homes = Homes(context, reader, links, Listings(context))
        return cls(context, Checker(context), Painter(context.slack), reader, links, homes)

    def load(self, number: int) -> Request | None:
        with self.context.store.begin(LISTENER_WAIT) as session:
            return ledger.load(session, number)

    def own_draft(self, number: int, user: str) -> Request | None:
        """The draft if it is theirs and still one; every id that Slack sends is checked again here."""
        draft = self.load(number)
        return draft if draft and draft.requester == user and draft.decision.value == "draft" else None

    def open_later(self, body: Body, view: Mapping[str, Any]) -> None:
        """Open a modal once this is acknowledged. A trigger lives three seconds, so it has a thread of its own."""

        def job() -> None:
            self.open(body, view)

        defer(job)

    def open_form_later(self, body: Body, state: FormState, user: str) -> None:
        """The form; once more if Slack had to be asked whether this person is offered the emergency, or a refusal in its place
        for whom it is not."""
        view = self.form(state, user)

        def job() -> None:
            opened = self._opened(body, view)
            verdict = self.context.may_take_part(user)
            if not verdict.permitted and verdict.code != PROFILE_UNKNOWN:  # if it is unknown, the check asks again
                self._refuse(body, opened, verdict)
            elif opened is not None and self.checker.might_be_offered(state.ask, user):
                self._paint_if_changed(opened.id, 0.0, view, self.form(state, user), opened.hash)

        defer(job)

    def _refuse(self, body: Body, opened: Opened | None, verdict: Verdict) -> None:
        try:
            if opened is not None:
                self.context.slack.update_view(opened.id, dialogs.notice("Not for you", verdict.reason))
        finally:
            self.turn_away(body, "shortcut" if body.get("type") == "shortcut" else "command", verdict)

    def turn_away(self, body: Body, what: str, verdict: Verdict) -> None:
        """The answer is given even if our database is gone; then it is only the event that is missing."""
        try:
            with self.context.store.begin() as session:
                audit.refused(session, self.context.now(), user_of(body), what, verdict)
        finally:
            self.answer(body, verdict.reason)

    def repaint_form_later(self, body: Body, state: FormState) -> None:
        """With the fields of what was chosen, under the same ids: what was typed stays. At once by what is known, and once more
        like `open_form_later`; but what somebody has ticked is not taken away under their hands: the check says why not."""
        view_id, at, seen, user = body["view"]["id"], _acted_at(body), body["view"]["hash"], body["user"]["id"]
        view = self.form(state, user)
        self.painter.acted(view_id, at)

        def job() -> None:
            self.painter.paint(view_id, at, view, seen)
            if not state.ask.emergency and self.checker.might_be_offered(state.ask, user):
                self._paint_if_changed(view_id, at, view, self.form(state, user), seen)

        defer(job)

    def _paint_if_changed(self, view_id: str, at: float, old: Mapping[str, Any], new: Mapping[str, Any], seen: str) -> None:
        if new != old:
            self.painter.paint(view_id, at, new, seen)

    def open(self, body: Body, view: Mapping[str, Any]) -> str:
        """The id of the modal that opened; "" if Slack did not open it or does not say so, and the person knows."""
        opened = self._opened(body, view)
        return opened.id if opened else ""

    def _opened(self, body: Body, view: Mapping[str, Any]) -> Opened | None:
        try:
            return self.context.slack.open_view(body["trigger_id"], view)
        except SlackFateUnknown as error:
            told = "Slack did not say whether it opened the window for this; if you do not see it, please try again."
            self.answer(body, f"{told} Nothing has changed. [{error.code}]")
        except SlackError as error:
            self.answer(body, f"Slack did not open the window for this; nothing has changed. Please try again. [{error.code}]")
        return None

    def update_later(self, body: Body, view: Mapping[str, Any], *, unless_changed: bool = False) -> None:
        """Repaint the modal that was acted in, once this is acknowledged; perhaps only if it is still what the person saw."""
        view_id, at = body["view"]["id"], _acted_at(body)
        seen = body["view"]["hash"] if unless_changed else None
        self.painter.acted(view_id, at)
        defer(lambda: self.painter.paint(view_id, at, view, seen))

    def repaint_home_later(self, body: Body) -> None:
        """What was done in a home tab shows there, once this is acknowledged; nothing for what was done elsewhere."""
        view = body.get("view") or {}
        if view.get("type") == "home":
            defer(self.homes.acted(body["user"]["id"], Places.load(view.get("private_metadata", ""))))

    def answer_later(self, body: Body, text: str) -> None:
        """Tell the person who clicked, privately."""
        defer(lambda: self.answer(body, text))

    def answer_with(self, body: Body, text: Callable[[], str]) -> None:
        """Tell the person who clicked what takes its time to be known."""
        defer(lambda: self.answer(body, text()))

    def answer(self, body: Body, text: str) -> None:
        """Tell them now, from a thread that holds up no acknowledgement."""
        url = body.get("response_url")
        if url:
            self.context.slack.respond(url, text=text)
        else:
            self.context.slack.direct(body["user"]["id"], blocks=[], text=text)

    def form(self, state: FormState, user: str) -> dict[str, Any]:
        return form(state, self.form_context(state.ask, state.holder, user))

    def form_context(self, ask: Ask, holder: int | None, user: str) -> FormContext:
        return self.checker.form_context(ask, holder, user)


def _acted_at(body: Body) -> float:
    return float(body["actions"][0]["action_ts"])


def user_of(body: Body) -> str:
    """Whoever typed a command, used a shortcut or clicked."""
    user: str = body["user_id"] if "user_id" in body else body["user"]["id"]
    return user


def not_taken(error: StoreError) -> str:
    """For what could not be committed in time: nothing has changed, and why."""
    return dialogs.not_taken(error.code, "" if isinstance(error, StoreBusy) else error.message)


def delivery(body: Body) -> str:
    """What makes two deliveries of one click, command or submission the same: its trigger, which Slack never gives twice."""
    return f"{body.get('type', 'command')}:{body['trigger_id']}"
