"""`/pbx-cert pending`, `mine` and `history`: answered privately a page at a time, and the buttons that turn it."""

import re
from collections.abc import Callable

from slack_bolt import Ack, App

from bot.blocks import dialogs
from bot.blocks import lists as blocks
from bot.blocks.lists import HISTORY, MINE, PENDING, SIZE, Line, ListPlace
from bot.blocks.text import code, escape
from bot.domain.domains import normalise_domain
from bot.exceptions import StoreError
from bot.listeners.afterwards import defer
from bot.listeners.desk import Body, Desk
from bot.store import history
from bot.store.history import Find

KINDS = (PENDING, MINE, HISTORY)
#: A person as Slack sends one: escaped, or as the bare id that "Copy member ID" gives.
_PERSON = re.compile(r"<@([UW][A-Z0-9]{2,30})(?:\|[^<>]*)?>|([UW][A-Z0-9]{6,30})")

_NO_NAMES = (
    "Slack sends names as plain text here, and two people may bear the same one. Give the member ID instead: open the person's"
    " profile, then ⋮, *Copy member ID*, and type `/pbx-cert history U0123ABCD`. [name_not_id]"
)


def register(app: App, desk: Desk) -> None:
    app.action("list_older")(_turn(desk))
    app.action("list_newest")(_turn(desk))


def answer_later(desk: Desk, body: Body, place: ListPlace, *, replaces: bool = False) -> None:
    """The page, in a private message, once this is acknowledged; in place of the one that was clicked, if so."""
    user = body.get("user_id") or body["user"]["id"]
    defer(lambda: _answer(desk, body, user, place, replaces))


def _turn(desk: Desk) -> Callable[..., None]:
    def turn(ack: Ack, body: Body) -> None:
        place = ListPlace.load(body["actions"][0]["value"])
        ack()
        answer_later(desk, body, place, replaces=True)

    return turn


def _answer(desk: Desk, body: Body, user: str, place: ListPlace, replaces: bool) -> None:
    try:
        found = _find(desk, user, place)
        if isinstance(found, str):
            desk.answer(body, found)
            return
        title, find = found
        page = desk.reader.page(user, find, place.after, SIZE)
        links = desk.links.of(item.request.id for item in page.items)
    except StoreError as error:
        desk.answer(body, dialogs.not_read(error.code, error.message))
        return
    lines = [Line(item.request, links.get(item.request.id, ""), item.waits) for item in page.items]
    goes_on = ListPlace(place.kind, place.text, page.after) if page.more else None
    shown, text = blocks.page(title, lines, place, goes_on, unsure=page.unsure)
    desk.context.slack.respond(body["response_url"], text=text, blocks=shown, replace_original=replaces)


def _find(desk: Desk, user: str, place: ListPlace) -> tuple[str, Find] | str:
    """The list's title and what is in it, or why there is no such list. Judged anew for each page."""
    if place.kind == PENDING:
        return "Open requests", history.pending
    if place.kind == MINE:
        return "What you asked for", history.by(user)
    if not place.text:
        return "All that was asked for", history.everything
    return _history_of(desk, place.text)


def _history_of(desk: Desk, text: str) -> tuple[str, Find] | str:
    """Of a PBX, a person, or a host name and those below it, in this order."""
    config = desk.context.config
    pbx = next((pbx.name for pbx in config.pbx if pbx.name.casefold() == text.casefold()), "")
    if pbx or _was_known(desk, text):
        return f"All that was asked for on {code(pbx or text, 100)}", history.on(pbx or text)
    if person := _PERSON.fullmatch(text):
        who = person[1] or person[2]
        return f"All that <@{who}> asked for", history.by(who)
    if text.startswith("@"):
        return _NO_NAMES
    try:
        name = normalise_domain(text, single_label=True)
    except ValueError as error:
        return f"{code(text, 80)} is no PBX, no person and no host name. {escape(str(error), 500)} [no_such_list]"
    return f"All that was asked for with {code(name, 260)} or a name below it", history.of_name(name)


def _was_known(desk: Desk, text: str) -> bool:
    """A PBX that is not configured any more has its history still."""
    with desk.context.store.begin() as session:
        return history.knows_pbx(session, text)
