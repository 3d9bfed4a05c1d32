"""Who may read a request, and whom it waits for."""

from typing import Any

import pytest

from bot.domain import readers
from bot.domain.requests import Decision, Request, Vote
from bot.domain.rules import Memberships, Rule, Seats
from tests.unit import block_samples

TESS, ANA, OPS, BOSS, EVE, RITA = "U0TESS", "U0ANA", "U0OPS", "U0BOSS", "U0EVE", "U0RITA"
LEADS, AUDIT = "S0LEADS", "S0AUDIT"


def rule(*approvers: str, **more: Any) -> Rule:
    return Rule("hq", "policy[0]", all=(Seats(approvers),), **more)


def request(**changes: Any) -> Request:
    return block_samples.request(**{"requester": TESS, **changes})


#: Everybody with a part in it is named; whoever may only read is Rita.
CLOSED = rule(ANA, escalate_to=(BOSS,), readers=(RITA,))


@pytest.mark.parametrize(
    ("user", "rules", "members", "may"),
    [
        (EVE, [rule(ANA)], {}, True),
        (TESS, [CLOSED], {}, True),
        (ANA, [CLOSED], {}, True),
        (OPS, [CLOSED], {}, True),
        (BOSS, [CLOSED], {}, True),
        (RITA, [CLOSED], {}, True),
        (EVE, [CLOSED], {}, False),
        (EVE, [CLOSED, rule(ANA)], {}, False),
        (RITA, [CLOSED, rule(ANA)], {}, True),
        (ANA, [CLOSED, rule(EVE, readers=(EVE,))], {}, True),
        (EVE, [CLOSED, rule(EVE)], {}, True),
        (RITA, [rule(LEADS, readers=(AUDIT,))], {LEADS: {ANA}, AUDIT: {RITA}}, True),
        (EVE, [rule(LEADS, readers=(AUDIT,))], {LEADS: {ANA}, AUDIT: {RITA}}, False),
        (ANA, [rule(LEADS, readers=(AUDIT,))], {LEADS: {ANA}}, True),
        (EVE, [rule(LEADS, readers=(AUDIT,))], {LEADS: {ANA}}, None),
        (EVE, [rule(LEADS, readers=(RITA,))], {}, None),
        (RITA, [rule(LEADS, readers=(RITA,))], {}, True),
        (EVE, [], {}, True),
    ],
)
def test_who_may_read(user: str, rules: list[Rule], members: dict[str, set[str]], may: bool | None) -> None:
    """Where no rule names readers, everybody may; else these, the requester and whoever acts on it; a group that was not read
    leaves it open."""
    known: Memberships = {group: frozenset(users) for group, users in members.items()}
    assert readers.may_read(request(), rules, (OPS,), user, known) is may


@pytest.mark.parametrize(
    ("user", "rules", "changes", "waits"),
    [
        (ANA, [rule(ANA)], {}, True),
        (EVE, [rule(ANA)], {}, False),
        (TESS, [rule(ANA, TESS)], {}, False),
        (ANA, [rule(ANA)], {"votes": (block_samples.vote(ANA),)}, False),
        (ANA, [rule(ANA)], {"decision": Decision.EXPIRED}, False),
        (ANA, [rule(LEADS)], {}, None),
        (ANA, [rule(ANA, LEADS)], {}, True),
        (EVE, [rule(ANA), rule(EVE)], {}, False),
        (ANA, [rule(ANA), rule(ANA, EVE)], {}, True),
        (ANA, [], {}, False),
    ],
)
def test_whom_it_waits_for(user: str, rules: list[Rule], changes: dict[str, Any], waits: bool | None) -> None:
    """It waits for whoever may vote under all of its rules and has not, never for the requester, and for nobody once it is not
    open."""
    assert readers.may_decide(request(**changes), rules, user, {}) is waits


@pytest.mark.parametrize(
    ("user", "looks", "waits"),
    [(ANA, (), True), (EVE, (), False), (TESS, (), False), (ANA, (block_samples.vote(BOSS, "confirm"),), False)],
)
def test_an_emergency_waits_until_somebody_has_looked(user: str, looks: tuple[Vote, ...], waits: bool) -> None:
    """It waits for whoever may approve and is not its requester, as long as nobody has said anything afterwards."""
    asked = block_samples.ask(emergency=True)
    done = request(of=asked, decision=Decision.APPROVED, votes=looks)
    assert readers.may_decide(done, [rule(ANA, TESS, BOSS)], user, {}) is waits
    assert readers.groups_to_decide(done, [rule(LEADS)], user) == ({LEADS} if not looks and user != TESS else frozenset())


def test_no_group_is_read_that_does_not_matter() -> None:
    """Where everybody may read, or the person is named, Slack is not asked; nor about decisions that are over or their own."""
    open_to_all, closed = rule(LEADS), rule(LEADS, readers=(AUDIT,))
    assert readers.groups_to_read(request(), [open_to_all], (), EVE) == frozenset()
    assert readers.groups_to_read(request(), [closed], (), TESS) == frozenset()
    assert readers.groups_to_read(request(), [rule(ANA, readers=(AUDIT,))], (), ANA) == frozenset()
    assert readers.groups_to_read(request(), [closed], (), EVE) == {LEADS, AUDIT}
    assert readers.groups_to_decide(request(), [open_to_all], EVE) == {LEADS}
    assert readers.groups_to_decide(request(), [rule(ANA, LEADS)], ANA) == frozenset()
    assert readers.groups_to_decide(request(), [open_to_all], TESS) == frozenset()
    assert readers.groups_to_decide(request(decision=Decision.WITHDRAWN), [open_to_all], EVE) == frozenset()
