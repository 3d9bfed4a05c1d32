"""What the domain's rules should say, found by trying everything: every world that Slack may have kept from us, every chair.

Nothing here is shared with `bot.domain` but the values. About a group that could not be read nothing is reasoned: it is tried
as one that the person is in, and as one that they are not in, and what is known is what all such worlds agree on.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from bot.domain.rules import LEAD, Case, Policy, Rule

Members = Mapping[str, frozenset[str]]


def worlds(person: str, groups: Iterable[str], members: Members) -> Iterator[frozenset[str]]:
    """Each set of groups that the person may be in."""
    every = sorted(groups)
    for guess in product((False, True), repeat=len(every)):
        if all(group not in members or (person in members[group]) == is_in for group, is_in in zip(every, guess, strict=True)):
            yield frozenset(group for group, is_in in zip(every, guess, strict=True) if is_in)


@dataclass(frozen=True)
class Found:
    """The clause by its index, -1 for none, and the requester's leads if it asks for them."""

    clause: int
    leads: tuple[str, ...] = ()
    teams: tuple[int, ...] = ()


def first_match(policy: Policy, case: Case, groups: Iterable[str], members: Members) -> Found | None:
    """None if it depends on a group that could not be read."""
    seen = {_in_world(policy, case, world | {case.requester}) for world in worlds(case.requester, groups, members)}
    return seen.pop() if len(seen) == 1 else None


def _in_world(policy: Policy, case: Case, is_: frozenset[str]) -> Found:
    for index, clause in enumerate(policy.clauses):
        when = clause.when
        told = [
            any(name.lower() == case.pbx for name in when.pbx) or when.pbx == (),
            case.kind in when.kinds or when.kinds == (),
            any(risk in (case.risks or ()) for risk in when.risks) or when.risks == (),
            any(subject in is_ for subject in when.requesters) or when.requesters == (),
        ]
        if sum(told) < 4:
            continue
        named = [subject for group in (*clause.rule.all, *clause.rule.any) for subject in group.subjects]
        if LEAD not in [*named, *clause.rule.escalate_to]:
            return Found(index)
        own = tuple(place for place, team in enumerate(policy.teams) if is_ & set(team.members))
        leads = [lead for place in own for lead in policy.teams[place].leads]
        return Found(index, tuple(sorted(set(leads), key=leads.index)), own)
    return Found(-1)


def chairs(person: str, rule: Rule, groups: Iterable[str], members: Members) -> frozenset[int] | None:
    """The groups of approvers that the person is in; None if it depends on a group that could not be read."""
    every = [*rule.all, *rule.any]
    seen = {
        frozenset(index for index, seats in enumerate(every) if set(seats.subjects) & (world | {person}))
        for world in worlds(person, groups, members)
    }
    return seen.pop() if len(seen) == 1 else None


def still_wanted(rule: Rule, sits: Mapping[str, frozenset[int]]) -> int:
    """How many more people it takes at least: everybody is put on each chair of theirs in turn, or on none."""
    options = [len(rule.all) + index for index in range(len(rule.any))] or [-1]
    wanted = {index: seats.count for index, seats in enumerate([*rule.all, *rule.any])}
    shortest = sum(wanted.values())
    for way in product(*([-1, *sorted(own)] for own in sits.values())):
        for option in options:
            filled = [*range(len(rule.all)), *([option] if option >= 0 else [])]
            shortest = min(shortest, sum(max(0, wanted[index] - way.count(index)) for index in filled))
    return shortest


def counts(person: str, act: str, rules: Iterable[Rule], requester: str, groups: Iterable[str], members: Members) -> bool:
    """Whether the click is taken: under each rule, in each world, they are an approver; an approval must know its chairs."""
    every = tuple(groups)
    for rule in rules:
        named = {subject for seats in (*rule.all, *rule.any) for subject in seats.subjects}
        if person == requester or not all(named & (world | {person}) for world in worlds(person, every, members)):
            return False
        if act == "approves" and chairs(person, rule, every, members) is None:
            return False
    return True


def approves(
    clicks: Iterable[tuple[str, str]], rules: Iterable[Rule], requester: str, groups: Iterable[str], members: Members
) -> bool:
    """Whether these clicks, all together, approve it under each of the rules."""
    every, both = tuple(groups), tuple(rules)
    taken = [(user, act) for user, act in clicks if counts(user, act, both, requester, every, members)]
    if any(act == "rejects" for _, act in taken):
        return False
    people = {user for user, _ in taken}
    return all(
        still_wanted(rule, {user: chairs(user, rule, every, members) or frozenset() for user in people}) == 0 for rule in both
    )
