"""Random policies and people: the rules agree with an oracle that tries everything, and keep what they promise."""

import json
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.quorum import groups_to_read, seats_of, standing
from bot.domain.rules import LEAD, Case, Policy, Rule, Seats
from tests.unit import policy_oracle as oracle
from tests.unit import policy_strategies as some

Sits = Mapping[str, frozenset[int]]


@st.composite
def rules_and_voters(draw: st.DrawFn) -> tuple[Rule, dict[str, frozenset[int]]]:
    rule = draw(some.rules(some.people))
    chairs = st.frozensets(st.integers(0, len(rule.seats) - 1), min_size=1)
    return rule, draw(st.dictionaries(some.users, chairs))


def joined(rule: Rule, sits: Sits, wanted: tuple[Seats, ...]) -> Sits:
    """As many new people as are wanted vote, each of them in no other group of approvers."""
    newcomers = [seats.subjects for seats in wanted for _ in range(seats.count)]
    return {**sits} | {
        f"new{number}": frozenset(index for index, seats in enumerate(rule.seats) if seats.subjects == subjects)
        for number, subjects in enumerate(newcomers)
    }


@given(some.policies, some.cases, some.memberships)
def test_first_match(policy: Policy, case: Case, members: dict[str, frozenset[str]]) -> None:
    """The rule that is found is the one of every world that Slack may have kept from us; otherwise none is."""
    match, expected = policy.find(case, members), oracle.first_match(policy, case, some.GROUPS, members)
    if expected is None:
        assert (match.rule, match.code) == (None, "membership_unknown")
    elif expected.clause < 0:
        assert (match.rule, match.code) == (None, "no_rule")
    else:
        assert match.rule is not None
        assert match.rule.line == policy.clauses[expected.clause].rule.line
        written = policy.clauses[expected.clause].rule
        for seats, found in zip(written.seats, match.rule.seats, strict=True):
            plain = {subject for subject in seats.subjects if subject != LEAD}
            assert set(found.subjects) == plain | set(expected.leads if LEAD in seats.subjects else ())
            assert found.count == seats.count


@given(some.policies, some.cases, some.memberships)
def test_nobody_by_relation(policy: Policy, case: Case, members: dict[str, frozenset[str]]) -> None:
    """A rule that was found is for the PBX that was asked for, and names people and groups alone."""
    rule = policy.find(case, members).rule
    if rule is not None:
        assert rule.pbx == case.pbx
        assert LEAD not in (*rule.approvers, *rule.pinged, *rule.silent, *rule.escalate_to)


@given(some.policies, some.cases, some.memberships)
def test_every_clause_is_accounted_for(policy: Policy, case: Case, members: dict[str, frozenset[str]]) -> None:
    """Each clause before the one that is found is told with why it is not meant, in order."""
    match = policy.find(case, members)
    lines = [clause.rule.line for clause in policy.clauses]
    tried = [line for line, _ in match.tried]
    assert tried == lines[: len(tried)]
    assert all(why for _, why in match.tried)
    if match.rule is not None:
        assert match.rule.line == lines[len(tried)]


@given(some.policies, some.cases, st.frozensets(some.users))
def test_reading_enough_settles_it(policy: Policy, case: Case, everybody: frozenset[str]) -> None:
    """Once the groups were read that are to be read for a case, its rule is known or there is none."""
    read = dict.fromkeys(policy.groups_for(case), everybody)
    assert policy.find(case, read).code in ("found", "no_rule")


@given(some.policies, some.cases, some.memberships)
def test_possible_ones(policy: Policy, case: Case, members: dict[str, frozenset[str]]) -> None:
    """The rule that is found is among those that were said to be possible before Slack was asked, and the risks known."""
    rule = policy.find(case, members).rule
    if rule is not None:
        for early in (case, Case(case.pbx, case.kind, case.requester, None)):
            assert rule.line in [clause.rule.line for clause in policy.possible(early)]


@given(some.policies, some.cases, some.memberships, some.groups)
def test_knowing_less_finds_no_other_rule(policy: Policy, case: Case, members: dict[str, frozenset[str]], lost: str) -> None:
    """With a group less that could be read, the same is found, or nothing."""
    fewer = {group: who for group, who in members.items() if group != lost}
    before, after = policy.find(case, members), policy.find(case, fewer)
    assert after.code == "membership_unknown" or after == before


@given(some.rules(some.people), some.users, some.memberships)
def test_seats(rule: Rule, user: str, members: dict[str, frozenset[str]]) -> None:
    """The seats that somebody may take are those of every world; where worlds differ, nothing is said."""
    assert seats_of(user, rule, members) == oracle.chairs(user, rule, some.GROUPS, members)


@given(some.rules(some.people), st.frozensets(some.users, min_size=1), some.memberships)
def test_reading_the_groups_of_seats(rule: Rule, users: frozenset[str], members: dict[str, frozenset[str]]) -> None:
    """Once the groups that are to be read for some people were read, each one's seats are known."""
    read = {group: members.get(group, frozenset()) for group in groups_to_read(users, rule)}
    assert all(seats_of(user, rule, read) is not None for user in users)


@given(rules_and_voters())
def test_quorum(rule_and_voters: tuple[Rule, Sits]) -> None:
    """It is reached if there is any way to seat the voters, and as many people are missing as the best way leaves chairs."""
    rule, sits = rule_and_voters
    found, wanted = standing(rule, sits), oracle.still_wanted(rule, sits)
    assert found.reached == (wanted == 0)
    option = min((seats.count for seats in found.one_of), default=0)
    assert sum(seats.count for seats in found.missing) + option == wanted


@given(rules_and_voters())
def test_missing_is_true(rule_and_voters: tuple[Rule, Sits]) -> None:
    """If as many vote as are said to be missing, in whichever of the groups to choose from, it is reached; one fewer is not."""
    rule, sits = rule_and_voters
    found = standing(rule, sits)
    for option in found.one_of or (None,):
        wanted = found.missing + ((option,) if option else ())
        assert standing(rule, joined(rule, sits, wanted)).reached
    if not found.reached and len(found.one_of) <= 1:
        wanted = found.missing + found.one_of
        fewer = (*wanted[:-1], Seats(wanted[-1].subjects, wanted[-1].count - 1))
        assert not standing(rule, joined(rule, sits, fewer)).reached


@given(rules_and_voters(), st.data())
def test_votes_only_add(rule_and_voters: tuple[Rule, Sits], data: st.DataObject) -> None:
    """One more vote never takes a quorum back and never makes more people missing; nor does one more seat of a voter's."""
    rule, sits = rule_and_voters
    more = frozenset(range(len(rule.seats))) if not sits else data.draw(st.frozensets(st.integers(0, len(rule.seats) - 1)))
    user = data.draw(st.sampled_from([*sits, "Unew"]))
    grown = {**sits, user: sits.get(user, frozenset()) | more}
    assert standing(rule, grown).reached >= standing(rule, sits).reached
    assert oracle.still_wanted(rule, grown) <= oracle.still_wanted(rule, sits)


@given(rules_and_voters())
def test_so_many_people(rule_and_voters: tuple[Rule, Sits]) -> None:
    """It never takes fewer people than the rule says, and so many suffice where each sits in a group of their own."""
    rule, sits = rule_and_voters
    assert not standing(rule, sits).reached or len(sits) >= rule.approvals
    cheapest = min(rule.any, key=lambda seats: seats.count, default=None)
    wanted = rule.all + ((cheapest,) if cheapest else ())
    everybody = joined(rule, {}, wanted)
    assert len(everybody) == rule.approvals
    assert standing(rule, everybody).reached


@given(some.full_rules)
def test_kept_as_json(rule: Rule) -> None:
    """A rule that is kept with its request comes back as it was."""
    assert Rule.from_json(json.loads(json.dumps(rule.to_json()))) == rule
