"""Which rules count for a request: the one that it was asked under, and today's where that is another one."""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.plan import Evidence
from bot.domain.policy import Verdict
from bot.domain.quorum import groups_to_read
from bot.domain.requests import Request
from bot.domain.risk import Risk
from bot.domain.rules import Case, Match, Memberships, Policy, Rule


@dataclass(frozen=True)
class Ruling:
    """The rules that count, or why none can be said."""

    rules: tuple[Rule, ...]
    refusal: Verdict | None = None


def case_of(request: Request) -> Case:
    """What the policy is looked up by. An unchecked draft's risks are not known."""
    risks = Evidence.from_json(request.evidence).risks if request.evidence else None
    known = None if risks is None else frozenset(Risk(risk) for risk in risks)
    return Case(request.ask.pbx, request.ask.kind, request.requester, known)


def groups_for(policy: Policy, request: Request) -> frozenset[str]:
    """The user groups by which it is told which rule is the request's today."""
    return policy.groups_for(case_of(request))


def rule_today(policy: Policy, request: Request, members: Memberships) -> Match:
    return policy.find(case_of(request), members)


def ruling(policy: Policy, request: Request, members: Memberships) -> Ruling:
    """The stricter of both counts, so both are there; where today's cannot be said, nothing may be decided."""
    match = rule_today(policy, request, members)
    if match.code == "membership_unknown":
        reason = (
            "Slack could not be asked which rule this request is under, so nothing was decided. Please try again in a minute."
        )
        return Ruling((), Verdict(False, match.code, reason, request.rule.line if request.rule else ""))
    if match.rule is None:
        reason = f"No rule of the configuration is for this request any more, so nothing was done on {request.ask.pbx}."
        return Ruling((), Verdict(False, match.code, reason, "policy"))
    kept = request.rule or match.rule
    return Ruling((kept,) if kept.is_same(match.rule) else (kept, match.rule))


def groups_of(rules: Iterable[Rule], users: Iterable[str]) -> frozenset[str]:
    """The user groups that decide what these people's votes are worth under these rules."""
    people = tuple(users)
    return frozenset(group for rule in rules for group in groups_to_read(people, rule))
