"""Which policies leave somebody without approvers, as a table."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from bot.domain.kinds import Kind
from bot.domain.reach import Finding, Grade, Known, findings
from bot.domain.risk import Risk
from bot.domain.rules import LEAD, Clause, Emergency, Policy, Rule, Seats, Team, When

ANA, BEN, CARL, DORA, TESS = "U0ANA", "U0BEN", "U0CARL", "U0DORA", "U0TESS"
LEADS, EMPTY, GONE = "S0LEADS", "S0EMPTY", "S0GONE"
MEMBERS = {LEADS: frozenset({ANA, BEN}), EMPTY: frozenset[str]()}
KNOWN = Known(
    MEMBERS, frozenset({ANA, BEN, CARL, TESS}),
    {DORA: "is deactivated", EMPTY: "has no member who may take part", GONE: "cannot be read [no_such_subteam]"},
)  # fmt: skip
TEAM = Team("voice", (TESS,), (ANA,))


def seats(*subjects: str, count: int = 1) -> Seats:
    return Seats(subjects, count)


@dataclass(frozen=True)
class Row:
    """One rule for everything, and what is found."""

    name: str
    all: tuple[Seats, ...] = ()
    any: tuple[Seats, ...] = ()
    teams: tuple[Team, ...] = ()
    requesters: tuple[str, ...] = ()
    on_call: tuple[str, ...] = ()
    found: tuple[tuple[Grade, str], ...] = field(default=())


B, W, N = Grade.BROKEN, Grade.WEAK, Grade.NOTE
ROWS = [
    Row("one of two users", all=(seats(ANA, BEN),)),
    Row("one of a group of two", all=(seats(LEADS),)),
    Row("one user, who may ask too", all=(seats(ANA),), found=((N, "takes everybody"),)),
    Row("one user, who may not ask", all=(seats(ANA),), requesters=(TESS,)),
    Row("both of a group of two", all=(seats(LEADS, count=2),), found=((N, "takes everybody"),)),
    Row("three of a group of two", all=(seats(LEADS, count=3),), found=((B, f"lacks 1 approver of {LEADS}"),)),
    Row("one person cannot take two seats", all=(seats(ANA), seats(ANA)), found=((B, f"lacks 1 approver of {ANA}"),)),
    Row("two seats, two people", all=(seats(ANA), seats(BEN)), found=((N, "takes everybody"),)),
    Row("a deactivated user alone", all=(seats(DORA),), found=((B, f"({DORA} is deactivated)"),)),
    Row("a deactivated user beside two", all=(seats(ANA, BEN, DORA),), found=((W, f"{DORA} is deactivated; others can"),)),
    Row("an empty group alone", all=(seats(EMPTY),), found=((B, f"({EMPTY} has no member who may take part)"),)),
    Row("an empty group beside a full one", all=(seats(LEADS, EMPTY),), found=((W, f"{EMPTY} has no member"),)),
    Row("a group that is gone", all=(seats(GONE),), found=((B, "cannot be read [no_such_subteam]"),)),
    Row("a group that is gone beside users", all=(seats(GONE, ANA, BEN),), found=((W, f"{GONE} cannot be read"),)),
    Row("either of two, one of them out of reach", any=(seats(DORA), seats(ANA, BEN)), found=((W, f"{DORA} is deactivated"),)),
    Row("either of two, both out of reach", any=(seats(DORA), seats(EMPTY)), found=((B, f"{DORA} or {EMPTY}"), )),
    Row("one and one of either", all=(seats(ANA),), any=(seats(ANA), seats(BEN, CARL)), found=((N, "takes everybody"),)),
    Row("nobody known of that id", all=(seats("U0WHO"),), found=((B, "lacks 1 approver of U0WHO"),)),
    Row("the lead of a team", all=(seats(LEAD),), teams=(TEAM,), requesters=(TESS,)),
    Row("the lead of a team, everybody asks", all=(seats(LEAD),), teams=(Team("voice", (TESS,), (ANA, BEN)),),
        found=((N, "who is in no team"),)),
    Row("a team whose lead is gone", all=(seats(LEAD),), teams=(Team("voice", (TESS,), (DORA,)),), requesters=(TESS,),
        found=((B, f"what a team asks for cannot be approved, it lacks 1 approver of {DORA}"),)),
    Row("a team whose lead is gone, beside another", all=(seats(LEAD, CARL),), teams=(Team("voice", (TESS,), (DORA,)),),
        requesters=(TESS,), found=((W, f"{DORA} is deactivated"),)),
    Row("one of two teams whose lead is gone", all=(seats(LEAD),), requesters=(TESS, CARL),
        teams=(TEAM, Team("data", (CARL,), (DORA,))), found=((B, f"of {DORA}"),)),
    Row("those on call", all=(seats(ANA, BEN),), on_call=(CARL, LEADS)),
    Row("some of those on call are gone", all=(seats(ANA, BEN),), on_call=(CARL, DORA, EMPTY), found=(
        (W, f"{EMPTY} has no member"), (W, f"{DORA} is deactivated; they cannot have anything done as an emergency"))),
    Row("leads, and nobody in a team", all=(seats(LEAD),), teams=(Team("voice", (EMPTY,), (ANA,)),), requesters=(TESS,),
        found=((B, "nobody is in a team"),)),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_table(row: Row) -> None:
    """What each row says is found, and nothing else."""
    urgent = Emergency(row.on_call, timedelta(hours=12)) if row.on_call else None
    rule = Rule("", "policy[0]", all=row.all, any=row.any, requesters=row.requesters, emergency=urgent)
    found = list(findings(Policy((Clause(When(), rule),), row.teams), ["hq"], KNOWN))
    assert [finding.grade for finding in found] == [grade for grade, _ in row.found], found
    for finding, (_, words) in zip(found, row.found, strict=True):
        assert words in finding.sentence()
        assert finding.sentence().startswith("policy[0], for hq: ")


def policy(*rules: tuple[When, str]) -> Policy:
    """Clauses, each with one approver."""
    return Policy(
        tuple(Clause(when, Rule("", f"policy[{n}]", all=(seats(who, who + "2"),))) for n, (when, who) in enumerate(rules))
    )


def broken(policy: Policy, *pbxs: str) -> list[tuple[str, tuple[str, ...]]]:
    """The rules that nobody could satisfy, and for which PBXs."""
    return [(found.line, found.pbxs) for found in findings(policy, pbxs, KNOWN) if found.grade is Grade.BROKEN]


def test_a_rule_that_nothing_comes_to_is_not_looked_at() -> None:
    """Behind a rule that takes everything stands nothing that could be asked for; a condition lets something through."""
    assert broken(policy((When(), ANA), (When(), "U0WHO")), "hq") == []
    for when in (When(risks=(Risk.WILDCARD,)), When(requesters=(TESS,)), When(kinds=(Kind.APPLY,)), When(pbx=("branch",))):
        assert broken(policy((when, ANA), (When(), "U0WHO")), "hq") == [("policy[1]", ("hq",))]


def test_each_kind_can_be_taken_by_a_rule_of_its_own() -> None:
    """Only when every kind is taken does nothing come to the rule behind."""
    each = [(When(kinds=(kind,)), ANA) for kind in Kind]
    assert broken(policy(*each, (When(), "U0WHO")), "hq") == []
    assert broken(policy(*each[1:], (When(), "U0WHO")), "hq") == [("policy[2]", ("hq",))]


def test_one_finding_names_all_pbxs_that_it_is_about() -> None:
    """A rule for several PBXs is told once, with those to which it applies, in whatever case the rule names them."""
    assert broken(policy((When(pbx=("HQ", "lab")), "U0WHO"), (When(), ANA)), "hq", "branch", "lab") == [
        ("policy[0]", ("hq", "lab"))
    ]


def test_a_finding_stays_the_same_while_its_details_change() -> None:
    """Told once: a broken rule is one trouble, whoever of its people is gone; weak ones are one for each person or group."""

    def found(*causes: tuple[str, str]) -> Finding:
        return Finding(Grade.BROKEN, "policy[0]", ("hq",), "", tuple(who for who, _ in causes), causes)

    assert found((ANA, "is a guest")).key == found((ANA, "is a guest"), (BEN, "is a bot")).key
    weak = [Finding(Grade.WEAK, "policy[0]", ("hq",), "", (who,), ((who, "is a bot"),)).key for who in (ANA, BEN)]
    assert len(set(weak)) == 2


def test_who_approves_and_is_on_call_is_missed_twice() -> None:
    """What it means is another thing each time, and each of them begins and ends by itself."""
    rule = Rule("", "policy[0]", all=(seats(ANA, BEN, DORA),), emergency=Emergency((DORA,), timedelta(hours=12)))
    found = list(findings(Policy((Clause(When(), rule),)), ["hq"], KNOWN))
    assert len({finding.key for finding in found}) == 2


def test_people_are_shown_as_the_reader_needs_them() -> None:
    """As ids for a terminal, as mentions for Slack."""
    finding = Finding(Grade.WEAK, "policy[0]", ("hq",), "others can still approve", (DORA,), ((DORA, "is deactivated"),))
    assert (
        finding.sentence(lambda subject: f"<@{subject}>")
        == f"policy[0], for hq: <@{DORA}> is deactivated; others can still approve."
    )
