"""User groups: fresh, read once for all who wait, and never from an old answer."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.profile import Profile
from bot.slack.budget import Budget
from bot.slack.gateway import Gateway
from bot.slack.people import People
from tests.unit.slack_api import TOKEN, Reply, SlackApi, ok, refusal

METHOD = "usergroups.users.list"


@dataclass
class Clock:
    moment: datetime = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def passes(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@pytest.fixture
def api() -> Iterator[SlackApi]:
    with SlackApi() as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def people(api: SlackApi, clock: Clock) -> People:
    return People(Gateway(TOKEN, api.url, now=clock, budget=Budget({})), clock)


def test_members_are_read_from_slack(api: SlackApi, people: People) -> None:
    """Each group is asked for by its id, once even if it is named twice."""
    api.answer(METHOD, ok(users=["U1", "U2"]))
    assert people.members(["S1", "S1"]) == {"S1": frozenset({"U1", "U2"})}
    assert [sent.args["usergroup"] for sent in api.sent] == ["S1"]
    assert people.trouble("S1") is None


def test_an_answer_counts_for_thirty_seconds(api: SlackApi, clock: Clock, people: People) -> None:
    """Up to thirty seconds the answer is used again; a moment later Slack is asked anew."""
    api.answer(METHOD, ok(users=["U1"]), ok(users=["U2"]))
    people.members(["S1"])
    clock.passes(30)
    assert people.members(["S1"]) == {"S1": frozenset({"U1"})}
    clock.passes(0.001)
    assert people.members(["S1"]) == {"S1": frozenset({"U2"})}


def test_a_caller_may_want_it_fresher(api: SlackApi, clock: Clock, people: People) -> None:
    """The greatest age is the caller's to say."""
    api.answer(METHOD, ok(users=["U1"]), ok(users=["U2"]))
    people.members(["S1"])
    clock.passes(5)
    assert people.members(["S1"], timedelta(seconds=2)) == {"S1": frozenset({"U2"})}


def test_a_clock_that_goes_back_makes_nothing_younger(api: SlackApi, clock: Clock, people: People) -> None:
    """An answer from the future is not fresh."""
    api.answer(METHOD, ok(users=["U1"]), ok(users=["U2"]))
    people.members(["S1"])
    clock.passes(-10)
    assert people.members(["S1"]) == {"S1": frozenset({"U2"})}


def test_its_age_begins_before_slack_was_asked(api: SlackApi, clock: Clock, people: People) -> None:
    """An answer that took longer than it may be old does not count, since it may tell of the time of the question."""
    release = threading.Event()
    api.answer(METHOD, Reply(ok(users=["U1"]).body, until=release))
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(people.members, ["S1"])
        api.wait_for(lambda: len(api.sent) == 1)
        clock.passes(31)
        release.set()
        assert asked.result(10) == {}
    assert people.trouble("S1") == "too_slow"


def test_an_answer_ages_while_the_next_group_is_read(api: SlackApi, clock: Clock, people: People) -> None:
    """What was fresh when it was read is left out if another group took too long after it."""
    release = threading.Event()
    api.answer(METHOD, ok(users=["U1"]), Reply(ok(users=["U2"]).body, until=release))
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(people.members, ["S1", "S2"])
        api.wait_for(lambda: len(api.sent) == 2)
        clock.passes(31)
        release.set()
        assert asked.result(10) == {}
    assert people.trouble("S1") == "too_slow"


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (refusal("plan_upgrade_required"), "plan_upgrade_required"),
        (refusal("missing_scope", needed="usergroups:read"), "missing_scope"),
        (refusal("no_such_subteam"), "no_such_subteam"),
        (refusal("ratelimited", 429), "ratelimited"),
        (Reply(reset=True), "slack_no_answer"),
    ],
)
def test_a_group_that_cannot_be_read_is_left_out(api: SlackApi, people: People, reply: Reply, code: str) -> None:
    """The result lacks the group, and the trouble has the code for it."""
    api.answer(METHOD, reply)
    assert people.members(["S1"]) == {}
    assert people.trouble("S1") == code


def test_one_bad_group_does_not_hide_another(api: SlackApi, people: People) -> None:
    """Each group stands for itself."""
    api.answer(METHOD, refusal("no_such_subteam"), ok(users=["U1"]))
    assert people.members(["S1", "S2"]) == {"S2": frozenset({"U1"})}


def test_a_failed_refresh_does_not_fall_back_on_what_was_known(api: SlackApi, clock: Clock, people: People) -> None:
    """When the old answer is too old and there is no new one, nobody is a member; the next answer ends the trouble."""
    api.answer(METHOD, ok(users=["U1"]), refusal("ratelimited"), ok(users=["U1"]))
    people.members(["S1"])
    clock.passes(31)
    assert people.members(["S1"]) == {}
    assert people.trouble("S1") == "ratelimited"
    assert people.members(["S1"]) == {"S1": frozenset({"U1"})}
    assert people.trouble("S1") is None


def test_one_call_serves_all_who_wait(api: SlackApi, people: People) -> None:
    """Fifty clicks at once cost one call."""
    release = threading.Event()
    api.answer(METHOD, Reply(ok(users=["U1"]).body, until=release))
    with ThreadPoolExecutor(50) as pool:
        start = threading.Barrier(50, action=release.set)

        def click() -> dict[str, frozenset[str]]:
            start.wait(30)
            return people.members(["S1"])

        answers = [asked.result(30) for asked in [pool.submit(click) for _ in range(50)]]
    assert answers == [{"S1": frozenset({"U1"})}] * 50
    assert len(api.calls(METHOD)) == 1


def test_a_failure_serves_all_who_wait_too(api: SlackApi, people: People) -> None:
    """Those who joined a call that fails are told so, without one call each."""
    release = threading.Event()
    api.answer(METHOD, Reply(refusal("ratelimited").body, until=release))
    with ThreadPoolExecutor(20) as pool:
        asked = [pool.submit(people.members, ["S1"]) for _ in range(20)]
        api.wait_for(lambda: len(api.sent) == 1)
        release.set()
        assert [each.result(30) for each in asked] == [{}] * 20
    assert 1 <= len(api.calls(METHOD)) < 20


def test_a_changed_group_is_read_again(api: SlackApi, people: People) -> None:
    """After subteam_members_changed, what was read before no longer counts."""
    api.answer(METHOD, ok(users=["U1"]), ok(users=["U2"]))
    people.members(["S1"])
    people.forget("S1")
    assert people.members(["S1"]) == {"S1": frozenset({"U2"})}


def test_a_change_during_the_call_voids_its_answer(api: SlackApi, people: People) -> None:
    """An answer that was under way when the group changed may be from before, so it is asked for again."""
    release = threading.Event()
    api.answer(METHOD, Reply(ok(users=["U1"]).body, until=release), ok(users=["U2"]))
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(people.members, ["S1"])
        api.wait_for(lambda: len(api.sent) == 1)
        people.forget("S1")
        release.set()
        assert asked.result(10) == {"S1": frozenset({"U2"})}


def test_a_group_nobody_asked_for_has_no_trouble_and_can_be_forgotten(people: People) -> None:
    """Events come for groups that the bot never read."""
    people.forget("S9")
    assert people.trouble("S9") is None


class Broken:
    """A gateway with a mistake in it."""

    def group_members(self, group: str) -> frozenset[str]:
        raise RuntimeError(group)

    def profile(self, user: str) -> Profile:
        raise RuntimeError(user)


def test_a_mistake_of_ours_is_raised_and_wakes_those_who_wait(clock: Clock) -> None:
    """An error that is not Slack's is not hidden, and the group can be asked for again."""
    people = People(Broken(), clock)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            people.members(["S1"])
    assert people.trouble("S1") == "interrupted"


def profile_of(**user: object) -> Reply:
    return ok(user={"id": "U1", "team_id": "T1", **user})


@pytest.fixture
def home(api: SlackApi) -> SlackApi:
    """Slack, where the bot is of the workspace T1."""
    api.answer("auth.test", ok(user_id="UBOT", bot_id="B1", team_id="T1"))
    return api


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, Profile("U1", "T1")),
        ({"is_restricted": True}, Profile("U1", "T1", is_guest=True)),
        ({"is_ultra_restricted": True}, Profile("U1", "T1", is_guest=True)),
        ({"is_bot": True}, Profile("U1", "T1", is_bot=True)),
        ({"deleted": True}, Profile("U1", "T1", is_deactivated=True)),
        ({"team_id": "T2"}, Profile("U1", "T2", is_ours=False)),
        ({"is_stranger": True}, Profile("U1", "T1", is_ours=False)),
        ({"team_id": "E1", "enterprise_user": {"teams": ["T1", "T3"]}}, Profile("U1", "E1")),
        ({"team_id": "E1", "enterprise_user": {"teams": ["T3"]}}, Profile("U1", "E1", is_ours=False)),
    ],
)
def test_what_somebody_is(home: SlackApi, people: People, said: dict[str, object], expected: Profile) -> None:
    """The flags of users.info, and whether their workspace is the bot's own; what is missing is not so."""
    home.answer("users.info", profile_of(**said))
    assert people.profile("U1") == expected


def test_slackbot_is_a_bot(home: SlackApi, people: People) -> None:
    """Slack's own bot does not say of itself that it is one."""
    home.answer("users.info", profile_of(id="USLACKBOT"))
    profile = people.profile("USLACKBOT")
    assert profile is not None
    assert profile.is_bot


def test_a_profile_counts_for_thirty_seconds(home: SlackApi, clock: Clock, people: People) -> None:
    """Within that time nobody is asked for twice; afterwards what they are now counts."""
    home.answer("users.info", profile_of(), profile_of(deleted=True))
    people.profile("U1")
    clock.passes(30)
    assert people.profile("U1") == Profile("U1", "T1")
    clock.passes(1)
    assert people.profile("U1") == Profile("U1", "T1", is_deactivated=True)


def test_somebody_slack_does_not_tell_of_is_unknown(home: SlackApi, people: People) -> None:
    """Without an answer there is no profile, and the trouble has the code for it."""
    home.answer("users.info", refusal("user_not_found"))
    assert people.profile("U1") is None
    assert people.profile_trouble("U1") == "user_not_found"
