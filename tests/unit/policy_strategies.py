"""Random policies, memberships and clicks, small enough for an oracle that tries everything."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st

from bot.domain.kinds import Kind
from bot.domain.risk import Risk
from bot.domain.rules import LEAD, Case, Clause, Emergency, Policy, Rule, Seats, Team, When

USERS = ("U1", "U2", "U3", "U4", "W5")
GROUPS = ("S1", "S2", "S3")
PBXS = ("hq", "branch")

users = st.sampled_from(USERS)
groups = st.sampled_from(GROUPS)
people = users | groups
voices = people | st.just(LEAD)
times = st.integers(1, 10_000).map(lambda minutes: timedelta(minutes=minutes))


def some(of: st.SearchStrategy[str], least: int = 0, most: int = 3) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(of, min_size=least, max_size=most, unique=True).map(tuple)


def seats(of: st.SearchStrategy[str]) -> st.SearchStrategy[Seats]:
    return st.builds(Seats, some(of, least=1), st.integers(1, 2))


def rules(of: st.SearchStrategy[str]) -> st.SearchStrategy[Rule]:
    """What decides: the groups of approvers. One may be too small for its count, as a user group may."""
    approvers = st.lists(seats(of), max_size=2).map(tuple)
    both = st.tuples(approvers, approvers).filter(any)
    return st.builds(lambda pair, told: Rule("hq", "policy[0]", pair[0], pair[1], escalate_to=told), both, some(of, most=1))


#: With everything that a rule may hold.
full_rules = st.builds(
    Rule,
    pbx=st.just("hq"),
    line=st.just('policy[0] "random"'),
    all=st.lists(seats(people), max_size=2).map(tuple),
    any=st.lists(seats(people), max_size=2).map(tuple),
    requesters=some(people),
    readers=some(people),
    silent=some(people),
    comment=st.booleans(),
    open_for=times,
    remind_after=st.none() | times,
    escalate_after=st.none() | times,
    escalate_to=some(people),
    emergency=st.none() | st.builds(Emergency, some(people, least=1), times),
)


def in_order(written: list[Clause]) -> Iterator[Clause]:
    """Each with the line that it stands on, and for no PBX yet."""
    for index, clause in enumerate(written):
        yield replace(clause, rule=replace(clause.rule, pbx="", line=f"policy[{index}]"))


whens = st.builds(
    When,
    pbx=some(st.sampled_from(("hq", "HQ", "branch"))),
    kinds=st.lists(st.sampled_from(Kind), max_size=2, unique=True).map(tuple),
    risks=st.lists(st.sampled_from(Risk), max_size=2, unique=True).map(tuple),
    requesters=some(people),
)
teams = st.builds(Team, name=st.just("team"), members=some(people, least=1), leads=some(people, least=1))
cases = st.builds(
    Case,
    pbx=st.sampled_from(PBXS),
    kind=st.sampled_from(Kind),
    requester=users,
    risks=st.frozensets(st.sampled_from(Risk), max_size=2),
)
#: A group that is missing could not be read.
memberships = st.dictionaries(groups, st.frozensets(users))


clauses = st.builds(Clause, whens, rules(voices))
policies = st.builds(
    lambda written, named: Policy(tuple(in_order(written)), tuple(named)),
    st.lists(clauses, max_size=4),
    st.lists(teams, max_size=2),
)
