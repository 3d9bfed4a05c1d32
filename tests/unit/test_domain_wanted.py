"""Who is still wanted for a request."""

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain import wanted
from bot.domain.quorum import Scale
from bot.domain.requests import Request, Vote
from bot.domain.rules import Rule, Seats
from tests.unit import block_samples as samples

TESS, ANA, BEN, CLEO, DAN = "U0TESS", "U0ANA", "U0BEN", "U0CLEO", "U0DAN"
LEADS, SECURITY = "S0LEADS", "S0SEC"
BOTH = Rule("hq", "policy[0]", all=(Seats((LEADS,)), Seats((SECURITY,))))
MEMBERS: Mapping[str, frozenset[str]] = {LEADS: frozenset({ANA, BEN, TESS}), SECURITY: frozenset({BEN, CLEO})}


def asked(rule: Rule | None, *votes: Vote, now: Rule | None = None) -> Request:
    return samples.request(requester=TESS, rule=rule, rule_now=now, votes=votes)


def vote(user: str, *seats: int) -> Vote:
    return Vote(user, "approve", "", samples.NOW, frozenset(seats))


def rule(*subjects: str, needed: int = 1, silent: tuple[str, ...] = ()) -> Rule:
    return Rule("hq", "pbx[0]", all=(Seats(subjects, needed),), silent=silent)


def test_groups_that_have_not_spoken() -> None:
    """The group whose seat is taken is wanted no longer, nor are its members, unless they are in another one."""
    assert wanted.subjects(asked(BOTH)) == (LEADS, SECURITY)
    spoken = asked(BOTH, vote(ANA, 0))
    assert wanted.subjects(spoken) == (SECURITY,)
    assert wanted.groups(spoken) == {SECURITY}
    assert wanted.people(spoken, MEMBERS) == {BEN, CLEO}


def test_never_the_requester_nor_who_has_voted() -> None:
    """Named or as a member of a group, who asked and who voted are not wanted."""
    named = asked(rule(TESS, ANA, BEN, needed=2), vote(ANA, 0))
    assert wanted.subjects(named) == (BEN,)
    member = asked(rule(LEADS, needed=2), vote(ANA, 0))
    assert wanted.people(member, MEMBERS) == {BEN}


def test_the_silent_are_not_wanted() -> None:
    """Who is silent by name is left out of every group; a silent group's members are wanted only as what else they are."""
    by_name = asked(rule(LEADS, BEN, silent=(BEN,)))
    assert wanted.subjects(by_name) == (LEADS,)
    assert wanted.people(by_name, MEMBERS) == {ANA}
    as_group = asked(rule(LEADS, SECURITY, silent=(SECURITY,)))
    assert wanted.people(as_group, MEMBERS) == {ANA, BEN}
    assert wanted.groups(as_group) == {LEADS}


def test_one_group_of_several_is_enough() -> None:
    """As long as it is open which group of ``any`` it will be, all of them are wanted; afterwards nobody is."""
    either = Rule("hq", "policy[0]", any=(Seats((ANA,)), Seats((CLEO, DAN), 2)))
    assert wanted.subjects(asked(either)) == (ANA, CLEO, DAN)
    assert wanted.missing(asked(either, vote(DAN, 1))) == (Seats((ANA,)), Seats((CLEO,)))
    assert wanted.subjects(asked(either, vote(ANA, 0))) == ()


def test_who_voted_may_take_another_seat() -> None:
    """Ben is lead and security: after him one of either group is enough, and so somebody of either is wanted."""
    assert wanted.missing(asked(BOTH, vote(BEN, 0, 1))) == (Seats((SECURITY, LEADS)),)
    named = Rule("hq", "policy[0]", all=(Seats((ANA, DAN)), Seats((ANA,))))
    assert wanted.missing(asked(named, vote(ANA, 0, 1))) == (Seats((DAN,)),)


def test_both_rules_count() -> None:
    """Wanted is who is missing under either rule, and nobody whom one of them does not let vote."""
    both = asked(rule(ANA, BEN), now=rule(BEN, CLEO))
    assert wanted.subjects(both) == (BEN,)
    stricter = asked(rule(ANA, BEN), vote(ANA, 0), now=rule(ANA, BEN, needed=2))
    assert wanted.missing(stricter) == (Seats((BEN,)),)
    grouped = asked(rule(LEADS), now=rule(LEADS, SECURITY, needed=2))
    assert wanted.groups(grouped) == {LEADS, SECURITY}
    assert wanted.people(grouped, MEMBERS) == {ANA, BEN}


def test_a_vote_is_known_under_the_other_rule_too() -> None:
    """A member of a group sits in its seat of today's rule without Slack being asked, and so does who is named there."""
    member = vote(BEN, 0)
    same_group = asked(rule(LEADS), member, now=Rule("hq", "policy[1]", all=(Seats((LEADS, DAN)), Seats((CLEO,)))))
    assert wanted.missing(same_group) == (Seats((CLEO,)),)
    named = asked(rule(LEADS), member, now=rule(BEN, CLEO))
    assert wanted.missing(named) == ()
    in_doubt = asked(rule(LEADS, SECURITY), member, now=rule(LEADS))
    assert wanted.missing(in_doubt) == (Seats((LEADS,)),)


def test_with_the_members_read_every_seat_is_known() -> None:
    """Ana voted as herself, and today's rule needs two leads, of whom she is one: so Cleo is wanted for the seat by name."""
    today = Rule("hq", "policy[1]", all=(Seats((LEADS,), 2),), any=(Seats((ANA, CLEO)),))
    request = asked(rule(ANA, BEN, CLEO), vote(ANA, 0), now=today)
    assert wanted.people(request, MEMBERS) == {BEN, CLEO}


def test_without_a_rule_nobody_is_known() -> None:
    """A request of the time before rules were kept wants nobody by name."""
    assert wanted.subjects(asked(None)) == ()
    assert wanted.missing(asked(None)) == ()


_PEOPLE = (TESS, ANA, BEN, CLEO, DAN)
_SUBJECTS = st.lists(st.sampled_from([*_PEOPLE, LEADS, SECURITY]), min_size=1, max_size=4, unique=True).map(tuple)
_SEATS = st.builds(Seats, _SUBJECTS, st.integers(1, 2))
_RULES = st.builds(
    Rule, pbx=st.just("hq"), line=st.just("x"), all=st.lists(_SEATS, max_size=2).map(tuple),
    any=st.lists(_SEATS, max_size=2).map(tuple), silent=st.lists(st.sampled_from([*_PEOPLE, LEADS, SECURITY])).map(tuple),
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(_RULES, _RULES | st.none(), st.lists(st.sampled_from(_PEOPLE[1:]), unique=True, max_size=3))
def test_whoever_could_bring_it_further_is_wanted(asked_under: Rule, today: Rule | None, voters: list[str]) -> None:
    """Nobody else is needed who is not wanted or silent: with all of those whom it waits for, it is as far as it can come."""
    scale = Scale(tuple(each for each in (asked_under, today) if each), MEMBERS)
    votes = tuple(vote(user, *scale.seats(user)) for user in voters if scale.carries(user))
    request = asked(asked_under, *votes, now=today)
    voted = [each.user for each in votes]
    people = wanted.people(request, MEMBERS)
    assert people.isdisjoint({TESS, *voted})
    assert people.isdisjoint(wanted.silent(request))
    assert all(scale.carries(user) for user in people)
    loud = replace(request, rule=replace(asked_under, silent=()), rule_now=today and replace(today, silent=()))
    everybody = {user for user in _PEOPLE if user not in (TESS, *voted) and scale.carries(user)}
    could = scale.is_reached([*voted, *everybody])
    assert scale.is_reached([*voted, *wanted.people(loud, MEMBERS)]) == could
