"""The tables that say who may ask and who may approve, and the domain's policy made of them."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt

from bot.config import values
from bot.domain.kinds import Kind
from bot.domain.risk import Risk
from bot.domain.rules import LEAD, Clause, Emergency, Policy, Rule, Seats, Team, When, is_group


class Table(BaseModel):
    """What every table has in common: nothing changes after loading, and a key we do not know is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _voice(subject: object) -> object:
    if subject == LEAD:
        return subject
    if isinstance(subject, str) and values.PERSON.fullmatch(subject):
        return subject
    raise ValueError(f'must be the id of a user ("U…", "W…") or of a user group ("S…"), or "{LEAD}"')


Time = Annotated[timedelta, BeforeValidator(values.read_duration), AfterValidator(values.positive)]
Somebody = Annotated[values.People, AfterValidator(values.not_empty)]
Voices = Annotated[tuple[Annotated[str, BeforeValidator(_voice)], ...], AfterValidator(values.distinct)]


class SeatsConfig(Table):
    """One group of approvers in ``all`` or ``any``."""

    of: Annotated[Voices, AfterValidator(values.not_empty)]
    approvals: Annotated[StrictInt, Field(ge=1)] = 1


class EmergencyConfig(Table):
    """``emergency`` of a rule: who may do it alone, and by when somebody else must have looked at it."""

    by: Somebody
    confirm_within: Time = timedelta(hours=24)


class TeamConfig(Table):
    """``[[team]]``: whose leads are meant by ``lead-of-requester``."""

    name: values.Name
    members: Somebody
    leads: Somebody


class PolicyConfig(Table):
    """``[[policy]]``: one rule. The first that matches a request is its rule; `PbxConfig` generates one more for each PBX."""

    name: Annotated[str, values.matching(r"[^\n`]{1,60}", "must be 1 to 60 characters in one line")] = ""
    #: Which requests it is for; what is left out excludes none.
    pbx: Annotated[tuple[str, ...], AfterValidator(values.distinct)] = ()
    kind: tuple[Kind, ...] = ()
    risk: tuple[Risk, ...] = ()
    requester: values.People = ()
    #: Who may ask, and who may read it with the commands; left out, everybody in the workspace.
    ask: values.People = ()
    read: values.People = ()
    #: Approved is what has the approvals of every group in ``all``, and of one in ``any`` if there are such.
    all: tuple[SeatsConfig, ...] = ()
    any: tuple[SeatsConfig, ...] = ()
    #: Those of the approvers who are not pinged.
    silent: Voices = ()
    #: Whether an approval needs a comment.
    comment: StrictBool = False
    open_for: Time | None = None
    remind_after: Time | None = None
    escalate_after: Time | None = None
    escalate_to: Voices = ()
    emergency: EmergencyConfig | None = None

    def clause(self, line: str, open_for: timedelta) -> Clause:
        urgent = Emergency(self.emergency.by, self.emergency.confirm_within) if self.emergency else None
        rule = Rule(
            pbx="",
            line=f'{line} "{self.name}"' if self.name else line,
            all=tuple(Seats(seats.of, seats.approvals) for seats in self.all),
            any=tuple(Seats(seats.of, seats.approvals) for seats in self.any),
            requesters=self.ask,
            readers=self.read,
            silent=self.silent,
            comment=self.comment,
            open_for=self.open_for or open_for,
            remind_after=self.remind_after,
            escalate_after=self.escalate_after,
            escalate_to=self.escalate_to,
            emergency=urgent,
        )
        return Clause(When(self.pbx, self.kind, self.risk, self.requester), rule)


def policy_of(config: Any) -> Policy:
    """The domain's policy: the rules in order, and behind them what each PBX's own keys generate."""
    open_for = config.slack.pending_for
    clauses = [rule.clause(f"policy[{index}]", open_for) for index, rule in enumerate(config.policy)]
    for index, pbx in enumerate(config.pbx):
        if pbx.approvers:
            seats = (Seats(pbx.approvers, pbx.approvals),)
            rule = Rule("", f"pbx[{index}]", all=seats, requesters=pbx.requesters, open_for=open_for)
            clauses.append(Clause(When((pbx.name,)), rule))
    teams = tuple(Team(team.name, team.members, team.leads) for team in config.team)
    return Policy(tuple(clauses), teams)


def mistakes(config: Any) -> Iterator[str]:
    """What is wrong with the policy as a whole, as ``policy[1].all: ...``; to be read after each value is good."""
    names = {pbx.name.casefold() for pbx in config.pbx}
    for index, rule in enumerate(config.policy):
        where = f"policy[{index}]"
        for place, name in enumerate(rule.pbx):
            if name.casefold() not in names:
                yield f"{where}.pbx[{place}]: there is no [[pbx]] of this name"
        if not rule.all and not rule.any:
            yield f"{where}: names nobody who could approve: write all = [{{ of = [...] }}], or any"
        for key in ("all", "any"):
            for place, seats in enumerate(getattr(rule, key)):
                yield from _too_many(f"{where}.{key}[{place}]", seats)
        if LEAD in _voices(rule) and not config.team:
            yield f'{where}: asks for "{LEAD}", but there is no [[team]]'
        for subject in rule.silent:
            if subject not in _voices(rule):
                yield f"{where}.silent: names {subject}, who is none of its approvers"
        if rule.escalate_after and not rule.escalate_to:
            yield f"{where}.escalate_to: is missing: escalate_after says when, and not to whom"
        if rule.escalate_to and not rule.escalate_after:
            yield f"{where}.escalate_after: is missing: escalate_to says to whom, and not when"
    policy = policy_of(config)
    for index, pbx in enumerate(config.pbx):
        for kind in Kind:
            if not any(_is_for(clause, pbx.name, kind) for clause in policy.clauses):
                yield (
                    f"pbx[{index}].approvers: is missing, and no [[policy]] says who approves every request of the kind "
                    f"{kind} for {pbx.name}"
                )


def _is_for(clause: Clause, pbx: str, kind: Kind) -> bool:
    """Whether every such request that no clause before it took is this one's, whatever its risk and its requester."""
    when = clause.when
    fits = not when.pbx or pbx.casefold() in {name.casefold() for name in when.pbx}
    return fits and (not when.kinds or kind in when.kinds) and not when.risks and not when.requesters


def _too_many(where: str, seats: SeatsConfig) -> Iterator[str]:
    """How many a user group or a team's leads are is not known from the file."""
    if not any(is_group(subject) or subject == LEAD for subject in seats.of) and seats.approvals > len(seats.of):
        yield f"{where}.approvals: asks for {seats.approvals} approvals, but there are only {len(seats.of)} approvers"


def _voices(rule: PolicyConfig) -> frozenset[str]:
    return frozenset(subject for seats in (*rule.all, *rule.any) for subject in seats.of)
