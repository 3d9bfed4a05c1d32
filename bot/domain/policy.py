"""Who may ask, and who may approve. A decision is a value: it carries its reason and the rule behind it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from bot.domain.profile import Profile
from bot.domain.quorum import seats_of, standing
from bot.domain.rules import Case, Memberships, Policy, Rule, Seats, groups_in, is_among, mention

#: The key of the configuration behind `may_take_part`.
OUTSIDERS = "slack.outsiders"
#: And the one behind `may_reload`.
OPERATORS = "slack.operators"
#: The code of `may_take_part` for somebody of whom Slack says nothing now.
PROFILE_UNKNOWN = "profile_unknown"


@dataclass(frozen=True)
class Verdict:
    """Whether somebody may do something, why, and by which rule. ``code`` is stable; ``reason`` is for people."""

    permitted: bool
    code: str
    reason: str
    rule: str


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


def may_ask_at_all(policy: Policy, case: Case, members: Memberships) -> Verdict:
    """What can be said before the request is checked: by which rule it will be decided may depend on what is found then."""
    verdicts = [may_ask(replace(clause.rule, pbx=case.pbx), case.requester, members) for clause in policy.possible(case)]
    if not verdicts:
        return Verdict(False, "no_rule", f"No rule of the configuration lets anybody ask for this on {case.pbx}.", "policy")
    for code in ("everybody", "named", "member", "membership_unknown"):
        for verdict in verdicts:
            if verdict.code == code:
                return verdict
    return verdicts[0]


def may_vote(rules: Sequence[Rule], user: str, requester: str, members: Memberships) -> Verdict:
    """Under the rule that it was asked under and, where there is another one by now, under that too.

    The requester's own voice never counts, whoever the policy names.
    """
    if user == requester:
        return Verdict(False, "own_request", "You asked for this yourself, so somebody else has to decide it.", rules[0].line)
    verdicts = [_named(rule, user, rule.approvers, members, f"decide requests for {rule.pbx}") for rule in rules]
    return next((verdict for verdict in verdicts if not verdict.permitted), verdicts[0])


def may_approve(rules: Sequence[Rule], user: str, requester: str, members: Memberships) -> Verdict:
    """As `may_vote`, and it must be known in which groups of approvers they are: an approval takes a seat of one of them."""
    verdict = may_vote(rules, user, requester, members)
    unknown = next((rule for rule in rules if seats_of(user, rule, members) is None), None)
    if verdict.permitted and unknown is not None:
        return _unknown(f"approve requests for {unknown.pbx}", unknown.line)
    return verdict


def may_operate(rules: Sequence[Rule], operators: Sequence[str], user: str, members: Memberships) -> Verdict:
    """Operators press Try again; where none are named, the approvers do."""
    subjects = operators_of(rules, operators)
    return _named(rules[0], user, subjects, members, f"let the bot log in to {rules[0].pbx} again")


def may_say(rules: Sequence[Rule], operators: Sequence[str], user: str, members: Memberships) -> Verdict:
    """Whoever operates or approves may look at a PBX and say what became of a call."""
    return _named(rules[0], user, speakers(rules, operators), members, f"say what became of a request for {rules[0].pbx}")


def may_read(rules: Sequence[Rule], operators: Sequence[str], user: str, requester: str, members: Memberships) -> Verdict:
    """Whom the rule names as readers, where it does, and whoever has to do with the request anyway."""
    if user == requester or not any(rule.readers for rule in rules):
        return Verdict(True, "reader", "You may read this.", rules[0].line if rules else "")
    return _named(rules[0], user, readers_of(rules, operators), members, f"read requests for {rules[0].pbx}")


def readers_of(rules: Sequence[Rule], operators: Sequence[str]) -> tuple[str, ...]:
    """Besides the requester, where the rules name readers at all: these, who acts on it, and who is told when nobody does."""
    named = (subject for rule in rules for subject in (*rule.readers, *rule.escalate_to))
    return tuple(dict.fromkeys((*named, *speakers(rules, operators))))


def operators_of(rules: Sequence[Rule], operators: Sequence[str]) -> tuple[str, ...]:
    return tuple(operators) or approvers_of(rules)


def speakers(rules: Sequence[Rule], operators: Sequence[str]) -> tuple[str, ...]:
    """Those who are asked what became of a call."""
    return tuple(dict.fromkeys((*operators, *approvers_of(rules))))


def approvers_of(rules: Sequence[Rule]) -> tuple[str, ...]:
    """Everybody whom one of the rules names."""
    return tuple(dict.fromkeys(subject for rule in rules for subject in rule.approvers))


def nobody_left(rule: Rule, requester: str, members: Memberships) -> str:
    """Why the rule cannot be met for this requester, in a sentence; "" if it can, as far as its groups were read."""
    known = _without_unread(rule, members)
    people = {user for subject in known.approvers for user in members.get(subject, {subject})} - {requester}
    if standing(known, {user: seats_of(user, known, members) or frozenset() for user in people}).reached:
        return ""
    if any(not seats.subjects for seats in rule.seats):
        return "You are in no team of the configuration, so there is no lead who could approve this."
    return "Besides you there are not enough people who could approve this; an operator has to change the policy."


def _without_unread(rule: Rule, members: Memberships) -> Rule:
    """Only those of its groups of approvers of which it is known who they are: the others may hold anybody."""

    def is_known(seats: Seats) -> bool:
        return groups_in(seats.subjects) <= members.keys()

    return replace(rule, all=tuple(filter(is_known, rule.all)), any=rule.any if all(map(is_known, rule.any)) else ())


def may_reload(operators: Sequence[str], user: str, members: Memberships) -> Verdict:
    """Operators alone: what a configuration changes is not the approvers' of one PBX to say."""
    if not operators:
        reason = (
            "No operators are configured (slack.operators), so the configuration can be read anew only where the bot runs: "
            "send its process SIGHUP."
        )
        return Verdict(False, "no_operators", reason, OPERATORS)
    among = is_among(user, operators, members)
    if among is None:
        reason = "Slack could not be asked who the operators are, so nothing was done. Please try again in a minute."
        return Verdict(False, "membership_unknown", reason, OPERATORS)
    if not among:
        who = " or ".join(mention(subject) for subject in operators)
        return Verdict(False, "not_named", f"You may not let the bot read its configuration anew; {who} may.", OPERATORS)
    return Verdict(True, "named", "You are among the operators.", OPERATORS)


def may_take_part(profile: Profile | None, outsiders: Collection[str]) -> Verdict:
    """Whether somebody may ask, vote and command at all, whatever the rules say: guests, bots and people of other workspaces
    only if they or their workspace are named, deactivated people never. Without a profile Slack could not be asked."""
    if profile is None:
        reason = "Slack could not be asked who you are, so nothing was done. Please try again in a minute."
        return Verdict(False, PROFILE_UNKNOWN, reason, OUTSIDERS)
    if profile.is_deactivated:
        return Verdict(False, "deactivated", "This Slack account is deactivated, so nothing was done.", OUTSIDERS)
    if not {profile.user, profile.team}.isdisjoint(outsiders):
        return Verdict(True, "named", "You are named among those from outside who may take part.", OUTSIDERS)
    code, what = _outside(profile)
    if not code:
        return Verdict(True, "member", "You are a member of this workspace.", OUTSIDERS)
    reason = (
        f"{what} may not use this, so nothing was done. An operator of the bot can allow it to you by your Slack id "
        f"{profile.user}."
    )
    return Verdict(False, code, reason, OUTSIDERS)


def _outside(profile: Profile) -> tuple[str, str]:
    """Why somebody is from outside; empty for a full member."""
    if profile.is_bot:
        return "bot", "Bots"
    if not profile.is_ours:
        return "other_workspace", "People of other workspaces"
    return ("guest", "Guests of this workspace") if profile.is_guest else ("", "")


def _named(rule: Rule, user: str, subjects: Sequence[str], members: Memberships, doing: str) -> Verdict:
    if user in subjects:
        return Verdict(True, "named", f"You are named among those who may {doing}.", rule.line)
    among = is_among(user, subjects, members)
    if among:
        return Verdict(True, "member", f"You are in a group that may {doing}.", rule.line)
    if among is None:
        return _unknown(doing, rule.line)
    who = " or ".join(mention(subject) for subject in subjects)
    return Verdict(False, "not_named", f"You may not {doing}; {who} may.", rule.line)


def _unknown(doing: str, line: str) -> Verdict:
    reason = f"Slack could not be asked who may {doing}, so nothing was decided. Please try again in a minute."
    return Verdict(False, "membership_unknown", reason, line)
