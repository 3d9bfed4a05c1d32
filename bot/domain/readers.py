"""Who may read a request, and whom an open one waits for: by the rules that count for it."""

from collections.abc import Iterable, Sequence

from bot.domain.requests import Request
from bot.domain.rules import Memberships, Rule, groups_in, is_among

Rules = Sequence[Rule]


def may_read(request: Request, rules: Rules, user: str, members: Memberships) -> bool | None:
    """None when a user group decides that and was not read.

    The requester and everybody whom a rule lets act on it may, and otherwise those whom every one of the rules lets read.
    """
    if user == request.requester:
        return True
    acting = is_among(user, _acting(rules), members)
    if acting is True:
        return True
    reading = [is_among(user, rule.readers, members) if rule.readers else True for rule in rules]
    if False in reading and acting is False:
        return False
    return True if all(reading) else None


def may_decide(request: Request, rules: Rules, user: str, members: Memberships) -> bool | None:
    """Whether it waits for this person: it is open, not their own, and they may vote and have not. None as above."""
    if not request.is_open or user == request.requester or any(vote.user == user for vote in request.votes):
        return False
    return is_among(user, _approvers(rules), members)


def groups_to_read(request: Request, rules: Rules, user: str) -> frozenset[str]:
    """The user groups without which `may_read` says nothing of this person."""
    if user == request.requester or not any(rule.readers for rule in rules) or user in _acting(rules):
        return frozenset()
    return groups_in(_acting(rules)) | groups_in(subject for rule in rules for subject in rule.readers)


def groups_to_decide(request: Request, rules: Rules, user: str) -> frozenset[str]:
    """The same for `may_decide`."""
    is_out = not request.is_open or user == request.requester or user in _approvers(rules)
    return frozenset() if is_out else groups_in(_approvers(rules))


def _approvers(rules: Rules) -> tuple[str, ...]:
    return _distinct(subject for rule in rules for subject in rule.approvers)


def _acting(rules: Rules) -> tuple[str, ...]:
    """Approvers, operators, and those who are told when nobody decides."""
    return _distinct(subject for rule in rules for subject in (*rule.approvers, *rule.operators, *rule.escalate_to))


def _distinct(subjects: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(subjects))
