"""Random clicks under random rules: the verdicts and the end agree with the oracle, and nothing approves what it should not."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.policy import may_ask, may_operate, may_read, may_say, nobody_left
from bot.domain.rules import Memberships, Rule, Seats
from tests.unit import policy_oracle as oracle
from tests.unit import policy_strategies as some
from tests.unit.policy_play import Hearing

Clicks = list[tuple[str, str]]

clicks = st.lists(st.tuples(some.users, st.sampled_from(("approves", "approves", "approves", "rejects"))), max_size=6)
approvals = st.lists(st.tuples(some.users, st.just("approves")), max_size=6)
#: The rule that it was asked under, and maybe another one of today.
both = st.lists(some.rules(some.people), min_size=1, max_size=2).map(tuple)


def heard(history: Clicks, rules: tuple[Rule, ...], requester: str, members: Memberships) -> Hearing:
    hearing = Hearing(rules, requester, members=members)
    for user, act in history:
        hearing.vote(user, act)
    return hearing


@given(clicks, both, some.users, some.memberships)
def test_verdicts(history: Clicks, rules: tuple[Rule, ...], requester: str, members: dict[str, frozenset[str]]) -> None:
    """Each click is taken or refused as the oracle has it; each verdict has a reason, and names one of the rules."""
    for user, act in history:
        verdict = Hearing(rules, requester, members=members).vote(user, act)
        assert verdict.permitted == oracle.counts(user, act, rules, requester, some.GROUPS, members)
        assert verdict.reason
        assert verdict.rule in [rule.line for rule in rules]


@given(clicks, both, some.users, some.memberships)
def test_ends(history: Clicks, rules: tuple[Rule, ...], requester: str, members: dict[str, frozenset[str]]) -> None:
    """It is approved if the oracle finds a way to seat those who count under each rule, and nobody who counts said no."""
    hearing = heard(history, rules, requester, members)
    assert hearing.is_approved() == oracle.approves(history, rules, requester, some.GROUPS, members)
    assert requester not in hearing.approved


@given(clicks, both, some.users, some.memberships)
def test_the_requester_changes_nothing(
    history: Clicks, rules: tuple[Rule, ...], requester: str, members: dict[str, frozenset[str]]
) -> None:
    """Whatever the requester clicks, it ends as if they had not."""
    others = [(user, act) for user, act in history if user != requester]
    assert heard(history, rules, requester, members).stands() == heard(others, rules, requester, members).stands()


@given(clicks, both, some.users, some.memberships)
def test_the_stricter_counts(
    history: Clicks, rules: tuple[Rule, ...], requester: str, members: dict[str, frozenset[str]]
) -> None:
    """What is approved under both rules is approved under each of them alone."""
    approvers = [(user, act) for user, act in history if act == "approves"]
    if heard(approvers, rules, requester, members).is_approved():
        assert all(heard(approvers, (rule,), requester, members).is_approved() for rule in rules)


@given(approvals, both, some.users, some.memberships, some.groups, some.users)
def test_fewer_members_approve_no_more(
    history: Clicks, rules: tuple[Rule, ...], requester: str, members: dict[str, frozenset[str]], group: str, left: str
) -> None:
    """If somebody leaves a group, or a group cannot be read any more, nothing is approved that was not before."""
    before = heard(history, rules, requester, members).is_approved()
    without = {name: who - {left} if name == group else who for name, who in members.items()}
    unread = {name: who for name, who in members.items() if name != group}
    assert heard(history, rules, requester, without).is_approved() <= before
    assert heard(history, rules, requester, unread).is_approved() <= before


@given(approvals, both, some.users, some.memberships, some.users)
def test_one_more_approval_takes_nothing_back(
    history: Clicks, rules: tuple[Rule, ...], requester: str, members: dict[str, frozenset[str]], user: str
) -> None:
    """Approved stays approved when one more approves, in whatever order they come."""
    if heard(history, rules, requester, members).is_approved():
        assert heard([(user, "approves"), *reversed(history)], rules, requester, members).is_approved()


@given(some.rules(some.people), some.users, some.memberships)
def test_nobody_left(rule: Rule, requester: str, members: dict[str, frozenset[str]]) -> None:
    """A requester is turned away only if all other people together could not approve it, whoever is in what was not read."""
    everybody = frozenset({*some.USERS, "U6", "U7", "U8", "U9"})
    fullest = {group: members.get(group, everybody) for group in some.GROUPS}
    history = [(user, "approves") for user in everybody]
    can_be = heard(history, (rule,), requester, fullest).is_approved()
    if all(group in members for group in some.GROUPS):
        assert bool(nobody_left(rule, requester, members)) == (not can_be)
    elif nobody_left(rule, requester, members):
        assert not can_be


@given(some.full_rules, some.users, some.users, some.memberships, some.some(some.people))
def test_less_known_permits_no_more(
    rule: Rule, user: str, requester: str, members: dict[str, frozenset[str]], operators: tuple[str, ...]
) -> None:
    """Asking, reading, operating: what could not be read lets nobody in who would be kept out."""
    for lost in members:
        fewer = {group: who for group, who in members.items() if group != lost}
        assert may_ask(rule, user, members).permitted >= may_ask(rule, user, fewer).permitted
        for may in (may_operate, may_say):
            assert may((rule,), operators, user, members).permitted >= may((rule,), operators, user, fewer).permitted
        read, unread = (may_read((rule,), operators, user, requester, known) for known in (members, fewer))
        assert read.permitted >= unread.permitted


@given(some.full_rules)
def test_the_same_rule_elsewhere(rule: Rule) -> None:
    """A rule that only stands on another line, or may be read by others, is no other rule; one that asks for more is."""
    assert rule.is_same(replace(rule, line="policy[7]", readers=("U9",)))
    assert not rule.is_same(replace(rule, comment=not rule.comment))
    assert not rule.is_same(replace(rule, all=(*rule.all, Seats(("U9",)))))
