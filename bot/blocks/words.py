"""One vocabulary for everything people see: the states' own names, and what each kind of request is called."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.blocks.text import at, code, listed, plain
from bot.domain.requests import Ask, Decision, Execution, Kind, Request
from bot.domain.rules import mention
from bot.domain.wanted import standing_of

#: The verdict of a vote in favour, and of one against.
APPROVE, REJECT = "approve", "reject"

KINDS: Mapping[Kind, str] = {
    Kind.TRUSTED: "Trusted CA certificate",
    Kind.IMPORT: "Server certificate (import)",
    Kind.APPLY: "Server certificate (apply)",
}

_SIGNS: Mapping[Decision | Execution, str] = {
    Decision.DRAFT: "✏️",
    Decision.PENDING: "🟡",
    Decision.APPROVED: "👍",
    Decision.REJECTED: "🚫",
    Decision.WITHDRAWN: "↩️",
    Decision.EXPIRED: "⌛",
    Decision.VOID: "🗄️",
    Execution.QUEUED: "👍",
    Execution.APPLYING: "⚙️",
    Execution.WAITING: "⏳",
    Execution.DONE: "✅",
    Execution.FAILED: "❌",
    Execution.UNKNOWN: "❓",
}

_MEANINGS: Mapping[Decision | Execution, str] = {
    Decision.DRAFT: "being filled in; nobody else sees it",
    Decision.APPROVED: "the bot may act",
    Decision.REJECTED: "nothing was done",
    Decision.WITHDRAWN: "the requester took it back; nothing was done",
    Decision.EXPIRED: "nobody decided in time; nothing was done",
    Decision.VOID: "the bot's database was put back from a backup, so this is not open any more",
    Execution.QUEUED: "the bot is about to begin",
    Execution.APPLYING: "the bot is at work on the PBX",
    Execution.WAITING: "the bot will look at the PBX again soon",
    Execution.DONE: "the PBX lists the certificate",
    Execution.FAILED: "it will not happen",
    Execution.UNKNOWN: "it may or may not have happened; the bot looks at the PBX and goes on by itself",
}

#: Why an approval counts no longer, by the code of its event; those of before it had one lapsed by the policy.
LAPSED: Mapping[str, str] = {
    "not_named": "the policy does not name them any more",
    "deactivated": "their Slack account is deactivated",
    "gone": "they are not in this workspace any more",
    "guest": "they are a guest of this workspace now",
    "other_workspace": "they are of another workspace now",
    "bot": "they are a bot",
}


def title(request: Request) -> str:
    """The request's name, at most 150 characters, plain."""
    change = " (change)" if request.edits else ""
    return plain(f"#{request.number} {KINDS[request.ask.kind]} for {request.ask.pbx}", 150 - len(change)) + change


def sign(request: Request) -> str:
    return _SIGNS[request.execution or request.decision]


def state(request: Request) -> str:
    """The state in one line: its name, and what it means."""
    return f"{sign(request)} *{_names(request)}*: {_meaning(request)}"


def _names(request: Request) -> str:
    return f"{request.decision}, {request.execution}" if request.execution else str(request.decision)


def _meaning(request: Request) -> str:
    if request.decision is Decision.PENDING:
        return f"{votes_so_far(request)}{_open_until(request)}"
    if request.has_not_begun and request.starts_at:
        return f"the bot begins {at(request.starts_at)}; until then it can be withdrawn"
    if request.awaits_word:
        return "it may or may not have happened; somebody has to look at the PBX"
    return _MEANINGS[request.execution or request.decision]


def _open_until(request: Request) -> str:
    return f"; open until {at(request.expires_at)}" if request.expires_at else ""


def votes_so_far(request: Request) -> str:
    """As "1 of 2 approvals, from @ana", under the stricter of its rules."""
    voters = approvers_of(request)
    who = f", from {people(voters)}" if voters else ""
    need = max([request.approvals_needed, *(rule.approvals for rule in request.rules)])
    have = len(voters)
    if request.rules:  # a second one from a group that needs one brings it no further
        have = max(0, need - max(standing_of(request, rule).lacking for rule in request.rules))
    return f"{have} of {need} approvals{who}"


def reduced(when: datetime) -> str:
    """In place of what a request does not say any more."""
    return f"_What this said of people was removed {at(when)}, as the configuration asks. The rest of its story went with it._"


def approvers_of(request: Request) -> tuple[str, ...]:
    """Who voted in favour, in order."""
    return tuple(vote.user for vote in request.votes if vote.verdict == APPROVE)


def people(subjects: Sequence[str], limit: int = 1500) -> str:
    """Users and groups as mentions, as many as fit."""
    return listed([mention(subject) for subject in subjects], len(subjects), limit) or "nobody"


def files(ask: Ask) -> str:
    """The received files' names."""
    return listed([code(file.name, 120) for file in ask.files], most=10)
