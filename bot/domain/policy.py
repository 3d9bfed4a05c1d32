"""Who may ask, and who may approve. A decision is a value: it carries its reason and the rule behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

#: Members of the user groups that were read for this decision; a group that is missing here was not or could not be read.
Memberships = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Rule:
    """One PBX's rule. ``line`` says where it stands in the configuration, for whoever asks why."""

    pbx: str
    line: str
    approvers: tuple[str, ...]
    approvals: int = 1
    requesters: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """Whether somebody may do something, why, and by which rule. ``code`` is stable; ``reason`` is for people."""

    permitted: bool
    code: str
    reason: str
    rule: str


def is_group(subject: str) -> bool:
    """A Slack user group's id begins with S; a user's with U or W."""
    return subject.startswith("S")


def groups_in(subjects: Sequence[str]) -> frozenset[str]:
    return frozenset(filter(is_group, subjects))


def groups_to_read(user: str, subjects: Sequence[str]) -> frozenset[str]:
    """The groups whose members must be known before anything can be said about this user: none if they are named."""
    return frozenset() if user in subjects else groups_in(subjects)


def may_ask(rule: Rule, user: str, members: Memberships) -> Verdict:
    """An empty list of requesters means everybody in the workspace."""
    if not rule.requesters:
        return Verdict(True, "everybody", f"Everybody may ask for {rule.pbx}.", rule.line)
    verdict = _named(rule, user, rule.requesters, members, f"ask for a certificate on {rule.pbx}")
    if verdict.code == "not_named":  # stands next to a field of the form, where Slack shows a mention as its raw text
        reason = f"You may not ask for a certificate on {rule.pbx}; only the people whom its configuration names may."
        return Verdict(False, verdict.code, reason, verdict.rule)
    return verdict


def may_vote(rule: Rule, user: str, requester: str, members: Memberships) -> Verdict:
    """The requester's own voice never counts, whoever the policy names."""
    if user == requester:
        return Verdict(False, "own_request", "You asked for this yourself, so somebody else has to decide it.", rule.line)
    return _named(rule, user, rule.approvers, members, f"decide requests for {rule.pbx}")


def may_operate(rule: Rule, user: str, members: Memberships) -> Verdict:
    """Operators press Try again; where none are named, the PBX's approvers are."""
    return _named(rule, user, rule.operators or rule.approvers, members, f"let the bot log in to {rule.pbx} again")


def may_say(rule: Rule, user: str, members: Memberships) -> Verdict:
    """Whoever operates or approves for a PBX may look at it and say what became of a call."""
    return _named(rule, user, speakers(rule), members, f"say what became of a request for {rule.pbx}")


def speakers(rule: Rule) -> tuple[str, ...]:
    """Those who are asked what became of a call."""
    return tuple(dict.fromkeys((*rule.operators, *rule.approvers)))


def _named(rule: Rule, user: str, subjects: Sequence[str], members: Memberships, doing: str) -> Verdict:
    if user in subjects:
        return Verdict(True, "named", f"You are named among those who may {doing}.", rule.line)
    groups = groups_in(subjects)
    for group in sorted(groups):
        if user in members.get(group, frozenset()):
            return Verdict(True, "member", f"You are in a group that may {doing}.", rule.line)
    if groups - members.keys():
        reason = f"Slack could not be asked who may {doing}, so nothing was decided. Please try again in a minute."
        return Verdict(False, "membership_unknown", reason, rule.line)
    who = " or ".join(mention(subject) for subject in subjects)
    return Verdict(False, "not_named", f"You may not {doing}; {who} may.", rule.line)


def mention(subject: str) -> str:
    """A user or a user group in Slack's mrkdwn (docs.slack.dev/messaging/formatting-message-text)."""
    return f"<!subteam^{subject}>" if is_group(subject) else f"<@{subject}>"
