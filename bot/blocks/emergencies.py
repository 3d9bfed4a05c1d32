"""What people see of an emergency: on the card, in its confirmation, and in the messages to everybody whom the policy names."""

from datetime import datetime

from bot.blocks import deciders, parts, words
from bot.blocks.parts import Block, View
from bot.blocks.text import at, code, duration, escape, packed, plain, quote
from bot.domain.emergencies import CONFIRM, OBJECT, awaits_look, confirm_by, is_emergency, looked_at
from bot.domain.events import Event, EventKind
from bot.domain.requests import Request, Shown, Vote
from bot.domain.rules import Rule, mention

REASON_MIN, REASON_MAX = 3, 500
#: The buttons' action ids and their modals' callback ids, and the verdict that each is recorded as.
LOOKS = {"confirm_afterwards": CONFIRM, "object_afterwards": OBJECT}

SIGN = "🚨"


def heading(request: Request) -> str:
    """The card's header; a plain text of at most 150 characters."""
    return plain(f"{SIGN} EMERGENCY {words.title(request)}", 150) if is_emergency(request) else words.title(request)


def lines(request: Request) -> list[str]:
    """For whoever looks at how it stands: that it was an emergency, and what a second person says to that."""
    if not is_emergency(request):
        return []
    rule = f" ({code(request.rule.line, 100)})" if request.rule else ""
    declared = f"{SIGN} *EMERGENCY*: {mention(request.requester)} let it be done at once, without the approvals{rule}."
    look = looked_at(request)
    return [declared, _said(look) if look else _unlooked(request)]


def _unlooked(request: Request) -> str:
    until = confirm_by(request)
    when = f" A second person has to look at it until {at(until)}." if until else ""
    return f"⚠️ *Nobody has confirmed this emergency yet.*{when}"


def _said(look: Vote) -> str:
    if look.verdict == CONFIRM:
        comment = f"\n{quote(look.reason, 1000)}" if look.reason.strip() else ""
        return f"✅ {mention(look.user)} confirmed it afterwards, {at(look.at)}.{comment}"
    return f"⛔ {mention(look.user)} looked at it afterwards and objects, {at(look.at)}:\n{quote(look.reason, 1000)}"


def buttons(request: Request) -> list[Block]:
    """For a second person, as long as none has looked."""
    return [confirm_button(request), object_button(request)] if awaits_look(request) else []


def confirm_button(request: Request) -> Block:
    return parts.button("Confirm afterwards", "confirm_afterwards", Shown.of(request).dump(), "primary")


def object_button(request: Request) -> Block:
    return parts.button("Object", "object_afterwards", Shown.of(request).dump(), "danger")


# Before it is declared


def before(request: Request) -> list[Block]:
    """What will happen, for the requester who is about to let it."""
    rule = request.rule
    within = f" within {duration(rule.emergency.confirm_within.total_seconds())}" if rule and rule.emergency else ""
    takes = f" (of {deciders.asked_for(rule)})" if rule else ""
    told = [
        f"{SIGN} *EMERGENCY on {code(request.ask.pbx, 100)}*: this starts at once, and nobody has to approve it.",
        f"• The approval that it takes otherwise{takes} is left out.",
        "• Everybody whom the policy names is told now: on the card, in its thread, and each by direct message.",
        f"• A second person has to confirm it{within}. As long as nobody does, it is raised again every day.",
        "• Your name, your reason and this stand in the audit trail.",
    ]
    return parts.sections(packed(told))


def declared(request: Request) -> View:
    """The last view. The bot has still to make sure that the requester may."""
    where = f"<#{request.channel}>" if request.channel else "the channel of this PBX"
    text = (
        f"{SIGN} *{escape(words.title(request), 300)}* begins at once, as soon as Slack has said that you may. The card is on "
        f"its way to {where}, and everybody is told. If you may not, the bot writes to you."
    )
    return parts.modal("Emergency", [parts.section(text)], callback_id="declared", close="Close")


# Afterwards


def question(request: Request, callback: str, metadata: str) -> View:
    """Asks a second person what they say. ``metadata`` is what they were shown (`Shown.dump`)."""
    name, who = escape(words.title(request), 300), f"{mention(request.requester)}"
    if LOOKS[callback] == CONFIRM:
        text = f"You confirm that it was right of {who} to let *{name}* be done at once, without the approvals."
        element = parts.text_input("reason", multiline=True, max_length=REASON_MAX)
        asked = parts.field("reason", "Comment", element, hint="It stands in the thread and in the audit trail.", optional=True)
        title, submit = "Confirm afterwards", "Confirm"
    else:
        text = f"You say that it was not right of {who} to let *{name}* be done at once. Nothing is undone by that."
        element = parts.text_input("reason", multiline=True, min_length=REASON_MIN, max_length=REASON_MAX)
        hint = "The requester, the operators and everybody in the channel will read it."
        asked = parts.field("reason", "What was not right?", element, hint=hint)
        title, submit = "Object", "Object"
    return parts.modal(title, [parts.section(text), asked], callback_id=callback, metadata=metadata, submit=submit,
                       close="Cancel")  # fmt: skip


# The thread


def line(event: Event, request: Request) -> str:
    """In the thread; at most 3000 characters."""
    if event.kind is EventKind.EMERGENCY:
        return f"{_declared(event, request)} {_please(event)}"
    if event.kind is EventKind.UNCONFIRMED:
        return f"{_raised(event)} {_please(event)}"
    return _looked(event, request)


def _declared(event: Event, request: Request) -> str:
    who, pbx, rule = mention(event.actor), code(request.ask.pbx, 100), code(str(event.data.get("rule", "")), 100)
    return (
        f"{SIGN} *EMERGENCY*: {who} lets this be done on {pbx} at once, without the approvals, as {rule} allows. The reason:\n"
        f"{quote(str(event.data.get('reason', '')), 900)}\nA second person has to confirm it {_until(event)}."
    )


def _raised(event: Event) -> str:
    number = int(event.data.get("number") or 1)
    again = f" This is told for the {_nth(number)} time." if number > 1 else ""
    return f"{SIGN} *Nobody has confirmed this emergency yet*; somebody should have {_until(event)}.{again}"


def _until(event: Event) -> str:
    moment = event.data.get("confirm_by")
    return f"until {at(datetime.fromisoformat(str(moment)))}" if moment else "soon"


def _please(event: Event) -> str:
    to = [str(each) for each in event.data.get("to") or ()]
    if not to:
        return "Whoever may approve can do that here."
    return f"{words.people(to, 1300)}, please look at it: *Confirm afterwards* if it was right, *Object* if it was not."


def _looked(event: Event, request: Request) -> str:
    if event.kind is EventKind.CONFIRMED:
        comment = str(event.data.get("comment") or "")
        said = f":\n{quote(comment, 1400)}" if comment.strip() else "."
        return f"✅ {mention(event.actor)} has looked at this emergency and confirms it{said}"
    reason = quote(str(event.data.get("reason", "")), 1400)
    return (
        f"⛔ {mention(event.actor)} has looked at this emergency and *objects*. Nothing is undone by that; the operators are "
        f"told. {mention(request.requester)}, the reason:\n{reason}"
    )


# Messages to people


def message(event: Event, request: Request, link: str) -> tuple[list[Block], str]:
    """To one person whom the policy names. ``link`` leads to the card; empty while that is not there."""
    what = f"*{escape(words.title(request), 300)}*"
    told = _declared(event, request) if event.kind is EventKind.EMERGENCY else _raised(event)
    look = looked_at(request)
    state = _said(look) if look else "Look at it, then press *Confirm afterwards* if it was right or *Object* if it was not."
    text = f"{what}\n{told}\n{_card(request, link)} {state}"
    details = parts.button("Details", "details", Shown.of(request).dump())
    return [
        parts.section(text),
        parts.actions(*buttons(request), details),
    ], f"{SIGN} EMERGENCY {escape(words.title(request), 300)}"


def objection(event: Event, request: Request, link: str, instead_of: str = "") -> tuple[list[Block], str]:
    """To the operators' channel, or to an operator ``instead_of`` a channel that Slack does not let the bot post in."""
    why = f"\nThis is told to you because the bot cannot post in <#{instead_of}>." if instead_of else ""
    what, who, whose = escape(words.title(request), 300), mention(event.actor), mention(request.requester)
    text = (
        f"⛔ {who} objects to the emergency *{what}*, which {whose} let be done without the approvals:\n"
        f"{quote(str(event.data.get('reason', '')), 1400)}\n{_card(request, link)} Nothing is undone by the bot: look at "
        f"{code(request.ask.pbx, 100)} and decide what has to happen.{why}"
    )
    return [parts.section(text)], f"⛔ {escape(words.title(request), 300)}: somebody objects to this emergency."


def _card(request: Request, link: str) -> str:
    return f"<{link}|Its card> is in <#{request.channel}>." if link else f"Its card is in <#{request.channel}>."


def _nth(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def of_rule(rule: Rule) -> list[str]:
    """For the explanation of a rule."""
    if rule.emergency is None:
        return []
    within = duration(rule.emergency.confirm_within.total_seconds())
    return [
        f"*In an emergency* at once by {words.people(rule.emergency.by)}; a second person then confirms it within {within}."
    ]
