"""Can every request be approved by people who exist? What the policy asks for, against what Slack says of those it names.

A rule that nobody could satisfy is `Grade.BROKEN`. Whoever is named and cannot take part makes it `Grade.WEAK`, as long as
others are left; those, too, who could have it done as an emergency. That it takes everybody whom it names is a `Grade.NOTE`:
one of them can ask, but then not be approved.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.domain.kinds import Kind
from bot.domain.quorum import Standing, standing
from bot.domain.rules import LEAD, Clause, Memberships, Policy, Rule, Seats, Team, groups_in, is_among, is_group, leads_of

#: What it means that somebody is of no use: as one of several approvers, and for emergencies.
_OTHERS_CAN = "others can still approve"
_NO_EMERGENCY = "they cannot have anything done as an emergency"


class Grade(StrEnum):
    """How bad it is."""

    BROKEN = "broken"
    WEAK = "weak"
    NOTE = "note"


@dataclass(frozen=True)
class Known:
    """What Slack says. ``able`` are people who may take part; ``unable`` says why a user or a group is of no use.

    Of a large group only as many members need to be in ``able`` as any rule could want.
    """

    members: Memberships
    able: frozenset[str]
    unable: Mapping[str, str]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with one rule. ``causes`` are users and groups, each with why it is of no use."""

    grade: Grade
    line: str
    pbxs: tuple[str, ...]
    said: str
    subjects: tuple[str, ...] = ()
    causes: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> str:
        """The same as long as it is the same trouble, whatever became worse or better about it."""
        about = "" if self.grade is Grade.BROKEN else ",".join(self.subjects)
        return "|".join((self.grade, self.line, about, *(["emergency"] if self.said == _NO_EMERGENCY else [])))

    def sentence(self, show: Callable[[str], str] = str) -> str:
        """``show`` writes a user or a group: as its id for a terminal, as a mention for Slack."""
        where = f"{self.line}, for {', '.join(self.pbxs)}"
        if self.grade is Grade.WEAK:
            ((subject, cause),) = self.causes
            return f"{where}: {show(subject)} {cause}; {self.said}."
        who = f" {' or '.join(show(subject) for subject in self.subjects)}" if self.subjects else ""
        why = f" ({'; '.join(f'{show(subject)} {cause}' for subject, cause in self.causes)})" if self.causes else ""
        return f"{where}: {self.said}{who}{why}."


def findings(policy: Policy, pbxs: Sequence[str], known: Known) -> Iterator[Finding]:
    """What is wrong, the worst of each rule first; a rule that no request can come to is not looked at."""
    for clause in policy.clauses:
        meant = tuple(pbx for pbx in pbxs if any(_comes_to(policy, clause, pbx, kind) for kind in Kind))
        if meant:
            yield from _of_clause(clause, policy.teams, meant, known)
            yield from _weak(urgent_of(clause), clause.rule.line, meant, known, _NO_EMERGENCY)


def urgent_of(clause: Clause) -> frozenset[str]:
    """Those who may have it done as an emergency."""
    return frozenset(clause.rule.emergency.by if clause.rule.emergency else ())


def subjects_of(clause: Clause, teams: Sequence[Team]) -> frozenset[str]:
    """Everybody whose approval the clause may ask for, leads included."""
    named = frozenset(clause.rule.approvers)
    leads = (lead for team in teams for lead in team.leads)
    return (named - {LEAD}) | frozenset(leads) if LEAD in named else named


def most_wanted(rule: Rule) -> int:
    """As many members of a group as have to be looked at: whoever asks does not count, so one more than there are seats."""
    return sum(seats.count for seats in rule.all) + max((seats.count for seats in rule.any), default=0) + 1


def _comes_to(policy: Policy, clause: Clause, pbx: str, kind: Kind) -> bool:
    """Whether a request of this kind for this PBX can get past the clauses before."""
    for each in policy.clauses:
        when = each.when
        fits = (not when.pbx or pbx.casefold() in {name.casefold() for name in when.pbx}) and kind in (when.kinds or (kind,))
        if each is clause:
            return fits
        if fits and not when.risks and not when.requesters:
            return False
    return False


def _of_clause(clause: Clause, teams: Sequence[Team], pbxs: tuple[str, ...], known: Known) -> Iterator[Finding]:
    line, rules = clause.rule.line, _resolved(clause, teams, known)
    if not rules:
        groups = (member for team in teams for member in team.members if member in known.unable)
        causes = tuple((group, known.unable[group]) for group in dict.fromkeys(groups))
        yield Finding(Grade.BROKEN, line, pbxs, "nobody is in a team, whose leads would have to approve", causes=causes)
        return
    what = "what a team asks for" if LEAD in clause.rule.approvers else "what is asked for"
    broken = [finding for rule in rules if (finding := _broken(rule, line, pbxs, what, known))]
    yield from broken[:1]
    blamed = {subject for finding in broken[:1] for subject, _ in finding.causes}
    yield from _weak(subjects_of(clause, teams) - blamed, line, pbxs, known, _OTHERS_CAN)
    if not broken:
        yield from _notes(clause, rules, pbxs, known)


def _weak(subjects: frozenset[str], line: str, pbxs: tuple[str, ...], known: Known, said: str) -> Iterator[Finding]:
    for subject in sorted(subjects & known.unable.keys()):
        yield Finding(Grade.WEAK, line, pbxs, said, (subject,), ((subject, known.unable[subject]),))


def _notes(clause: Clause, rules: Sequence[Rule], pbxs: tuple[str, ...], known: Known) -> Iterator[Finding]:
    line, named = clause.rule.line, clause.rule.requesters or clause.when.requesters
    if any(_takes_everybody(rule, clause, known) for rule in rules):
        said = "it takes everybody who could approve, so what one of them asks for cannot be approved"
        yield Finding(Grade.NOTE, line, pbxs, said)
    if LEAD in clause.rule.approvers and not named and not _standing(_with_leads(clause.rule, ()), known).reached:
        yield Finding(Grade.NOTE, line, pbxs, "what somebody asks for who is in no team cannot be approved")


def _resolved(clause: Clause, teams: Sequence[Team], known: Known) -> list[Rule]:
    """The rules that can come of it: one, or with `LEAD` one for each different company of teams that somebody is in."""
    if LEAD not in clause.rule.approvers:
        return [clause.rule]
    people = {person for team in teams for person in _people(team.members, known)}
    wanted = clause.when.requesters
    asking = [person for person in sorted(people) if not wanted or is_among(person, wanted, known.members) is not False]
    leads = dict.fromkeys(leads for person in asking if (leads := leads_of(person, _readable(teams, known), known.members)))
    return [_with_leads(clause.rule, each) for each in leads]


def _people(subjects: Iterable[str], known: Known) -> Iterator[str]:
    for subject in subjects:
        yield from known.members.get(subject, ()) if is_group(subject) else (subject,)


def _readable(teams: Sequence[Team], known: Known) -> list[Team]:
    """Without the groups that nobody can read: nobody is known to be in one."""
    return [
        replace(team, members=tuple(each for each in team.members if each in known.members or not is_group(each)))
        for team in teams
    ]


def _with_leads(rule: Rule, leads: tuple[str, ...]) -> Rule:
    def seated(groups: tuple[Seats, ...]) -> tuple[Seats, ...]:
        return tuple(
            replace(
                seats, subjects=tuple(dict.fromkeys(s for each in seats.subjects for s in (leads if each == LEAD else (each,))))
            )
            for seats in groups
        )

    return replace(rule, all=seated(rule.all), any=seated(rule.any))


def _broken(rule: Rule, line: str, pbxs: tuple[str, ...], what: str, known: Known) -> Finding | None:
    found = _standing(rule, known)
    if found.reached:
        return None
    missing = (*found.missing, *found.one_of)
    subjects = tuple(dict.fromkeys(subject for seats in missing for subject in seats.subjects))
    causes = tuple((subject, known.unable[subject]) for subject in subjects if subject in known.unable)
    count = sum(seats.count for seats in found.missing) + min((seats.count for seats in found.one_of), default=0)
    lacks = "1 approver" if count == 1 else f"{count} approvers"
    return Finding(Grade.BROKEN, line, pbxs, f"{what} cannot be approved, it lacks {lacks} of", subjects, causes)


def _standing(rule: Rule, known: Known, without: str = "") -> Standing:
    """How a request would stand that everybody has approved who can."""
    people = {person for person in _people(rule.approvers, known) if person in known.able} - {without}
    return standing(rule, {person: _seats(person, rule, known.members) for person in sorted(people)})


def _seats(person: str, rule: Rule, members: Memberships) -> frozenset[int]:
    return frozenset(index for index, seats in enumerate(rule.seats) if is_among(person, seats.subjects, members))


def _takes_everybody(rule: Rule, clause: Clause, known: Known) -> bool:
    """Whether one of those who could approve may ask, and could then not be approved."""
    for person in {person for person in _people(rule.approvers, known) if person in known.able}:
        may_come = all(
            not named or is_among(person, named, known.members) for named in (rule.requesters, clause.when.requesters)
        )
        if may_come and not _standing(rule, known, without=person).reached:
            return True
    return False


def groups_to_read(policy: Policy) -> frozenset[str]:
    """Every user group that says who asks, who approves, and who is in which team."""
    named = (subject for clause in policy.clauses for subject in (*subjects_of(clause, policy.teams), *clause.when.requesters))
    asking = (subject for clause in policy.clauses for subject in clause.rule.requesters)
    members = (subject for team in policy.teams for subject in team.members)
    return groups_in((*named, *asking, *members))
