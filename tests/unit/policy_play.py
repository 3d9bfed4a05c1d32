"""Plays a table of cases against a configuration, through the same functions that the bot decides with.

A line of a table has four cells:

    | Tess: hq, import, wildcard | policy[0] "wildcards" | Ana approves ✓ member | waits for 1 of Security |

who asks for what (the PBX, the kind, the risks that the bot found), the line of the configuration that then counts, who does
what and how the bot takes it (✓ it counts, ✗ it is refused; the word is the verdict's code), and how the request stands after
that. Names stand for Slack's ids: Ana is U0ANA, and the user group Leads is S0LEADS.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.config import Config
from bot.domain import policy
from bot.domain.kinds import Kind
from bot.domain.policy import Verdict
from bot.domain.quorum import Scale, Standing
from bot.domain.risk import Risk
from bot.domain.rules import Case, Memberships, Rule, Seats, is_among

_CASE = re.compile(r"(?P<who>\w+): (?P<what>[^(]+?)(?: \(Slack cannot tell (?P<unread>[^)]+)\))?")
_ACT = re.compile(r"(\w+) (asks|approves|rejects|reads|tries again|says what became of it|hurries) [✓✗] \w+")

Groups = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Line:
    """One line of a table: what is given, and what is expected or was found."""

    case: str
    rule: str
    acts: str
    stands: str


def ident(name: str, kind: str = "U") -> str:
    return f"{kind}0{name.upper()}"


def name_of(subject: str) -> str:
    return subject[2:].capitalize()


def members_of(groups: Groups, unread: str = "") -> Memberships:
    """What Slack tells of the user groups, but for those that it cannot tell."""
    told = (group for group in groups if group not in unread.split(", "))
    return {ident(group, "S"): frozenset(map(ident, groups[group])) for group in told}


def play(line: Line, config: Config, groups: Groups, today: Config | None = None) -> Line:
    """The same line with what the bot makes of it. ``today`` is the configuration if it has changed since it was asked."""
    told = _CASE.fullmatch(line.case)
    assert told, f"not a case: {line.case}"
    members = members_of(groups, told["unread"] or "")
    case = _case(told["who"], told["what"].split(", "))
    asked = config.rules.find(case, members_of(groups) if today else members)
    if asked.rule is None:
        return Line(line.case, f"none: {asked.code}", "", "not asked")
    may_ask = policy.may_ask(asked.rule, case.requester, members)
    if not may_ask.permitted:
        return Line(line.case, asked.rule.line, f"{told['who']} asks ✗ {may_ask.code}", "not asked")
    if policy.nobody_left(asked.rule, case.requester, members):
        return Line(line.case, asked.rule.line, f"{told['who']} asks ✗ nobody_left", "not asked")
    rules = [asked.rule]
    if today:
        now = today.rules.find(case, members).rule
        assert now is not None, "this table is about rules that are found"
        rules += [] if now.is_same(asked.rule) else [now]
    hearing = Hearing(tuple(rules), case.requester, (today or config).slack.operators, members)
    return Line(line.case, " and ".join(rule.line for rule in rules), ", ".join(hearing.hear(line.acts)), hearing.stands())


def _case(who: str, what: Sequence[str]) -> Case:
    pbx, kind, *risks = what
    return Case(pbx, Kind(kind), ident(who), frozenset(map(Risk, risks)))


class Hearing:
    """The voices on one request, in order."""

    def __init__(
        self, rules: tuple[Rule, ...], requester: str, operators: Sequence[str] = (), members: Memberships | None = None
    ) -> None:
        self._rules, self._requester, self._operators, self._members = rules, requester, operators, members or {}
        self.approved: list[str] = []
        self.rejected = False

    def hear(self, acts: str) -> Iterator[str]:
        """Each act with the bot's verdict in place of the expected one."""
        for text in acts.split(", ") if acts else ():
            act = _ACT.fullmatch(text)
            assert act, f"not an act: {text}"
            verdict = self._judge(ident(act[1]), act[2])
            yield f"{act[1]} {act[2]} {'✓' if verdict.permitted else '✗'} {verdict.code}"

    def _judge(self, user: str, act: str) -> Verdict:
        rules, members = self._rules, self._members
        match act:
            case "asks":
                return policy.may_ask(rules[0], user, members)
            case "tries again":
                return policy.may_operate(rules, self._operators, user, members)
            case "says what became of it":
                return policy.may_say(rules, self._operators, user, members)
            case "reads":
                return policy.may_read(rules, self._operators, user, self._requester, members)
            case "hurries":
                return self._hurry(user)
        return self.vote(user, act)

    def vote(self, user: str, act: str) -> Verdict:
        may = policy.may_approve if act == "approves" else policy.may_vote
        verdict = may(self._rules, user, self._requester, self._members)
        if verdict.permitted and act == "approves":
            self.approved.append(user)
        self.rejected |= verdict.permitted and act == "rejects"
        return verdict

    def _hurry(self, user: str) -> Verdict:
        urgent = self._rules[0].emergency
        among = is_among(user, urgent.by, self._members) if urgent else False
        code = "membership_unknown" if among is None else "alone" if among else "not_alone"
        return Verdict(bool(among), code, "", self._rules[0].line)

    def is_approved(self) -> bool:
        return not self.rejected and Scale(self._rules, self._members).is_reached(self.approved)

    def stands(self) -> str:
        if self.rejected:
            return "rejected"
        standings = Scale(self._rules, self._members).standings(self.approved)
        besides = {self._requester, *self.approved}
        wanted = [_wanted(standing.besides(besides)) for standing in standings if not standing.reached]
        return f"waits for {'; and for '.join(wanted)}" if wanted else "approved"


def _wanted(standing: Standing) -> str:
    options = " or ".join(map(_seats, standing.one_of))
    return " + ".join([*map(_seats, standing.missing), *([options] if options else [])])


def _seats(seats: Seats) -> str:
    return f"{seats.count} of {'/'.join(map(name_of, seats.subjects)) or 'nobody'}"
