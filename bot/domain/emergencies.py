"""Break-glass: who may have a request done at once without the approvals, and who has to look at it afterwards.

Nobody's approval is faked for it. The request says that it is one, its rule allows it, and an event of the chain, bound to
what was shown, says who let it be done.
"""

from collections.abc import Sequence
from datetime import datetime

from bot.domain.policy import Verdict, approvers_of, may_vote
from bot.domain.problems import Problem
from bot.domain.requests import Ask, Decision, Request, Vote
from bot.domain.rules import Case, Memberships, Policy, Rule, is_among

#: What the requester's click on "Do it at once" is recorded as, and the two things that a second person can say afterwards.
DECLARE, CONFIRM, OBJECT = "declare", "confirm", "object"
LOOKS = (CONFIRM, OBJECT)

#: So many characters a reason has at least: it is all that whoever looks at it afterwards will have to go by.
REASON_MIN = 20


def is_offered(policy: Policy, case: Case, members: Memberships) -> bool | None:
    """Whether a rule that may be the case's lets its requester do it; None when a group decides that and was not read."""
    urgent = [clause.rule.emergency for clause in policy.possible(case) if clause.rule.emergency]
    among = [is_among(case.requester, each.by, members) for each in urgent]
    return True if True in among else None if None in among else False


def depends_on_pbx(policy: Policy, user: str, members: Memberships) -> bool:
    """Whether some rule may let them do it, so that it matters which PBX they choose."""
    urgent = [clause.rule.emergency for clause in policy.clauses if clause.rule.emergency]
    return any(is_among(user, each.by, members) is not False for each in urgent)


def problems(ask: Ask, typed: str) -> list[Problem]:
    """What an emergency needs that any other request does not: a reason that says something, and the PBX's name as typed."""
    found = []
    if len(ask.reason.strip()) < REASON_MIN:
        text = f"Say in at least {REASON_MIN} characters what is broken, and why it cannot wait for the approvals."
        found.append(Problem("reason", text, "reason_short"))
    if ask.pbx and typed.strip().casefold() != ask.pbx.casefold():
        text = f"This is not the name of the PBX that is chosen. Type {ask.pbx}, or untick the emergency."
        found.append(Problem("emergency_pbx", text, "pbx_not_typed"))
    return found


def may_declare(rules: Sequence[Rule], user: str, members: Memberships) -> Verdict:
    """Every rule that counts has to let them; the sentences stand next to a field of the form, so they mention nobody."""
    verdicts = [_may_declare(rule, user, members) for rule in rules]
    return next((verdict for verdict in verdicts if not verdict.permitted), verdicts[0])


def _may_declare(rule: Rule, user: str, members: Memberships) -> Verdict:
    if rule.emergency is None:
        reason = (
            f"The rule for this request ({rule.line}) knows no emergency, so nothing was done. Untick it and ask for approval."
        )
        return Verdict(False, "no_emergency", reason, rule.line)
    among = is_among(user, rule.emergency.by, members)
    if among is None:
        reason = (
            "Slack could not be asked whether you may use the emergency, so nothing was done. Please try again in a minute."
        )
        return Verdict(False, "membership_unknown", reason, rule.line)
    if not among:
        who = f"You are none of those who may use the emergency on {rule.pbx} ({rule.line})"
        reason = f"{who}, so nothing was done. Untick it and ask for approval."
        return Verdict(False, "not_named", reason, rule.line)
    return Verdict(True, "emergency", f"You may have it done at once on {rule.pbx}.", rule.line)


def may_look(rule: Rule, user: str, requester: str, members: Memberships) -> Verdict:
    """Whoever may approve may confirm afterwards or object, and never the requester."""
    if user == requester:
        return Verdict(False, "own_request", "You let this be done yourself, so a second person has to look at it.", rule.line)
    return may_vote((rule,), user, requester, members)


def everybody(rules: Sequence[Rule], operators: Sequence[str], requester: str) -> tuple[str, ...]:
    """All whom the policy names: approvers, silent ones as well, those whom it escalates to, and operators."""
    named = (*approvers_of(rules), *(subject for rule in rules for subject in rule.escalate_to), *operators)
    return tuple(dict.fromkeys(subject for subject in named if subject != requester))


def reminded(rule: Rule, requester: str) -> tuple[str, ...]:
    """Who is told again when nobody has looked: the approvers, and silent ones only where there are no others."""
    return tuple(subject for subject in rule.pinged or rule.approvers if subject != requester)


def is_emergency(request: Request) -> bool:
    """Whether it was let be done so. One that was withdrawn before the bot began changed nothing, and so is none."""
    return request.ask.emergency and request.decision is Decision.APPROVED


def looked_at(request: Request) -> Vote | None:
    """What a second person said afterwards; the first one counts."""
    return next((vote for vote in request.votes if vote.verdict in LOOKS), None)


def awaits_look(request: Request) -> bool:
    return is_emergency(request) and looked_at(request) is None


def confirm_by(request: Request) -> datetime | None:
    """Until when a second person should have looked at it."""
    emergency = request.rule.emergency if request.rule else None
    if not is_emergency(request) or emergency is None or request.decided_at is None:
        return None
    return request.decided_at + emergency.confirm_within
