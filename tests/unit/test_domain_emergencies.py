"""Who may break the glass, and who may say afterwards what they think of it."""

from datetime import timedelta

import pytest

from bot.domain import emergencies
from bot.domain.emergencies import is_offered, may_declare, may_look
from bot.domain.kinds import Kind
from bot.domain.requests import Ask
from bot.domain.risk import Risk
from bot.domain.rules import Case, Clause, Emergency, Policy, Rule, Seats, When

DAY = timedelta(hours=24)
LEADS, ONCALL = "S0LEADS", "S0ONCALL"
KNOWN = {LEADS: frozenset({"U0ANA"}), ONCALL: frozenset({"U0TESS"})}


def rule(*by: str, line: str = "policy[0]", **changes: object) -> Rule:
    urgent = Emergency(by, DAY) if by else None
    return Rule("hq", line, all=(Seats((LEADS,)),), emergency=urgent, **changes)  # type: ignore[arg-type]


def policy(*clauses: tuple[When, Rule]) -> Policy:
    return Policy(tuple(Clause(*clause) for clause in clauses))


def case(user: str = "U0TESS", pbx: str = "hq") -> Case:
    return Case(pbx, Kind.TRUSTED, user, None)


@pytest.mark.parametrize(
    ("rules", "members", "expected"),
    [
        (policy((When(), rule("U0TESS"))), {}, True),
        (policy((When(), rule("U0BEN"))), {}, False),
        (policy((When(), rule())), {}, False),
        (policy((When(("branch",)), rule("U0TESS"))), {}, False),
        (policy((When(), rule(ONCALL))), {}, None),
        (policy((When(), rule(ONCALL))), KNOWN, True),
        (policy((When(), rule(ONCALL))), {ONCALL: frozenset()}, False),
        # the first may be its rule, or the second: that is known once it is checked
        (policy((When(risks=(Risk.WILDCARD,)), rule()), (When(), rule("U0TESS"))), {}, True),
        # what stands behind a rule that certainly is its own is none of its business
        (policy((When(), rule()), (When(), rule("U0TESS"))), {}, False),
    ],
)
def test_offered(rules: Policy, members: dict[str, frozenset[str]], expected: bool | None) -> None:
    """To whom a rule that may be the case's names; unknown as long as a group decides it that was not read."""
    assert is_offered(rules, case(), members) is expected


def test_the_choice_of_the_pbx_matters_to_whom_some_rule_names() -> None:
    """The form is painted anew with another PBX only for those whose fields may change by that."""
    rules = policy((When(("branch",)), rule("U0TESS", ONCALL)))
    assert emergencies.depends_on_pbx(rules, "U0TESS", {}) is True
    assert emergencies.depends_on_pbx(rules, "U0CARL", {}) is True
    assert emergencies.depends_on_pbx(rules, "U0CARL", KNOWN) is False


@pytest.mark.parametrize(
    ("rules", "members", "code"),
    [
        ((rule("U0TESS"),), {}, "emergency"),
        ((rule(ONCALL),), KNOWN, "emergency"),
        ((rule(ONCALL),), {}, "membership_unknown"),
        ((rule("U0BEN"),), {}, "not_named"),
        ((rule(),), {}, "no_emergency"),
        ((rule("U0TESS"), rule(line="policy[1]")), {}, "no_emergency"),
        ((rule("U0TESS"), rule("U0BEN", line="policy[1]")), {}, "not_named"),
    ],
)
def test_may_declare(rules: tuple[Rule, ...], members: dict[str, frozenset[str]], code: str) -> None:
    """Every rule that counts has to have an emergency and to name them; the first that does not is the reason."""
    verdict = may_declare(rules, "U0TESS", members)
    assert (verdict.code, verdict.permitted) == (code, code == "emergency")
    assert "<" not in verdict.reason, "it stands next to a field, where Slack shows a mention as it is written"


@pytest.mark.parametrize(("user", "code"), [("U0ANA", "member"), ("U0TESS", "own_request"), ("U0CARL", "not_named")])
def test_may_look(user: str, code: str) -> None:
    """Whoever may approve, and never the requester, whatever the rule names."""
    named = rule("U0TESS")
    assert may_look(named, user, "U0TESS", {LEADS: frozenset({"U0ANA", "U0TESS"})}).code == code


def test_everybody_is_told_but_the_requester() -> None:
    """Approvers, silent ones as well, those whom it escalates to, and operators; each once."""
    rules = (rule("U0TESS", silent=("U0BOSS",), any=(Seats(("U0BOSS", "U0TESS")),), escalate_to=("U0HEAD", LEADS)),)
    assert emergencies.everybody(rules, ("U0OLGA", "U0HEAD"), "U0TESS") == (LEADS, "U0BOSS", "U0HEAD", "U0OLGA")


def test_silent_approvers_are_told_again_only_where_there_are_no_others() -> None:
    """Somebody has to be."""
    assert emergencies.reminded(rule(any=(Seats(("U0BOSS",)),), silent=("U0BOSS",)), "U0TESS") == (LEADS,)
    assert emergencies.reminded(rule(silent=(LEADS,)), "U0TESS") == (LEADS,)


@pytest.mark.parametrize(
    ("reason", "typed", "fields"),
    [
        ("Every phone in hq is down", "hq", []),
        ("Every phone in hq is down", " HQ ", []),
        ("Every phone in hq is down", "", ["emergency_pbx"]),
        ("Every phone in hq is down", "hq2", ["emergency_pbx"]),
        ("   phones are down    ", "hq", ["reason"]),
        ("down", "branch", ["reason", "emergency_pbx"]),
    ],
)
def test_what_it_asks_for(reason: str, typed: str, fields: list[str]) -> None:
    """Twenty characters of a reason, and the name of the chosen PBX, whatever its case."""
    assert [found.field for found in emergencies.problems(Ask(pbx="hq", reason=reason), typed)] == fields


def test_without_a_pbx_there_is_no_name_to_compare() -> None:
    """That none is chosen is said next to its own field."""
    assert emergencies.problems(Ask(reason="Every phone in hq is down"), "") == []
