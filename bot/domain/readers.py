"""Who may read a request, and whom an open one waits for, as far as it is known who is in which user group."""

from collections.abc import Sequence

from bot.domain import policy
from bot.domain.emergencies import awaits_look, may_look
from bot.domain.policy import Verdict
from bot.domain.requests import Request
from bot.domain.rules import Memberships, Rule


def may_read(request: Request, rules: Sequence[Rule], operators: Sequence[str], user: str, members: Memberships) -> bool | None:
    """None when a user group decides that and was not read. What no rule is for any more, everybody may read."""
    return _known(policy.may_read(rules, operators, user, request.requester, members))


def may_decide(request: Request, rules: Sequence[Rule], user: str, members: Memberships) -> bool | None:
    """Whether it waits for this person: it is open, not their own, and they may vote and have not; or it is an emergency that
    nobody has looked at, and they may. None as above."""
    if rules and awaits_look(request):
        return _known(may_look(rules[-1], user, request.requester, members))
    if not request.is_open or not rules or any(vote.user == user for vote in request.votes):
        return False
    return _known(policy.may_vote(rules, user, request.requester, members))


def groups_to_read(request: Request, rules: Sequence[Rule], operators: Sequence[str], user: str) -> frozenset[str]:
    """The user groups without which `may_read` says nothing of this person."""
    if user == request.requester or not any(rule.readers for rule in rules):
        return frozenset()
    return policy.groups_to_read(user, policy.readers_of(rules, operators))


def groups_to_decide(request: Request, rules: Sequence[Rule], user: str) -> frozenset[str]:
    """The same for `may_decide`."""
    if not (request.is_open or awaits_look(request)) or user == request.requester:
        return frozenset()
    return frozenset(group for rule in rules for group in policy.groups_to_read(user, rule.approvers))


def _known(verdict: Verdict) -> bool | None:
    return None if verdict.code == "membership_unknown" else verdict.permitted
