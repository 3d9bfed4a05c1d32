"""The rules of a policy: which requests a rule is for, who may ask, and whose approvals it takes.

A `Policy` is an ordered list of clauses; the first that matches a `Case` gives its `Rule`. A rule that was found for a request
names nobody by relation any more: ``lead-of-requester`` has become the leads themselves, so that it can be kept.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Self

from bot.domain.kinds import Kind
from bot.domain.risk import Risk

#: Members of the user groups that were read for this decision; a group that is missing here was not or could not be read.
Memberships = Mapping[str, frozenset[str]]

#: Stands among approvers for the leads of the teams that the requester is a member of.
LEAD = "lead-of-requester"


#: What begins the id of somebody who is not known any more, because personal data was reduced.
REDUCED = "reduced:"


def is_group(subject: str) -> bool:
    """A Slack user group's id begins with S; a user's with U or W."""
    return subject.startswith("S")


def groups_in(subjects: Iterable[str]) -> frozenset[str]:
    return frozenset(filter(is_group, subjects))


def mention(subject: str) -> str:
    """A user or a user group in Slack's mrkdwn (docs.slack.dev/messaging/formatting-message-text)."""
    if subject == LEAD:
        return "a lead of the requester's team"
    if not subject or subject.startswith(REDUCED):
        return "somebody"
    return f"<!subteam^{subject}>" if is_group(subject) else f"<@{subject}>"


def is_among(user: str, subjects: Iterable[str], members: Memberships) -> bool | None:
    """Whether the user is named or in a named group; None when a group decides that and was not read."""
    named = tuple(subjects)
    groups = groups_in(named)
    if user in named or any(user in members.get(group, ()) for group in groups):
        return True
    return None if groups - members.keys() else False


@dataclass(frozen=True)
class Seats:
    """So many approvals from so many people: one group of approvers."""

    subjects: tuple[str, ...]
    count: int = 1

    def to_json(self) -> dict[str, Any]:
        return {"subjects": list(self.subjects), "count": self.count}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(tuple(data["subjects"]), data["count"])


@dataclass(frozen=True)
class Emergency:
    """Who may have it done at once without the approvals, and by when a second person must have looked at it."""

    by: tuple[str, ...]
    confirm_within: timedelta

    def to_json(self) -> dict[str, Any]:
        return {"by": list(self.by), "confirm_within": self.confirm_within.total_seconds()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | None) -> Self | None:
        return cls(tuple(data["by"]), timedelta(seconds=data["confirm_within"])) if data else None


@dataclass(frozen=True)
class Rule:
    """What it takes to approve a request for ``pbx``. ``line`` says where the rule stands, for whoever asks why.

    Approved is what has all the seats of ``all``, and those of one group of ``any`` if there are such, each seat taken by a
    person of its own. An empty ``requesters`` or ``readers`` means everybody in the workspace.
    """

    pbx: str
    line: str
    all: tuple[Seats, ...] = ()
    any: tuple[Seats, ...] = ()
    requesters: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()
    #: They may approve and are not pinged.
    silent: tuple[str, ...] = ()
    #: Whether an approval needs a comment.
    comment: bool = False
    open_for: timedelta = timedelta(hours=8)
    remind_after: timedelta | None = None
    escalate_after: timedelta | None = None
    escalate_to: tuple[str, ...] = ()
    emergency: Emergency | None = None

    @property
    def seats(self) -> tuple[Seats, ...]:
        """All groups of approvers; a vote's ``seats`` are indexes into this."""
        return self.all + self.any

    @property
    def approvers(self) -> tuple[str, ...]:
        """Everybody who may approve, in order, those included who are not pinged."""
        return tuple(dict.fromkeys(subject for seats in self.seats for subject in seats.subjects))

    @property
    def pinged(self) -> tuple[str, ...]:
        return tuple(subject for subject in self.approvers if subject not in self.silent)

    @property
    def asks_for_lead(self) -> bool:
        """Whether it cannot be said for whom it is before the requester's teams are known."""
        return LEAD in (*self.approvers, *self.escalate_to)

    @property
    def approvals(self) -> int:
        """How many people it takes at least."""
        return sum(seats.count for seats in self.all) + min((seats.count for seats in self.any), default=0)

    def is_same(self, other: "Rule") -> bool:
        """Whether it asks for the same, wherever it stands. Who may read is not part of an approval."""
        return replace(self, line="", readers=()) == replace(other, line="", readers=())

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types; times in seconds."""

        def seconds(time: timedelta | None) -> float | None:
            return None if time is None else time.total_seconds()

        return {
            "pbx": self.pbx,
            "line": self.line,
            "all": [seats.to_json() for seats in self.all],
            "any": [seats.to_json() for seats in self.any],
            "requesters": list(self.requesters),
            "readers": list(self.readers),
            "silent": list(self.silent),
            "comment": self.comment,
            "open_for": self.open_for.total_seconds(),
            "remind_after": seconds(self.remind_after),
            "escalate_after": seconds(self.escalate_after),
            "escalate_to": list(self.escalate_to),
            "emergency": self.emergency.to_json() if self.emergency else None,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | None) -> Self | None:
        """None for a request of the time before rules were kept."""
        if not data:
            return None

        def time(seconds: float | None) -> timedelta | None:
            return None if seconds is None else timedelta(seconds=seconds)

        lists = {name: tuple(data[name]) for name in ("requesters", "readers", "silent", "escalate_to")}
        return cls(
            pbx=data["pbx"],
            line=data["line"],
            all=tuple(Seats.from_json(seats) for seats in data["all"]),
            any=tuple(Seats.from_json(seats) for seats in data["any"]),
            comment=data["comment"],
            open_for=timedelta(seconds=data["open_for"]),
            remind_after=time(data["remind_after"]),
            escalate_after=time(data["escalate_after"]),
            emergency=Emergency.from_json(data["emergency"]),
            **lists,
        )


@dataclass(frozen=True)
class Case:
    """What a rule is looked up by. ``risks`` is None as long as the request has not been checked."""

    pbx: str
    kind: Kind
    requester: str
    risks: frozenset[Risk] | None = frozenset()


@dataclass(frozen=True)
class When:
    """The requests that a clause is for; what is empty excludes nothing. Of ``risks``, one is enough."""

    pbx: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    risks: tuple[Risk, ...] = ()
    requesters: tuple[str, ...] = ()

    def why_not(self, case: Case, members: Memberships) -> str | None:
        """Why the case is not meant, in words; "" if it is; None when a group decides that and was not read."""
        if self.pbx and case.pbx.casefold() not in {name.casefold() for name in self.pbx}:
            return f"it is not for {case.pbx}"
        if self.kinds and case.kind not in self.kinds:
            return f"it is not for requests of the kind {case.kind}"
        if self.risks and case.risks is not None and not case.risks & set(self.risks):
            return f"there is no risk {' or '.join(self.risks)}"
        among = is_among(case.requester, self.requesters, members) if self.requesters else True
        if among is False:
            return "the requester is none of those that it is for"
        return "" if among else None


@dataclass(frozen=True)
class Team:
    """Who leads whom. Both may be users and user groups."""

    name: str
    members: tuple[str, ...]
    leads: tuple[str, ...]


@dataclass(frozen=True)
class Clause:
    """One entry of the policy: its rule names no PBX yet, and may name `LEAD`."""

    when: When
    rule: Rule


@dataclass(frozen=True)
class Match:
    """What was found for a case. Without a rule, ``code`` is ``no_rule`` or ``membership_unknown``.

    ``tried`` holds the clauses before it, with why they do not match.
    """

    rule: Rule | None
    code: str = "found"
    tried: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Policy:
    """The whole of it, in order: the first clause that matches counts."""

    clauses: tuple[Clause, ...] = ()
    teams: tuple[Team, ...] = field(default=())

    def groups_for(self, case: Case) -> frozenset[str]:
        """The user groups that must be read before the case's rule can be said."""
        needed: set[str] = set()
        for clause in self._possible(case):
            needed |= groups_in(clause.when.requesters)
            if clause.rule.asks_for_lead:
                needed |= {group for team in self.teams for group in groups_in(team.members)}
        return frozenset(needed)

    def possible(self, case: Case) -> list[Clause]:
        """The clauses that may be the case's, as far as can be said without asking Slack, each in order."""
        return list(self._possible(case))

    def find(self, case: Case, members: Memberships) -> Match:
        """The rule for a case that was checked."""
        tried: list[tuple[str, str]] = []
        for clause in self.clauses:
            why_not = clause.when.why_not(case, members)
            if why_not is None:
                return Match(None, "membership_unknown", tuple(tried))
            if why_not:
                tried.append((clause.rule.line, why_not))
                continue
            rule = self._resolved(clause.rule, case, members)
            return Match(rule, "found" if rule else "membership_unknown", tuple(tried))
        return Match(None, "no_rule", tuple(tried))

    def _possible(self, case: Case) -> Iterator[Clause]:
        for clause in self.clauses:
            unread = Case(case.pbx, case.kind, case.requester, case.risks)
            why_not = clause.when.why_not(unread, {})
            if why_not:
                continue
            yield clause
            if why_not == "" and (case.risks is not None or not clause.when.risks):
                return

    def _resolved(self, rule: Rule, case: Case, members: Memberships) -> Rule | None:
        """For this PBX, with the requester's leads in place of `LEAD`; None when their teams cannot be told."""
        if not rule.asks_for_lead:
            return replace(rule, pbx=case.pbx)
        leads = leads_of(case.requester, self.teams, members)
        if leads is None:
            return None

        def resolved(subjects: Sequence[str]) -> tuple[str, ...]:
            each = (leads if subject == LEAD else (subject,) for subject in subjects)
            return tuple(dict.fromkeys(subject for subjects in each for subject in subjects))

        def seated(groups: Sequence[Seats]) -> tuple[Seats, ...]:
            return tuple(replace(seats, subjects=resolved(seats.subjects)) for seats in groups)

        silent, told = resolved(rule.silent), resolved(rule.escalate_to)
        return replace(rule, pbx=case.pbx, all=seated(rule.all), any=seated(rule.any), silent=silent, escalate_to=told)


def leads_of(requester: str, teams: Sequence[Team], members: Memberships) -> tuple[str, ...] | None:
    """The leads of every team of theirs; None when it cannot be told whether they are in one."""
    leads: list[str] = []
    for team in teams:
        among = is_among(requester, team.members, members)
        if among is None:
            return None
        leads += team.leads if among else ()
    return tuple(dict.fromkeys(leads))
