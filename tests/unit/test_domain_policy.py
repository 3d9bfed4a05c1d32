"""Who may ask, vote and operate: each verdict with its reason and its rule."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import policy
from bot.domain.policy import Verdict
from bot.domain.rules import Memberships, Rule, Seats, is_group

ANA, BEN, TESS = "U0ANA", "U0BEN", "U0TESS"
LEADS, TECHS = "S0LEADS", "S0TECHS"
RULE = Rule("hq", "pbx[0]", all=(Seats((ANA, LEADS)),))
KNOWN: Memberships = {LEADS: frozenset({BEN}), TECHS: frozenset({TESS})}


def vote(rule: Rule, user: str, members: Memberships, requester: str = TESS) -> Verdict:
    return policy.may_vote([rule], user, requester, members)


@pytest.mark.parametrize(
    ("user", "requester", "members", "permitted", "code"),
    [
        (ANA, TESS, {}, True, "named"),
        (BEN, TESS, KNOWN, True, "member"),
        (BEN, TESS, {}, False, "membership_unknown"),
        ("U0EVE", TESS, KNOWN, False, "not_named"),
        ("U0EVE", TESS, {}, False, "membership_unknown"),
        (ANA, ANA, {}, False, "own_request"),
        (BEN, BEN, KNOWN, False, "own_request"),
        (TESS, TESS, KNOWN, False, "own_request"),
        ("", TESS, KNOWN, False, "not_named"),
        (LEADS, TESS, KNOWN, True, "named"),
    ],
)
def test_votes(user: str, requester: str, members: Memberships, permitted: bool, code: str) -> None:
    """Named ones and members may vote, the requester never, and nobody on an unread group's word."""
    verdict = vote(RULE, user, members, requester)
    assert (verdict.permitted, verdict.code, verdict.rule) == (permitted, code, "pbx[0]")


@pytest.mark.parametrize(
    ("requesters", "user", "members", "permitted", "code"),
    [
        ((), "U0EVE", {}, True, "everybody"),
        ((TESS,), TESS, {}, True, "named"),
        ((TESS,), ANA, {}, False, "not_named"),
        ((TECHS,), TESS, KNOWN, True, "member"),
        ((TECHS,), ANA, KNOWN, False, "not_named"),
        ((TECHS,), TESS, {}, False, "membership_unknown"),
        ((TECHS, LEADS), ANA, {TECHS: frozenset({TESS})}, False, "membership_unknown"),
        ((TECHS, LEADS), TESS, {TECHS: frozenset({TESS})}, True, "member"),
    ],
)
def test_asking(requesters: tuple[str, ...], user: str, members: Memberships, permitted: bool, code: str) -> None:
    """Without requesters everybody may ask; with them, only those."""
    verdict = policy.may_ask(replace(RULE, requesters=requesters), user, members)
    assert (verdict.permitted, verdict.code) == (permitted, code)


def test_operating() -> None:
    """Operators press Try again; where there are none, the approvers do; an approver is no operator where there are some."""
    assert policy.may_operate([RULE], (), ANA, {}).permitted
    assert policy.may_operate([RULE], (), BEN, KNOWN).permitted
    assert [policy.may_operate([RULE], (TESS,), user, KNOWN).permitted for user in (TESS, ANA, BEN)] == [True, False, False]


def test_reasons_help() -> None:
    """A refusal tells who may instead, or that Slack could not be asked."""
    assert f"<@{ANA}> or <!subteam^{LEADS}> may" in vote(RULE, "U0EVE", KNOWN).reason
    assert "try again" in vote(RULE, "U0EVE", {}).reason
    assert "somebody else" in vote(RULE, ANA, KNOWN, ANA).reason


@pytest.mark.parametrize(
    ("user", "subjects", "groups"),
    [(ANA, (ANA, LEADS), set()), (BEN, (ANA, LEADS, TECHS), {LEADS, TECHS}), (BEN, (ANA,), set()), (BEN, (), set())],
)
def test_groups_to_read(user: str, subjects: tuple[str, ...], groups: set[str]) -> None:
    """Slack is asked only about those who are not named themselves."""
    assert policy.groups_to_read(user, subjects) == groups


users = st.sampled_from(["U1", "U2", "U3", "W4", "U5"])
groups = st.sampled_from(["S1", "S2", "S3"])
rules = st.builds(
    Rule,
    pbx=st.just("hq"),
    line=st.just("pbx[0]"),
    all=st.lists(users | groups, min_size=1, max_size=4).map(lambda subjects: (Seats(tuple(subjects)),)),
    requesters=st.lists(users | groups, max_size=3).map(tuple),
)
memberships = st.dictionaries(groups, st.frozensets(users))


@given(rules, users, users, memberships)
def test_nobody_alone(rule: Rule, user: str, requester: str, members: Memberships) -> None:
    """Whatever the rule: the requester never, others only if they are named or a member of a named group that was read."""
    verdict = policy.may_vote([rule], user, requester, members)
    named = user in rule.approvers or any(user in members.get(group, ()) for group in rule.approvers)
    assert verdict.permitted == (named and user != requester)
    assert verdict.reason
    assert verdict.rule


def may_operate(rule: Rule, user: str, members: Memberships) -> Verdict:
    return policy.may_operate([rule], (), user, members)


@given(rules, users, memberships, st.sampled_from([policy.may_ask, may_operate]))
def test_knowing_less_permits_no_more(
    rule: Rule, user: str, members: Memberships, may: Callable[[Rule, str, Memberships], Verdict]
) -> None:
    """What could not be read never lets anybody in who would be kept out."""
    for left_out in members:
        fewer = {group: who for group, who in members.items() if group != left_out}
        assert may(rule, user, members).permitted >= may(rule, user, fewer).permitted


@given(rules, users, memberships)
def test_reading_enough_settles_it(rule: Rule, user: str, members: Memberships) -> None:
    """Once the groups that are to be read were read, nothing is unknown."""
    needed = policy.groups_to_read(user, rule.approvers)
    read = {group: members.get(group, frozenset()) for group in needed}
    assert vote(rule, user, read, "U9").code != "membership_unknown"
    assert all(is_group(group) for group in needed)
