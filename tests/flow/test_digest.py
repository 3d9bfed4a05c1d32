"""One direct message a day to each approver, for all that waits for them."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.domain.events import EventKind
from bot.domain.requests import Decision
from bot.exceptions import LeaseLost
from bot.store import agenda, ledger
from bot.store.agenda import LEASE, Entry, Work
from bot.work.digest import TELL
from tests.flow.waiting import BEN, CLEO, DAY, HOURS, Office, by
from tests.unit.store_kit import ANA, TESS, Crash, count, record, scale

READ, POST, OPEN = "usergroups.users.list", "chat.postMessage", "conversations.open"
NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def office(database: str) -> Iterator[Office]:
    office = Office(database)
    office.begin_days()
    yield office
    office.close()


def to_nine(office: Office) -> None:
    """To the next morning, and a few minutes on."""
    office.run((NINE - office.clock.now).total_seconds() % DAY + 600)


def claim_telling(office: Office) -> Entry:
    """Go on until somebody has taken on to tell, and has not begun."""
    office.run((NINE - office.clock.now).total_seconds() - 1)
    while True:
        with office.store.begin() as session:
            entry = agenda.claim(session, "somebody", office.clock.now, [Work.DIGEST])
        if entry is None:
            office.clock.advance(seconds=1)
        elif entry.key.startswith(TELL):
            return entry
        else:
            office.visit(entry)


def test_everybody_is_told_once_a_day_of_all_that_waits_for_them(office: Office) -> None:
    """At nine Ana reads of two requests and Ben of one, with links to their cards; Tess asked for them and reads of none."""
    first, second = office.ask_under(1, by(ANA, BEN, TESS)), office.ask_under(2, by(ANA))
    to_nine(office)
    (ana,), (ben,) = office.dms(office.ana), office.dms(office.ben)
    assert "2 requests wait for your approval" in ana
    assert f"#{first.id} Trusted CA certificate for hq" in ana
    assert f"#{second.id} Trusted CA certificate for hq" in ana
    assert "1 request waits for your approval" in ben
    assert f"#{second.id} " not in ben
    assert all("You have asked for" in text for text in office.dms(office.tess))
    assert (
        f"/archives/C1/p{office.card(first)['ts'].replace('.', '')}|#{first.id} "
        in office.ana.dms()[0]["blocks"][0]["text"]["text"]
    )
    assert office.told_at(office.ana)[0] - NINE < timedelta(minutes=1)
    to_nine(office)
    assert [len(office.dms(person)) for person in (office.ana, office.ben)] == [2, 2]
    assert [event["day"] for event in office.events(EventKind.DIGEST)] == ["2026-03-02", "2026-03-03"]
    assert office.events(EventKind.DIGEST)[0] == {
        "day": "2026-03-02", "users": [ANA, BEN], "requests": [[first.id, second.id], [first.id]],
    }  # fmt: skip


def test_nobody_is_told_of_nothing(office: Office) -> None:
    """On a day on which nothing waits there is no message and no event."""
    to_nine(office)
    assert office.events(EventKind.DIGEST) == []
    assert office.calls()[POST] == 0


def test_only_who_is_wanted_is_told(office: Office) -> None:
    """Neither who is silent, nor who has voted, nor the requester, though a group that may approve has all of them."""
    leads = office.slack.add_group("leads", [office.ana, office.ben, office.cleo, office.tess])
    request = office.ask_under(1, by(leads, CLEO, needed=2, silent=(CLEO,)))
    count(office.store, record(office.store, request, ANA), by=scale(2))
    to_nine(office)
    assert [len(office.dms(person)) for person in (office.ana, office.ben, office.cleo)] == [0, 1, 0]
    assert office.calls()[READ] == 1


def test_who_may_not_take_part_is_not_told(office: Office) -> None:
    """Deactivated people, guests and bots in a group of approvers are left alone, unless they are configured."""
    gus, bot = office.slack.add_person("Gus", guest="multi-channel"), office.slack.add_person("Deploy", bot=True)
    leads = office.slack.add_group("leads", [office.ana, office.ben, gus, bot])
    office.slack.deactivate(office.ben)
    office.ask_under(1, by(leads))
    to_nine(office)
    opened = {call.args["users"] for call in office.slack.log if call.method == OPEN}
    assert opened == {TESS, ANA}
    office.configure(outsiders=(gus.id,))
    to_nine(office)
    assert [len(office.dms(person)) for person in (office.ana, gus)] == [2, 1]


def test_what_is_decided_is_told_no_more(office: Office) -> None:
    """Once it is approved, rejected, withdrawn or expired, nobody hears of it any more."""
    office.approve(office.ask_under(1, by(ANA, BEN)))
    to_nine(office)
    assert office.dms(office.ben) == []


def test_a_request_of_the_time_before_rules(office: Office) -> None:
    """It waits for those whom today's rule names."""
    office.clock.now = NINE.replace(hour=8)
    office.ask(1)
    to_nine(office)
    assert len(office.dms(office.ana)) == 1


def test_many_groups_are_read_once_each_and_slowly(database: str) -> None:
    """With thirty user groups no limit of Slack's is met, at most 12 are read a minute, each once, and everybody is told."""
    office = Office(database, limits=True)
    people = [office.slack.add_person(f"Lead {number}") for number in range(30)]
    groups = [office.slack.add_group(f"leads-{number}", [person]) for number, person in enumerate(people)]
    office.begin_days()
    office.ask_under(1, by(*groups))
    to_nine(office)
    read = [call for call in office.slack.log if call.method == READ]
    assert sorted(call.args["usergroup"] for call in read) == sorted(groups)
    assert office.refusals() == []
    assert all(len(office.dms(person)) == 1 for person in people)
    office.close()


def test_two_hundred_approvers_meet_no_limit(database: str) -> None:
    """Everybody is told within ten minutes, one message each, and Slack has to refuse no call."""
    office = Office(database, limits=True)
    people = [office.slack.add_person(f"Lead {number}") for number in range(200)]
    office.begin_days()
    office.ask_under(1, by(*(person.id for person in people)))
    to_nine(office)
    assert {len(office.dms(person)) for person in people} == {1}
    assert office.refusals() == []
    assert office.calls()["chat.getPermalink"] == 2  # for the requester, and for all approvers
    office.close()


def test_a_group_that_cannot_be_read_holds_up_nobody(office: Office) -> None:
    """After some attempts, those who are known are told without it, and of the group nobody is."""
    leads = office.slack.add_group("leads", [office.ben])
    office.ask_under(1, by(ANA, "S0GONE", leads))
    to_nine(office)
    assert [len(office.dms(person)) for person in (office.ana, office.ben, office.cleo)] == [1, 1, 0]


def test_a_group_that_can_be_read_later_is_waited_for(office: Office) -> None:
    """Slack's hiccup costs some seconds, and nobody is left out."""
    leads = office.slack.add_group("leads", [office.ben])
    office.ask_under(1, by(ANA, leads))
    office.slack.trouble.fail(READ, "internal_error", times=3)
    to_nine(office)
    assert [len(office.dms(person)) for person in (office.ana, office.ben)] == [1, 1]


def test_somebody_who_cannot_be_written_to_holds_up_nobody(office: Office) -> None:
    """Slack does not know the first of them: all others are told at once, and the first is not tried again."""
    office.ask_under(1, by("U0AGONE", ANA, BEN))
    to_nine(office)
    assert [len(office.dms(person)) for person in (office.ana, office.ben)] == [1, 1]
    assert office.told_at(office.ben)[0] - NINE < timedelta(minutes=1)
    opened = [call.args["users"] for call in office.slack.log if call.method == OPEN]
    assert opened.count("U0AGONE") == 1


def test_a_refusal_that_may_pass_is_tried_again(office: Office) -> None:
    """What Slack refuses for another reason than the person is tried again, and the others are told meanwhile."""
    office.ask_under(1, by(ANA, BEN))
    office.slack.trouble.fail(OPEN, "fatal_error", skip=1, times=2)  # the first call is for the requester
    to_nine(office)
    assert [len(office.dms(person)) for person in (office.ana, office.ben)] == [1, 1]


def test_what_nobody_could_be_told_for_half_a_day_is_given_up(office: Office) -> None:
    """Then the next one is near, and nothing of this one is left on the agenda."""
    office.run(60)
    office.ask_under(1, by(ANA))
    office.run(60)
    office.slack.trouble.fail(OPEN, "invalid_auth", times=10_000)
    to_nine(office)
    office.run(13 * HOURS)
    office.slack.trouble.clear()
    office.run((NINE.replace(day=3) - office.clock.now).total_seconds() - 60)
    assert office.dms(office.ana) == []
    to_nine(office)
    assert len(office.dms(office.ana)) == 1


@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
def test_a_lost_answer_makes_no_second_message(office: Office, after_effect: bool) -> None:
    """Whether the message had arrived is looked up before it is sent again, and the others need not wait for that."""
    office.ask_under(1, by(ANA, BEN, CLEO))
    office.run((NINE - office.clock.now).total_seconds() - 1)
    office.slack.trouble.fail(POST, drop=True, after_effect=after_effect)
    to_nine(office)
    assert [len(office.dms(person)) for person in (office.ana, office.ben, office.cleo)] == [1, 1, 1]


@pytest.mark.parametrize("replicas", [2, 3])
def test_replicas_tell_everybody_once(database: str, replicas: int) -> None:
    """However many bots share the work and whenever each of them starts, each day has one event and one message a person."""
    office = Office(database, replicas)
    leads = office.slack.add_group("leads", [office.ana, office.ben])
    office.ask_under(1, by(leads, CLEO))
    for day in range(1, 4):
        for _ in range(replicas):
            office.begin_days()
        to_nine(office)
        assert [len(office.dms(person)) for person in (office.ana, office.ben, office.cleo)] == [day] * 3
    assert len(office.events(EventKind.DIGEST)) == 3
    office.close()


def test_a_bot_that_dies_between_event_and_message_is_replaced(database: str) -> None:
    """The event is committed and nobody is told yet: whoever takes over tells everybody, once."""
    office = Office(database, replicas=2)
    office.begin_days()
    office.ask_under(1, by(ANA, BEN))
    office.run(60)
    claim_telling(office)
    assert len(office.events(EventKind.DIGEST)) == 1
    assert office.dms(office.ana) == []
    office.run(2 * LEASE.total_seconds())
    assert [len(office.dms(person)) for person in (office.ana, office.ben)] == [1, 1]
    assert len(office.events(EventKind.DIGEST)) == 1
    office.close()


def test_a_late_hand_tells_nobody(office: Office) -> None:
    """Whoever slept past the lease finds everybody told, and that it is not theirs any more."""
    office.ask_under(1, by(ANA))
    office.run(60)
    sleeper = claim_telling(office)
    office.run(2 * LEASE.total_seconds())
    with pytest.raises(LeaseLost):
        office.visit(sleeper)
    assert len(office.dms(office.ana)) == 1


def test_a_death_at_any_moment_tells_everybody_once(database: str) -> None:
    """Wherever the process ends, the next one makes one event and one message a person of it."""
    office = Office(database)
    leads = office.slack.add_group("leads", [office.ana])
    office.begin_days()
    office.ask_under(1, replace(by(leads, BEN), open_for=timedelta(days=100)))
    office.run(60)
    for day in range(1, 100):
        office.run((NINE - office.clock.now).total_seconds() % DAY - 1)
        office.clock.crash_in = day + 1
        with suppress(Crash):
            office.run(600)
        died, office.clock.crash_in = office.clock.crash_in < 0, None
        office.run(600)
        assert [len(office.dms(person)) for person in (office.ana, office.ben)] == [day, day]
        assert len(office.events(EventKind.DIGEST)) == day
        if not died:
            break
    assert day > 12, "there are more moments than that"


def test_what_was_decided_meanwhile_is_left_out(office: Office) -> None:
    """Whoever is told late reads what still waits, and who has nothing left hears nothing."""
    first, second = office.ask_under(1, by(ANA, BEN)), office.ask_under(2, by(ANA))
    office.run(60)
    entry = claim_telling(office)
    with office.store.begin() as session:
        ledger.close(session, office.store.now(), office.store.vault, first, Decision.WITHDRAWN, TESS)
    office.visit(entry)
    (ana,) = office.dms(office.ana)
    assert "1 request waits" in ana
    assert f"#{second.id} " in ana
    assert office.dms(office.ben) == []


def test_a_bot_that_was_away_in_the_morning_tells_at_its_start(office: Office) -> None:
    """A missed morning is made up for once, however many were missed, and the same day's hour brings no second message."""
    office.ask_under(1, by(ANA))
    office.run(60)
    office.clock.now = NINE.replace(day=4, hour=8, minute=50)
    office.begin_days()
    to_nine(office)
    assert len(office.dms(office.ana)) == 1
    to_nine(office)
    assert len(office.dms(office.ana)) == 2


def test_another_hour_counts_from_the_next_day_on(office: Office) -> None:
    """The hour is put off on a day on which it was told already: nobody is told twice; then it is told at the new hour."""
    office.ask_under(1, by(ANA))
    to_nine(office)
    office.configure(digest_at=time(14))
    office.run(8 * HOURS)
    assert len(office.dms(office.ana)) == 1
    office.run(DAY)
    assert len(office.dms(office.ana)) == 2
    assert office.told_at(office.ana)[1].hour == 14


def test_the_clocks_are_changed(database: str) -> None:
    """In Berlin it is told at nine by the clock on the wall, in winter and in summer."""
    berlin = ZoneInfo("Europe/Berlin")
    office = Office(database)
    office.clock.now = datetime(2026, 3, 28, 12, 0, tzinfo=berlin).astimezone(UTC)
    office.configure(timezone=berlin)
    office.ask_under(1, by(ANA))
    office.run(3 * DAY)
    told = [at.astimezone(berlin).strftime("%d %H:%M") for at in office.told_at(office.ana)]
    assert told == ["29 09:00", "30 09:00", "31 09:00"]
    office.close()
