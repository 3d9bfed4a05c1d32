"""The views and direct messages between the form and the card."""

import json
from collections.abc import Mapping, Sequence

from bot.blocks import deciders, emergencies, parts, words
from bot.blocks import evidence as ev
from bot.blocks.changes import what_changes
from bot.blocks.parts import Block, View
from bot.blocks.text import code, escape, packed, quote
from bot.domain.plan import Evidence
from bot.domain.problems import Problem
from bot.domain.requests import Ask, Request, Shown

REASON_MIN, REASON_MAX = 3, 500


def checking(ask: Ask, draft: int, version: int) -> View:
    """What the form turns into while the files are fetched and the PBX is asked. The button is for when this seems to hang."""
    what = words.files(ask) if ask.needs_files else code(ask.domain)
    blocks = [
        parts.section(f"⏳ Checking {what or 'your request'} for {code(ask.pbx, 100)} …"),
        parts.section("The files are being read and the PBX is asked what it has. The result appears here in a few seconds."
                      " You may close this window: then the result comes as a direct message."),
        parts.actions(parts.button("Show result", "show_result", str(draft))),
    ]  # fmt: skip
    metadata = json.dumps({"draft": draft, "version": version})
    return parts.modal("Checking", blocks, callback_id="checking", metadata=metadata, close="Close")


def confirm(request: Request, evidence: Evidence, changes: Sequence[str] = ()) -> View:
    """The evidence and the plan, to be confirmed by the requester before anybody else sees them.

    Of a draft that changes a request, ``changes`` are first.
    """
    shown = Shown.of(request).dump()
    lines = ev.short_lines(ev.facts(request.ask, evidence, request.created_at))
    urgent = request.ask.emergency
    doing = "*What the bot will do at once*" if urgent else "*What the bot will do once it is approved*"
    when = ev.when_lines(request.ask, evidence)
    blocks = [
        *(emergencies.before(request) if urgent else ()),
        parts.section(f"This is what the approvers will see of *{escape(words.title(request), 300)}*."),
        *parts.sections(packed(what_changes(request, changes) if changes else [])),
        parts.section(f"*Why*\n{quote(request.ask.reason)}"),
        *parts.sections(packed(lines)),
        *parts.sections(packed([doing, *when, *ev.plan_lines(request.plan)])),
        parts.section(_audience(request)),
        parts.actions(parts.button("Change something", "change", shown)),
    ]
    asking = "Change the request" if request.edits else "Ask for approval"
    submit = "Do it at once" if urgent else asking
    return parts.modal("Is this right?", blocks, callback_id="confirm", metadata=shown, submit=submit, close="Cancel")


def _audience(request: Request) -> str:
    where = f"<#{request.channel}>" if request.channel else "the channel of this PBX"
    if request.ask.emergency or request.rule is None:
        return f"*Who sees it*: everybody in {where}."
    takes = f" It takes the approval of {deciders.asked_for(request.rule)}; your own does not count."
    return f"*Who sees it*: everybody in {where}.{takes}"


def asked(request: Request, link: str = "") -> View:
    """The last view. ``link`` is the card's permalink; empty while the card has not been posted."""
    where = f"<#{request.channel}>" if request.channel else "the channel of this PBX"
    card = f"<{_url(link)}|See the card> in {where}." if link else f"The card is on its way to {where}."
    blocks = [
        parts.section(f"✅ You have asked for *{escape(words.title(request), 300)}*. {card}"),
        parts.section("You are told when it is decided. Until the bot begins you can take it back with Withdraw on the card;"
                      f" {code(f'/pbx-cert status {request.id}')} says how it stands."),
    ]  # fmt: skip
    return parts.modal("Asked", blocks, callback_id="asked", close="Close")


def result_message(request: Request, result: Evidence | Sequence[Problem | Mapping[str, str]]) -> tuple[list[Block], str]:
    """The check's result as a direct message, for whoever closed the modal."""
    title = words.title(request)
    if isinstance(result, Evidence):
        text = "The check found nothing that stands in the way. Continue, look at the evidence, and ask for approval."
        found: list[str] = []
    else:
        text = "The check found something that has to be changed first. Continue opens the form with what you typed."
        found = _problems(result)
    value = Shown.of(request).dump()
    buttons = parts.actions(
        parts.button("Continue", "continue_draft", value, "primary"), parts.button("Discard", "discard_draft", value)
    )
    later = parts.context("A draft is deleted an hour after its last change, together with its files and credentials.")
    top = parts.section(f"*{escape(title, 300)}*\n{text}")
    return [top, *parts.sections(packed(found)), buttons, later], f"{escape(title, 300)}: the check is done."


def _problems(problems: Sequence[Problem | Mapping[str, str]], most: int = 10) -> list[str]:
    told = [each if isinstance(each, Problem) else Problem(**each) for each in problems]
    rest = [f"⚠️ + {len(told) - most} more"] if len(told) > most else []
    return [*(f"⚠️ {escape(str(problem), 1400)}" for problem in told[:most]), *rest]


def draft_closed(request: Request, sentence: str) -> tuple[list[Block], str]:
    """What the result message becomes once its draft is continued, discarded or gone: no buttons that lead nowhere."""
    title, told = escape(words.title(request), 300), escape(sentence, 2000)
    return [parts.section(f"*{title}*\n{told}")], f"{title}: {told}"


def not_taken(code_: str = "store_busy", why: str = "") -> str:
    """For a click or a submission that could not be committed in time. ``why`` says what an operator has to do first."""
    if not why:
        return f"This was not taken, because the bot's database is busy; nothing has changed. Please press again. [{code_}]"
    return f"This was not taken; nothing has changed. {why} Please press again later. [{code_}]"


def not_read(code_: str, why: str) -> str:
    """For a list that could not be read from the bot's database. ``why`` is the error's own sentence."""
    return f"The bot's database could not be read, so nothing can be shown now. {why} Please try again in a minute. [{code_}]"


def reject_reason(request: Request, metadata: str = "") -> View:
    """Asks an approver why. ``metadata`` is what the caller wants back, `Shown.dump` if nothing else is given."""
    element = parts.text_input("reason", multiline=True, min_length=REASON_MIN, max_length=REASON_MAX)
    hint = "The requester and everybody in the channel will read it. Say what would have to be different."
    blocks = [
        parts.section(f"You are about to reject *{escape(words.title(request), 300)}*, asked for by <@{request.requester}>."),
        parts.field("reason", "Why?", element, hint=hint),
    ]
    return parts.modal("Reject", blocks, callback_id="reject", metadata=metadata or Shown.of(request).dump(),
                       submit="Reject", close="Cancel")  # fmt: skip


def approval_comment(request: Request, metadata: str) -> View:
    """Asks an approver for the comment that the rule wants. ``metadata`` is what they were shown (`Shown.dump`)."""
    element = parts.text_input("reason", multiline=True, min_length=REASON_MIN, max_length=REASON_MAX)
    name = escape(words.title(request), 300)
    blocks = [
        parts.section(f"You approve *{name}* as its card shows it, and the bot then changes the certificates."),
        parts.field("reason", "Comment", element, hint="It stands in the thread and in the audit trail."),
    ]
    return parts.modal("Approve", blocks, callback_id="approve", metadata=metadata, submit="Approve", close="Cancel")


def notice(title: str, text: str) -> View:
    """A view that only says something. ``text`` is plain."""
    blocks = parts.sections(packed(escape(line, 2900) for line in text.splitlines() if line.strip()))
    return parts.modal(title, blocks or [parts.section("-")], callback_id="notice", close="Close")


def gone() -> View:
    """For a draft that was deleted, discarded, or asked for already."""
    text = (
        "This draft is no longer there: it was discarded, asked for already, or deleted an hour after its last change."
        " Nothing was done on the PBX. Start again with /pbx-cert. [draft_gone]"
    )
    return notice("No longer there", text)


def _url(link: str) -> str:
    """A link's address may not hold what ends it in mrkdwn."""
    return link.replace("|", "%7C").replace(">", "%3E").replace("<", "%3C")[:2000]
