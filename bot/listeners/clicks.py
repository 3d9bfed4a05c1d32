"""The card's buttons. A click is recorded and acknowledged; whether it counts is decided right after."""

from collections.abc import Callable

from slack_bolt import Ack, App

from bot.blocks import dialogs
from bot.blocks.details import details
from bot.blocks.reading import read_reason
from bot.domain.events import EventKind, Word
from bot.domain.requests import Decision, Request, Shown
from bot.domain.rules import mention
from bot.exceptions import Stale, StoreError
from bot.listeners.desk import Body, Desk, delivery, not_taken
from bot.listeners.explaining import explained
from bot.store import audit, ledger, votes
from bot.store.engine import LISTENER_WAIT
from bot.store.votes import APPROVE, REJECT, TRY_AGAIN

UNKNOWN = "There is no such request, so nothing was done. [no_request]"


def register(app: App, desk: Desk) -> None:
    app.action("approve")(_approve(desk))
    app.view("approve")(say_why(desk, APPROVE, "Say why: the rule for this request asks for it."))
    app.action("try_again")(_vote(desk, TRY_AGAIN))
    for word in Word:
        app.action(word.value)(_vote(desk, word.value))
    app.action("reject")(_ask_why(desk))
    app.view("reject")(say_why(desk, REJECT, "Say why: the requester reads it."))
    app.action("why")(_why(desk))
    app.action("withdraw")(_withdraw(desk))
    app.action("details")(_details(desk))
    app.action("details_page")(_details_page(desk))
    app.event("subteam_members_changed")(_members_changed(desk))


def _approve(desk: Desk) -> Callable[..., None]:
    """At once, or with a comment where the rule asks for one; the server asks for it again when it decides."""
    vote = _vote(desk, APPROVE)

    def approve(ack: Ack, body: Body) -> None:
        shown = Shown.load(body["actions"][0]["value"])
        request = desk.load(shown.request)
        wants_comment = request is not None and request.is_open and any(rule.comment for rule in request.rules)
        if request is None or not wants_comment or shown != Shown.of(request):
            vote(ack, body)
            return
        ack()
        desk.open_later(body, dialogs.approval_comment(request, shown.dump()))

    return approve


def _why(desk: Desk) -> Callable[..., None]:
    def tell(ack: Ack, body: Body) -> None:
        shown, user = Shown.load(body["actions"][0]["value"]), body["user"]["id"]
        ack()
        desk.answer_with(body, lambda: explained(desk, shown.request, user))

    return tell


def _vote(desk: Desk, verdict: str) -> Callable[..., None]:
    def vote(ack: Ack, body: Body) -> None:
        shown = Shown.load(body["actions"][0]["value"])
        try:
            known = record(desk, body, shown, verdict, body.get("response_url", ""))
        except StoreError as error:
            desk.answer_later(body, not_taken(error))
        else:
            if not known:
                desk.answer_later(body, UNKNOWN)
        ack()

    return vote


def record(desk: Desk, body: Body, shown: Shown, verdict: str, reply_to: str = "", reason: str = "") -> bool:
    """Whether there is such a request; then the click is committed."""
    store = desk.context.store
    with store.begin(LISTENER_WAIT) as session:
        if ledger.load(session, shown.request) is None:
            return False
        votes.record(session, store.now(), store.vault, shown, body["user"]["id"], verdict,
                     delivery=delivery(body), reply_to=reply_to, reason=reason)  # fmt: skip
    return True


def _ask_why(desk: Desk) -> Callable[..., None]:
    """Not for a button of an older version, which would not count: that is said before anybody types a reason."""
    vote = _vote(desk, REJECT)

    def ask_why(ack: Ack, body: Body) -> None:
        shown = Shown.load(body["actions"][0]["value"])
        request = desk.load(shown.request)
        if request is not None and request.is_open and shown != Shown.of(request):
            vote(ack, body)
            return
        ack()
        if request is None:
            desk.answer_later(body, UNKNOWN)
        else:
            desk.open_later(body, dialogs.reject_reason(request, shown.dump()))

    return ask_why


def say_why(desk: Desk, verdict: str, please: str, least: int = dialogs.REASON_MIN) -> Callable[..., None]:
    """The click that a question with one text field leads to; a text shorter than ``least`` is asked for again."""

    def said(ack: Ack, body: Body) -> None:
        shown = Shown.load(body["view"]["private_metadata"])
        reason = read_reason(body["view"])
        if len(reason) < least:
            ack(response_action="errors", errors={"reason": please})
            return
        try:
            known = record(desk, body, shown, verdict, reason=reason)
        except StoreError as error:
            ack(response_action="errors", errors={"reason": not_taken(error)})
            return
        if known:
            ack()
        else:
            ack(response_action="update", view=dialogs.gone())

    return said


def _withdraw(desk: Desk) -> Callable[..., None]:
    def withdraw(ack: Ack, body: Body) -> None:
        shown, user = Shown.load(body["actions"][0]["value"]), body["user"]["id"]
        request = desk.load(shown.request)
        if request is None:
            desk.answer_later(body, UNKNOWN)
        elif sorry := _take_back(desk, request, user):
            desk.answer_later(body, sorry)
        ack()
        desk.repaint_home_later(body)

    return withdraw


def _take_back(desk: Desk, request: Request, user: str) -> str:
    """Withdraw it, or say why not. Only the requester may, and only until the bot begins."""
    store = desk.context.store
    try:
        with store.begin(LISTENER_WAIT) as session:
            if user != request.requester:
                audit.append(session, store.now(), EventKind.REFUSED, user, request.id, verdict="withdraw",
                             code="not_requester", reason="Only the requester may withdraw.", rule="requester")  # fmt: skip
                return f"Only {mention(request.requester)} can withdraw this; you can reject it if you are an approver."
            if not request.can_be_withdrawn:
                return f"#{request.id} {_too_late(request)}, so there is nothing to withdraw."
            ledger.close(session, store.now(), store.vault, request, Decision.WITHDRAWN, user)
    except Stale:
        now = desk.load(request.id)
        if now is not None and now.can_be_withdrawn and now != request:  # approved just now, and not begun
            return _take_back(desk, now, user)
        return f"#{request.id} {_too_late(now or request)}, so there is nothing to withdraw."
    except StoreError as error:
        return not_taken(error)
    return ""


def _too_late(request: Request) -> str:
    return "is being carried out" if request.decision is Decision.APPROVED and not request.has_ended else "is not open any more"


def _details(desk: Desk) -> Callable[..., None]:
    def show(ack: Ack, body: Body) -> None:
        request = desk.load(Shown.load(body["actions"][0]["value"]).request)
        ack()
        if request is None:
            desk.answer_later(body, UNKNOWN)
        else:
            desk.open_later(body, details(request))

    return show


def _details_page(desk: Desk) -> Callable[..., None]:
    def turn(ack: Ack, body: Body) -> None:
        shown = Shown.load(body["view"]["private_metadata"])
        request = desk.load(shown.request)
        ack()
        if request is not None:
            desk.update_later(body, details(request, int(body["actions"][0]["value"])), unless_changed=True)

    return turn


def _members_changed(desk: Desk) -> Callable[..., None]:
    def members_changed(body: Body) -> None:
        desk.context.people.forget(body["event"]["subteam_id"])

    return members_changed
