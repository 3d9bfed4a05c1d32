"""The message in which a request is decided, rendered whole from its row every time and never patched."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.blocks import deciders, emergencies, evidence, parts, words
from bot.blocks.parts import Block
from bot.blocks.text import at, code, escape, packed, plain, quote
from bot.domain.events import Word
from bot.domain.plan import Evidence
from bot.domain.requests import Decision, Request, Shown
from bot.domain.rules import mention


@dataclass(frozen=True)
class CardButton:
    """One button and the requests on whose cards it stands. What it may do is decided by the server, not by its presence."""

    action_id: str
    text: str
    applies: Callable[[Request], bool]
    style: str = ""
    confirm: Callable[[Request], Block] | None = None

    def render(self, request: Request) -> Block:
        asked = self.confirm(request) if self.confirm else None
        return parts.button(self.text, self.action_id, Shown.of(request).dump(), self.style, asked)


def _is_open(request: Request) -> bool:
    return request.is_open


def _can_be_withdrawn(request: Request) -> bool:
    return request.can_be_withdrawn


def _confirm_approval(request: Request) -> Block:
    name = plain(request.ask.pbx, 60)
    text = f"You approve what this card shows, and the bot then changes the certificates of {name}."
    return parts.confirm(f"Approve #{request.id}?", text, "Approve")


def _confirm_withdrawal(request: Request) -> Block:
    text = "It will not be done, and nobody can decide it afterwards. You can ask again at any time."
    return parts.confirm(f"Withdraw #{request.id}?", text, "Withdraw", style="danger")


def _can_be_asked_anew(request: Request) -> bool:
    return request.can_be_asked_anew


def _awaits_word(request: Request) -> bool:
    return request.awaits_word


def _confirm_there(request: Request) -> Block:
    text = f"You looked at {plain(request.ask.pbx, 60)} and saw the certificate. The request ends as done, on your word."
    return parts.confirm(f"#{request.id} is there?", text, "It is there")


def _confirm_not_there(request: Request) -> Block:
    text = f"You looked at {plain(request.ask.pbx, 60)} and it is not there. The request ends as failed; nothing more is sent."
    return parts.confirm(f"#{request.id} is not there?", text, "It is not there", style="danger")


#: In the order in which they stand.
BUTTONS: tuple[CardButton, ...] = (
    CardButton("approve", "Approve", _is_open, "primary", _confirm_approval),
    CardButton("reject", "Reject", _is_open, "danger"),
    CardButton("edit", "Edit", _is_open),
    CardButton("withdraw", "Withdraw", _can_be_withdrawn, confirm=_confirm_withdrawal),
    CardButton(Word.CHECK_AGAIN.value, "Check again", _awaits_word, "primary"),
    CardButton(Word.IS_THERE.value, "It is there", _awaits_word, confirm=_confirm_there),
    CardButton(Word.IS_NOT_THERE.value, "It is not there", _awaits_word, "danger", _confirm_not_there),
    CardButton("ask_anew", "Ask anew", _can_be_asked_anew),
    CardButton("why", "Why?", _is_open),
    CardButton("details", "Details", lambda request: True),
)


def word_buttons(request: Request) -> list[Block]:
    """For whoever is asked what became of a call."""
    return [button.render(request) for button in BUTTONS if button.applies is _awaits_word and request.awaits_word]


def card(request: Request) -> tuple[list[Block], str]:
    """The blocks, and the text for notifications. Who may decide is mentioned while it is open."""
    blocks = [
        parts.header(emergencies.heading(request)),
        *parts.sections(packed(_top(request))),
        parts.section(f"*Why*\n{quote(request.ask.reason)}"),
        *parts.sections(packed(_evidence(request))),
        *_plan(request),
        *_who_decides(request),
        parts.actions(
            *emergencies.buttons(request), *(button.render(request) for button in BUTTONS if button.applies(request))
        ),
    ]
    return blocks, fallback(request)


def fallback(request: Request) -> str:
    """One line for notifications and screen readers."""
    state = request.execution or request.decision
    return f"{escape(emergencies.heading(request), 300)}: {state}. Asked for by {mention(request.requester)}."


def ending(request: Request) -> list[str]:
    """What came of it, for requests that have ended."""
    if request.decision is Decision.REJECTED:
        rejected = (vote for vote in request.votes if vote.verdict == words.REJECT)
        return [f"{mention(vote.user)} rejected it:\n{quote(vote.reason, 1400)}" for vote in rejected]
    if request.decision is Decision.EXPIRED:
        return deciders.lacked(request)
    if request.outcome is None:
        return []
    if request.outcome.installed:
        found = request.outcome.installed
        listed = f"{code(found.name, 160)}, {escape(found.type, 40)}, expires {escape(found.expires or '-', 60)}"
        return [f"Listed on {code(request.ask.pbx, 100)} as id {found.id}: {listed}"]
    said = f"<@{request.outcome.by}> " if request.outcome.by else ""
    return [said + escape(request.outcome.sentence, 1000)] if request.outcome.sentence else []


def _top(request: Request) -> list[str]:
    asked = f"Asked for by {mention(request.requester)} on {code(request.ask.pbx, 100)}, {at(request.created_at)}."
    verb = "Expired" if request.decision is Decision.EXPIRED else "Decided"
    since = f" {verb} {at(request.decided_at)}." if request.decided_at else ""
    ended = f" Ended {at(request.ended_at)}." if request.ended_at and request.execution else ""
    before = [f"Asked anew after #{request.ask.after}."] if request.ask.after else []
    return [*emergencies.lines(request), words.state(request), *ending(request), asked + since + ended, *before]


def _evidence(request: Request) -> list[str]:
    if request.evidence is None:
        return ["It has not been checked yet."]
    known = Evidence.from_json(request.evidence)
    return evidence.short_lines(evidence.facts(request.ask, known, request.created_at))


def _plan(request: Request) -> list[Block]:
    lines = evidence.plan_lines(request.plan)
    when = evidence.when_lines(request.ask, Evidence.from_json(request.evidence)) if request.evidence else []
    return parts.sections(packed(["*What the bot will do*", *when, *lines])) if lines else []


def _who_decides(request: Request) -> list[Block]:
    voters = words.approvers_of(request)
    if request.is_open:
        return parts.sections(packed(deciders.lines(request)))
    return [parts.context(f"Approved by {words.people(voters)}.")] if voters else []
