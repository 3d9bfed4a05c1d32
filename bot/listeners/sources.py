"""Forms that begin with a request: to change it while it is open, or to ask for it anew once it has ended."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from slack_bolt import Ack, App

from bot.blocks.form import FormState
from bot.domain.events import EventKind
from bot.domain.problems import Problem
from bot.domain.requests import Ask, Request, Shown
from bot.domain.schedule import start_problem
from bot.exceptions import Stale, StoreError
from bot.listeners.desk import Body, Desk, not_taken
from bot.store import audit
from bot.store.engine import LISTENER_WAIT
from bot.work.editing import can_be_changed

_UNKNOWN = "There is no such request, so nothing was done. [no_request]"
EDIT, ASK_ANEW = "edit", "ask_anew"
#: What only a requester may do, in words.
_ONLY = {EDIT: "change", ASK_ANEW: "ask anew for"}


def register(app: App, desk: Desk) -> None:
    app.action(EDIT)(_pressed(desk, EDIT, _changing))
    app.action(ASK_ANEW)(_pressed(desk, ASK_ANEW, _asking_anew))


Begin = Callable[[Request, datetime], FormState | str]


def _pressed(desk: Desk, act: str, begin: Begin) -> Callable[..., None]:
    """Open the form, or say why not. That somebody else pressed it is an event."""

    def pressed(ack: Ack, body: Body) -> None:
        shown, user = Shown.load(body["actions"][0]["value"]), body["user"]["id"]
        request = desk.load(shown.request)
        if request is None or request.is_private:
            desk.answer_later(body, _UNKNOWN)
        elif user != request.requester:
            desk.answer_later(body, _refused(desk, request, user, act))
        elif isinstance(state := begin(request, desk.context.now()), FormState):
            desk.open_later(body, desk.form(state, user))
        else:
            desk.answer_later(body, state)
        ack()

    return pressed


def _refused(desk: Desk, request: Request, user: str, act: str) -> str:
    store = desk.context.store
    try:
        with store.begin(LISTENER_WAIT) as session:
            audit.append(session, store.now(), EventKind.REFUSED, user, request.id, verdict=act, code="not_requester",
                         reason=f"Only the requester may {_ONLY[act]} it.", rule="requester")  # fmt: skip
    except StoreError as error:
        return not_taken(error)
    told = f"Only <@{request.requester}> can {_ONLY[act]} #{request.id}."
    return f"{told} You can reject it, if you are an approver, and say what has to be different." if request.is_open else told


def _changing(request: Request, now: datetime) -> FormState | str:
    """With the content that it has by now, whatever the button was on."""
    if not can_be_changed(request, now):
        return f"#{request.id} is not open any more, so it cannot be changed. If it came to nothing, *Ask anew* is on its card."
    return FormState(request.ask, asked_in=request.asked_in, edits=request.id, edits_version=request.version)


def _asking_anew(request: Request, now: datetime) -> FormState | str:
    """A start that is over is left out, and so is an emergency: it is declared anew."""
    if not request.can_be_asked_anew:
        return f"#{request.id} has not come to nothing, so there is nothing to ask anew for. Its card says how it stands."
    start = request.ask.start if start_problem(request.ask, now) is None else ""
    ask = replace(request.ask, after=request.id, params=(), start=start, emergency=False)
    return FormState(ask, asked_in=request.asked_in)


def source_of(desk: Desk, state: FormState, user: str) -> Request | None:
    """The request with which the form began. Raises Stale when it is not theirs; every id from Slack is checked here again."""
    number = state.edits or state.ask.after
    request = desk.load(number) if number else None
    if number and (request is None or request.requester != user or request.is_private):
        raise Stale
    return request


def problems(ask: Ask, state: FormState, source: Request | None) -> list[Problem]:
    """What a change must leave as it is: the PBX has its channel, its rule and its place on the agenda."""
    if not state.edits or source is None or ask.pbx == source.ask.pbx:
        return []
    text = (
        f"The PBX of a request cannot be changed. Choose {source.ask.pbx} again; for another PBX withdraw #{source.id}, and ask"
        " anew from its card."
    )
    return [Problem("pbx", text, "pbx_fixed")]


def links(state: FormState) -> dict[str, Any]:
    """What a draft's row says of the request that it changes."""
    return {"edits": state.edits, "edits_version": state.edits_version if state.edits else None}
