"""The tables that say who may ask and who may approve, and the domain's policy made of them."""

from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt

from bot.config import values
from bot.domain.kinds import Kind
from bot.domain.risk import Risk
from bot.domain.rules import LEAD, Clause, Emergency, Policy, Rule, Seats, Team, When


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
#: More than anybody asks for; each approval is a person of its own.
Approvals = Annotated[StrictInt, Field(ge=1, le=100)]


class SeatsConfig(Table):
    """One group of approvers in ``all`` or ``any``."""

    of: Annotated[Voices, AfterValidator(values.not_empty)]
    approvals: Approvals = 1


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
    pbx: Annotated[tuple[str, ...], AfterValidator(values.once), AfterValidator(values.said("for every PBX"))] = ()
    kind: Annotated[tuple[Kind, ...], AfterValidator(values.once), AfterValidator(values.said("for every kind"))] = ()
    risk: Annotated[tuple[Risk, ...], AfterValidator(values.once), AfterValidator(values.said("for any risk and none"))] = ()
    requester: Annotated[values.People, AfterValidator(values.said("for everybody's requests"))] = ()
    #: Who may ask, and who may read it with the commands; left out, everybody in the workspace.
    ask: Annotated[values.People, AfterValidator(values.said("to let everybody ask"))] = ()
    read: Annotated[values.People, AfterValidator(values.said("to let everybody read"))] = ()
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
