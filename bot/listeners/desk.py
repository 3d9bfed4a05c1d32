"""What the listeners share: the rooms of the house, and the ways in which all of them answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.blocks import dialogs
from bot.blocks.form import FormContext, FormState, form
from bot.domain.requests import Ask, Request
from bot.exceptions import StoreError
from bot.listeners.afterwards import defer
from bot.listeners.painting import Painter
from bot.store import ledger
from bot.store.engine import LISTENER_WAIT
from bot.work.check import Checker
from bot.work.context import Context

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Desk:
    """Thread-safe; one for the process."""

    context: Context
    checker: Checker
    painter: Painter

    def load(self, number: int) -> Request | None:
        with self.context.store.begin(LISTENER_WAIT) as session:
            return ledger.load(session, number)

    def own_draft(self, number: int, user: str) -> Request | None:
        """The draft if it is theirs and still one; every id that Slack sends is checked again here."""
        draft = self.load(number)
        return draft if draft and draft.requester == user and draft.decision.value == "draft" else None

    def open_later(self, trigger_id: str, view: Mapping[str, Any]) -> None:
        """Open a modal once this is acknowledged. A trigger lives three seconds, so it has a thread of its own."""
        defer(lambda: self._open(trigger_id, view))

    def _open(self, trigger_id: str, view: Mapping[str, Any]) -> None:
        self.context.slack.open_view(trigger_id, view)

    def update_later(self, view_id: str, view: Mapping[str, Any], seen: str | None = None) -> None:
        """Repaint a modal once this is acknowledged; ``seen`` is its hash as the person saw it."""
        turn = self.painter.turn(view_id)
        defer(lambda: self.painter.paint(view_id, turn, view, seen))

    def answer_later(self, body: Body, text: str) -> None:
        """Tell the person who clicked, privately."""
        url = body.get("response_url")
        if url:
            defer(lambda: self.context.slack.respond(url, text=text))
        else:
            defer(lambda: self._direct(body["user"]["id"], text))

    def _direct(self, user: str, text: str) -> None:
        self.context.slack.direct(user, blocks=[], text=text)

    def form(self, state: FormState) -> dict[str, Any]:
        return form(state, self.form_context(state.ask, state.draft))

    def form_context(self, ask: Ask, draft: int | None) -> FormContext:
        return self.checker.form_context(ask, draft)


def not_taken(error: StoreError) -> str:
    """For what could not be committed in time: nothing has changed."""
    return dialogs.not_taken(error.code)


def delivery(body: Body) -> str:
    """What makes two deliveries of one click, command or submission the same: its trigger, which Slack never gives twice."""
    return f"{body.get('type', 'command')}:{body['trigger_id']}"
