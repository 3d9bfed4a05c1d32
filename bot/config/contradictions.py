"""What is wrong with a policy whose values are good, each by itself, as ``policy[1].all[0]: ...``."""

from collections.abc import Iterable, Iterator
from typing import Any

from bot.config import values
from bot.config.models import Config, PbxConfig
from bot.config.rules import PolicyConfig, SeatsConfig, policy_of
from bot.domain.kinds import Kind
from bot.domain.quorum import standing
from bot.domain.rules import LEAD, Clause, Rule, Seats, When, groups_in


def of_policy(config: Config) -> Iterator[str]:
    """To be read once each value is good."""
    names = {pbx.name.casefold() for pbx in config.pbx}
    for index, rule in enumerate(config.policy):
        where = f"policy[{index}]"
        for place, name in enumerate(rule.pbx):
            if name.casefold() not in names:
                yield f"{where}.pbx[{place}]: there is no [[pbx]] of this name"
        yield from _approvers(where, rule)
        if not config.team:
            yield from _leads_of_nobody(where, rule)
        yield from _times(where, rule, config)
    clauses = policy_of(config).clauses
    yield from _unused(clauses[: len(config.policy)], names)
    for index, pbx in enumerate(config.pbx):
        yield from _shorthand(f"pbx[{index}]", pbx, clauses)


def _approvers(where: str, rule: PolicyConfig) -> Iterator[str]:
    if not rule.all and not rule.any:
        yield f"{where}: names nobody who could approve: write all = [{{ of = [...] }}], or any"
    seats = {f"{where}.{key}[{place}]": each for key in ("all", "any") for place, each in enumerate(getattr(rule, key))}
    short = {place: each for place, each in seats.items() if _is_closed(each) and each.approvals > len(each.of)}
    for place, each in short.items():
        yield f"{place}.approvals: {values.too_few(each.approvals, len(each.of))}"
    if not short and not _can_be_seated(rule):
        yield f"{where}: cannot be approved by those whom it names, because each of them counts for one group only"
    named = {subject for each in seats.values() for subject in each.of}
    for number, subject in enumerate(rule.silent):
        if subject not in named:
            yield f"{where}.silent[{number}]: is none of its approvers"


def _is_closed(seats: SeatsConfig) -> bool:
    """Whether the file says by itself who they are; a user group's members and a team's leads are not known from it."""
    return not groups_in(seats.of) and LEAD not in seats.of


def _can_be_seated(rule: PolicyConfig) -> bool:
    """Whether there are enough people for all seats of a way to approve, where the file names them."""
    closed = tuple(Seats(seats.of, seats.approvals) for seats in rule.all if _is_closed(seats))
    ways = [(Seats(seats.of, seats.approvals),) if _is_closed(seats) else () for seats in rule.any] or [()]
    return any(_is_enough(closed + way) for way in ways)


def _is_enough(groups: tuple[Seats, ...]) -> bool:
    people = {user for seats in groups for user in seats.subjects}
    sits = {user: frozenset(index for index, seats in enumerate(groups) if user in seats.subjects) for user in people}
    return standing(Rule("", "", all=groups), sits).reached


def _leads_of_nobody(where: str, rule: PolicyConfig) -> Iterator[str]:
    places: list[tuple[str, Iterable[str]]] = [(f"{where}.escalate_to", rule.escalate_to)]
    for key in ("all", "any"):
        places += [(f"{where}.{key}[{place}].of", seats.of) for place, seats in enumerate(getattr(rule, key))]
    for key, subjects in places:
        for place, subject in enumerate(subjects):
            if subject == LEAD:
                yield f'{key}[{place}]: is "{LEAD}", but there is no [[team]] that says who leads whom'


def _times(where: str, rule: PolicyConfig, config: Config) -> Iterator[str]:
    if rule.escalate_after and not rule.escalate_to:
        yield f"{where}.escalate_to: is missing: escalate_after says when, and not to whom"
    if rule.escalate_to and not rule.escalate_after:
        yield f"{where}.escalate_after: is missing: escalate_to says to whom, and not when"
    open_for = rule.open_for or config.slack.pending_for
    for key in ("remind_after", "escalate_after"):
        after = getattr(rule, key)
        if after and after >= open_for:
            closes = "open_for" if rule.open_for else "slack.pending_for"
            yield f"{where}.{key}: must be shorter than {closes}, or the request has expired by then"


def _unused(clauses: Iterable[Clause], names: Iterable[str]) -> Iterator[str]:
    """The first that matches counts, so a rule is of no use behind one that takes all that it is for."""
    before: list[When] = []
    for index, clause in enumerate(clauses):
        taken = next((place for place, when in enumerate(before) if _takes_all(when, clause.when, names)), None)
        if taken is not None:
            yield f"policy[{index}]: is never used: policy[{taken}] takes every request that it is for; put it before that one"
        before.append(clause.when)


def _takes_all(first: When, then: When, names: Iterable[str]) -> bool:
    def within(wider: Iterable[Any], narrower: Iterable[Any], everything: Iterable[Any] = ()) -> bool:
        wide, narrow = set(wider), set(narrower) or set(everything)
        return not wide or (bool(narrow) and narrow <= wide)

    return (
        within(map(str.casefold, first.pbx), map(str.casefold, then.pbx), names)
        and within(first.kinds, then.kinds, Kind)
        and within(first.risks, then.risks)
        and within(first.requesters, then.requesters)
    )


def _shorthand(where: str, pbx: PbxConfig, clauses: Iterable[Clause]) -> Iterator[str]:
    """Each PBX has a rule for every request that no other takes, and says nothing that is not heard."""
    if pbx.approvers:
        return
    for key, instead in (("requesters", "ask"), ("approvals", "approvals beside of")):
        if key in pbx.model_fields_set:
            yield f"{where}.{key}: counts only together with approvers; in a [[policy]] it is {instead}"
    left = [kind for kind in Kind if not any(_is_for(clause, pbx.name, kind) for clause in clauses)]
    if left:
        which = "" if len(left) == len(Kind) else f" of the kind {' or '.join(left)}"
        yield f"{where}.approvers: is missing, and there is no [[policy]] that takes every request{which} for {pbx.name}"


def _is_for(clause: Clause, pbx: str, kind: Kind) -> bool:
    """Whether every such request that no clause before it took is this one's, whatever its risk and its requester."""
    when = clause.when
    fits = not when.pbx or pbx.casefold() in {name.casefold() for name in when.pbx}
    return fits and (not when.kinds or kind in when.kinds) and not when.risks and not when.requesters
