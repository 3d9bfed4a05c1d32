"""What a requester presses on the way from form to request: Show result, Change, Continue, Discard."""

from collections.abc import Callable

from slack_bolt import Ack, App

from bot.blocks import dialogs
from bot.domain.requests import Decision, Shown
from bot.exceptions import Stale, StoreError
from bot.listeners.afterwards import defer
from bot.listeners.desk import Body, Desk, not_taken
from bot.store import drafts, ledger
from bot.store.engine import LISTENER_WAIT
from bot.work.check import is_judged


def register(app: App, desk: Desk) -> None:
    app.action("show_result")(_show_result(desk))
    app.action("change")(_change(desk))
    app.action("continue_draft")(_continue(desk))
    app.action("discard_draft")(_discard(desk))


def _show_result(desk: Desk) -> Callable[..., None]:
    """For whom "Checking" seems to hang: paint what there is by now."""

    def show_result(ack: Ack, body: Body) -> None:
        ack()
        draft = desk.own_draft(int(body["actions"][0]["value"]), body["user"]["id"])
        if draft is None:
            desk.update_later(body, dialogs.gone())
        elif is_judged(draft):
            desk.update_later(body, desk.checker.view(draft))

    return show_result


def _change(desk: Desk) -> Callable[..., None]:
    def change(ack: Ack, body: Body) -> None:
        ack()
        shown = Shown.load(body["actions"][0]["value"])
        draft = desk.own_draft(shown.request, body["user"]["id"])
        desk.update_later(body, desk.checker.form(draft) if draft else dialogs.gone())

    return change


def _continue(desk: Desk) -> Callable[..., None]:
    """From the direct message back into a modal, with the draft as it stands."""

    def continue_(ack: Ack, body: Body) -> None:
        ack()
        shown = Shown.load(body["actions"][0]["value"])
        draft = desk.own_draft(shown.request, body["user"]["id"])
        if draft is None:
            desk.open_later(body, dialogs.gone())
            return
        defer(lambda: _reopen(desk, body, draft.id))

    return continue_


def _reopen(desk: Desk, body: Body, number: int) -> None:
    draft = desk.load(number)
    if draft is None:
        return
    view_id = desk.open(body, desk.checker.view(draft))
    if not view_id:
        return
    try:
        with desk.context.store.begin() as session:
            drafts.seen_in(session, draft, view_id)
    except Stale:  # it was asked for meanwhile; the modal says so when it is submitted
        return


def _discard(desk: Desk) -> Callable[..., None]:
    def discard(ack: Ack, body: Body) -> None:
        store, user = desk.context.store, body["user"]["id"]
        shown = Shown.load(body["actions"][0]["value"])
        draft = desk.own_draft(shown.request, user)
        ack()
        if draft is None:
            desk.answer_later(body, "This draft is no longer there.")
            return
        try:
            with store.begin(LISTENER_WAIT) as session:
                ledger.close(session, store.now(), store.vault, draft, Decision.WITHDRAWN, user)
        except Stale:
            desk.answer_later(body, "This draft was changed or asked for just now, so it was not discarded.")
            return
        except StoreError as error:
            desk.answer_later(body, not_taken(error))
            return
        blocks, text = dialogs.draft_closed(draft, "Discarded, with its files and credentials.")
        url = body["response_url"]
        defer(lambda: desk.context.slack.respond(url, text=text, blocks=blocks, replace_original=True))

    return discard
