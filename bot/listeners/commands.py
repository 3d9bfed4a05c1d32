"""`/pbx-cert` and the shortcut: open the form, or answer in words."""

from collections.abc import Callable

from slack_bolt import Ack, App

from bot.blocks import replies
from bot.blocks.form import FormState
from bot.blocks.lists import ListPlace
from bot.blocks.text import code
from bot.domain.requests import Ask
from bot.exceptions import BotError, PbxError, StoreError
from bot.listeners import lists
from bot.listeners.afterwards import defer
from bot.listeners.desk import Body, Desk, not_taken
from bot.listeners.explaining import explained, unreadable
from bot.listeners.gate import gated
from bot.listeners.reloading import reload_all
from bot.store import audit, ledger
from bot.store.engine import LISTENER_WAIT

COMMAND = "/pbx-cert"
SHORTCUT = "pbx_cert"


def register(app: App, desk: Desk) -> None:
    app.command(COMMAND)(gated(desk, "command", _command(desk), opens_form=lambda body: not body.get("text", "").strip()))
    app.shortcut(SHORTCUT)(gated(desk, "shortcut", _shortcut(desk), opens_form=lambda body: True))


def _command(desk: Desk) -> Callable[..., None]:
    def command(ack: Ack, body: Body) -> None:
        word, _, rest = body.get("text", "").strip().partition(" ")
        if not word:
            ack()
            desk.open_form_later(body, empty_form(desk, body["channel_id"], body.get("response_url", "")), body["user_id"])
        elif word == "status":
            ack(_status(desk, rest.strip().lstrip("#"), body))
        elif word == "why":
            ack(_why(desk, rest.strip().lstrip("#"), body))
        elif word == "list":
            ack(_list(desk, rest.strip(), body["response_url"]))
        elif word in lists.KINDS:
            ack()
            lists.answer_later(desk, body, ListPlace(word, rest.strip()))
        elif word == "reload":
            desk.answer_with(body, lambda: reload_all(desk, body["user_id"]))
        elif word == "help":
            ack(replies.help_text())
        else:
            ack(f"{code(word, 80)} is nothing that this command knows.\n{replies.help_text()}")

    return command


def _shortcut(desk: Desk) -> Callable[..., None]:
    def shortcut(ack: Ack, body: Body) -> None:
        ack()
        desk.open_form_later(body, empty_form(desk, "", ""), body["user"]["id"])

    return shortcut


def empty_form(desk: Desk, channel: str, reply_to: str) -> FormState:
    """Where only one PBX can be meant, it is chosen already: there is one, or the channel is one PBX's own."""
    config = desk.context.config
    own = [pbx.name for pbx in config.pbx if pbx.channel == channel != config.slack.channel]
    here = own if len(config.pbx) > 1 else [config.pbx[0].name]
    ask = Ask(pbx=here[0] if len(here) == 1 else "")
    return FormState(ask, asked_in=channel, reply_to=reply_to)


def _status(desk: Desk, number: str, body: Body) -> str:
    """Slack is asked only where a user group decides who may read it; then the answer comes later."""
    if not number.isdecimal() or len(number) > 9:
        return "Say which request: `/pbx-cert status 42`."
    try:
        with desk.context.store.begin(LISTENER_WAIT) as session:
            request = ledger.load(session, int(number))
            events = audit.events_of(session, int(number))
    except StoreError as error:
        return not_taken(error)
    if request is None or request.is_private:
        return f"There is no request #{number}."
    may_read = desk.reader.may_read_at_once(body["user_id"], request)
    if may_read is None:
        desk.answer_with(body, lambda: unreadable(desk, request, body["user_id"]) or replies.status(request, events))
        return f"Looking whether you may read #{number} …"
    return replies.status(request, events) if may_read else replies.not_readable(request)


def _why(desk: Desk, number: str, body: Body) -> str:
    if not number.isdecimal() or len(number) > 9:
        return "Say which request: `/pbx-cert why 42`."
    desk.answer_with(body, lambda: explained(desk, int(number), body["user_id"]))
    return f"Looking who may decide #{number} …"


def _list(desk: Desk, name: str, reply_to: str) -> str:
    config = desk.context.config
    wanted = [pbx for pbx in config.pbx if not name or pbx.name.casefold() == name.casefold()]
    if not wanted:
        known = ", ".join(f"`{pbx.name}`" for pbx in config.pbx)
        return f"There is no PBX of that name. The bot knows {known}."
    for pbx in wanted:
        defer(_listing(desk, pbx.name, reply_to))
    return "Asking " + " and ".join(f"`{pbx.name}`" for pbx in wanted) + " …"


def _listing(desk: Desk, pbx: str, reply_to: str) -> Callable[[], None]:
    def ask() -> None:
        try:
            blocks, text = replies.listing(pbx, desk.context.pbx(pbx).list_certificates(), desk.context.now())
        except (PbxError, StoreError) as error:
            blocks, text = [], _sorry(pbx, error)
        desk.context.slack.respond(reply_to, text=text, blocks=blocks or None)

    return ask


def _sorry(pbx: str, error: BotError) -> str:
    shown = error.message if error.code in error.message else f"{error.message} [{error.code}]"
    return f"`{pbx}` could not be asked: {shown}"
