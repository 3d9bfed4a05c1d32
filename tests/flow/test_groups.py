"""Slack user groups as approvers: read when needed, shared by those who wait, never old, never guessed."""

import threading

import pytest

from bot.sandbox.slack import Person
from tests.flow.world import World

READ = "usergroups.users.list"
#: At its start the bot looks whether the group has somebody who could approve.
AT_THE_START = 1


@pytest.fixture
def grouped(quiet: World) -> World:
    """The leads' group may decide; nobody is named."""
    quiet.approvers = (quiet.leads,)
    return quiet


def test_a_member_of_the_group_may_approve(grouped: World) -> None:
    """A click by a member of the approving group counts, and the card mentions the group."""
    world = grouped.start()
    card = world.ask(world.fill_trusted)
    assert "Still wanted: 1 of @leads" in world.card(card).replace("*", "")
    world.approve(card, world.ben)
    world.wait_thread(card, "now lists")
    assert world.slack_calls(READ) == AT_THE_START + 1


def test_who_is_not_in_the_group_is_refused(grouped: World) -> None:
    """Somebody outside of the group is told that the group may, and nothing is done."""
    world = grouped.start()
    card = world.ask(world.fill_trusted)
    world.carl.click(card, "approve")
    assert "@leads may" in world.wait_told(world.carl, "You may not decide requests for hq")
    assert world.hq.count("certificate/upload") == 0


def test_one_call_serves_all_who_wait(grouped: World) -> None:
    """Ten people click while Slack is slow: all are acknowledged in time, and the group is read once for all of them."""
    grouped.pbx_lines = "approvals = 2"
    people = [grouped.slack.add_person(f"Lead {number}") for number in range(8)]
    grouped.slack.set_group(grouped.leads, [*people, grouped.ana, grouped.ben])
    world = grouped.start()
    card = world.ask(world.fill_trusted)
    world.clock.advance(seconds=31)  # the check has read the group
    before = world.slack_calls(READ)
    world.slack.trouble.delay(READ, 1.0)
    clickers: list[Person] = [*people, world.ana, world.ben]
    threads = [threading.Thread(target=world.approve, args=(card, person)) for person in clickers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = world.wait_thread(card, "now lists")
    assert sum("approved it" in line for line in lines) == 2
    for person in clickers:
        if not any(f"@{person.name} approved it" in line for line in lines):
            world.wait_told(person, "approved this")
    assert world.slack_calls(READ) == before + 1
    clicks = [each.ack_ms or 9e9 for each in world.slack.deliveries if each.kind == "block_actions"]
    assert max(clicks[-10:]) < 3000


def test_a_membership_older_than_thirty_seconds_is_read_again(grouped: World) -> None:
    """What was read 31 s ago does not serve another decision; what was read 20 s ago does."""
    grouped.pbx_lines = "approvals = 2"
    world = grouped.start()
    card = world.ask(world.fill_trusted)
    world.carl.click(card, "approve")
    world.wait_told(world.carl, "You may not")
    world.clock.advance(seconds=20)
    world.approve(card, world.ana)
    world.wait_card(card, "1 of 2")
    assert world.slack_calls(READ) == AT_THE_START + 1
    world.clock.advance(seconds=11)
    world.approve(card, world.ben)
    world.wait_thread(card, "now lists")
    assert world.slack_calls(READ) == AT_THE_START + 2


def test_who_left_the_group_cannot_approve_any_more(grouped: World) -> None:
    """A lead who was removed from the group is refused at once, although the membership was read a moment ago."""
    grouped.pbx_lines = "approvals = 2"
    world = grouped.start()
    card = world.ask(world.fill_trusted)
    world.approve(card, world.ana)
    world.wait_card(card, "1 of 2")
    world.slack.set_group(world.leads, [world.ana])
    world.slack.wait_for(lambda: any(d.kind == "subteam_members_changed" and d.settled for d in world.slack.deliveries))
    world.ben.click(card, "approve")
    world.wait_told(world.ben, "You may not decide requests for hq")
    assert world.hq.count("certificate/upload") == 0


def test_who_left_the_group_unheard_cannot_approve_after_thirty_seconds(grouped: World) -> None:
    """Even if Slack's word of the change is lost with the connection, no membership older than 30 s is believed."""
    grouped.pbx_lines = "approvals = 2"
    world = grouped.start()
    card = world.ask(world.fill_trusted)
    world.approve(card, world.ana)
    world.wait_card(card, "1 of 2")
    world.slack.event_retry_delays = ()
    world.stop()
    world.slack.set_group(world.leads, [world.ana, world.carl])
    world.start()
    world.clock.advance(seconds=31)
    world.ben.click(card, "approve")
    world.wait_told(world.ben, "You may not decide requests for hq")
    assert world.hq.count("certificate/upload") == 0


@pytest.mark.parametrize(
    "trouble",
    [
        {"error": "plan_upgrade_required"},
        {"error": "ratelimited", "status": 429, "retry_after": 1},
        {"status": 503},
        {"drop": True},
    ],
    ids=["plan", "rate", "5xx", "dropped"],
)
def test_nothing_is_approved_while_slack_cannot_be_asked(grouped: World, trouble: dict[str, object]) -> None:
    """If Slack refuses to name the group's members, the click does not count and its person is told; later it does."""
    world = grouped.start()
    card = world.ask(world.fill_trusted)
    world.clock.advance(seconds=31)  # the check has read the group
    world.slack.trouble.fail(READ, times=1, **trouble)  # type: ignore[arg-type]
    world.ana.click(card, "approve")
    world.wait_told(world.ana, "Slack could not be asked who may decide requests for hq, so nothing was decided.")
    assert "pending" in world.card(card)
    assert world.hq.count("certificate/upload") == 0
    while not world.thread(card):
        before = len(world.told(world.ana))
        world.ana.click(card, "approve")
        world.slack.wait_for(lambda: world.thread(card) or len(world.told(world.ana)) > before)  # noqa: B023 - waited for here
    world.wait_thread(card, "now lists")
    world.verify_chain()
