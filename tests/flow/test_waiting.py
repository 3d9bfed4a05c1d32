"""What is said of a request that nobody decides, through the front door: reminders, escalation, and its end."""

from sqlalchemy import text

from bot.sandbox.slack import Person
from tests.flow.meddling import meddling
from tests.flow.world import World


def patient(world: World, extra: str = "") -> tuple[World, Person]:
    """One lead and one from security, who is reminded after an hour; Hugo is told after five. Sue is security."""
    sue, hugo = world.slack.add_person("Sue Security"), world.slack.add_person("Hugo Head")
    world.slack.join(world.certs, sue)
    world.slack.join(world.branch_channel, sue)
    world.policy_lines = f"""
[[policy]]
all = [{{ of = ["{world.leads}"] }}, {{ of = ["{sue.id}", "{world.carl.id}"] }}]
silent = ["{world.carl.id}"]
open_for = "12h"
remind_after = "1h"
escalate_after = "5h"
escalate_to = ["{hugo.id}"]
{extra}
"""
    return world.start(), sue


def reminders(world: World, card: dict[str, object]) -> int:
    return world.count_lines(card, "still waits for its approval")


def test_the_thread_is_reminded_until_somebody_decides(quiet: World) -> None:
    """After one hour and after two more the thread says who is still wanted: neither who is silent nor who has voted."""
    world, sue = patient(quiet)
    card = world.ask(world.fill_trusted)
    world.clock.advance(minutes=61)
    lines = world.wait_thread(card, "Reminder")
    assert "Still wanted: 1 of @leads, and 1 of @Sue Security." in lines[-1]
    assert "Carl" not in lines[-1]
    world.approve(card, world.ana)
    world.wait_thread(card, "1 of 2 approvals")
    world.clock.advance(minutes=60)
    world.clock.advance(minutes=61)
    lines = world.wait_thread(card, "Reminder 2")
    assert "Still wanted: 1 of @Sue Security." in lines[-1]
    world.approve(card, sue)
    world.wait_thread(card, "now lists")
    world.clock.advance(hours=9)
    assert reminders(world, card) == 2
    with meddling(world.database_url) as database:
        assert database.scalar(text("SELECT count(*) FROM agenda WHERE kind IN ('remind', 'escalate')")) == 0
    world.verify_chain()


def test_others_are_told_and_an_expiry_is_told_to_everybody(quiet: World) -> None:
    """Hugo hears after five hours what waits; twelve hours after it was asked for, everybody hears that it has expired."""
    world, _ = patient(quiet)
    card = world.ask(world.fill_trusted)
    world.approve(card, world.ana)
    world.wait_thread(card, "1 of 2 approvals")
    world.clock.advance(hours=5, minutes=1)
    lines = world.wait_thread(card, "nobody has decided this yet")
    (escalated,) = [line for line in lines if "nobody has decided" in line]
    assert (
        "@Hugo Head, nobody has decided this yet: #1 Trusted CA certificate for hq, asked for by @Tess Technician, since"
        in (escalated.replace("*", ""))
    )
    assert "Still wanted: 1 of @Sue Security." in escalated
    world.clock.advance(hours=7)
    lines = world.wait_thread(card, "expired")
    assert "It lacked 1 of @Sue Security." in lines[-1]
    assert "@Ana Lead, @Sue Security, @Hugo Head: nothing is left to be done about it." in lines[-1]
    assert "@Tess Technician, if it is still needed, please ask again" in lines[-1]
    shown = world.wait_card(card, "expired").replace("*", "")
    assert "It had 1 of 2 approvals, from @Ana Lead." in shown
    assert "It lacked 1 of @Sue Security (`policy[0]`)" in shown
    assert world.count_lines(card, "nobody has decided") == 1
    world.verify_chain()


def test_a_requester_who_is_not_in_the_channel_hears_of_the_expiry(quiet: World) -> None:
    """The direct message says what it lacked."""
    world, _ = patient(quiet)
    world.ask(world.fill_trusted, world.carl, pbx="branch")
    world.clock.advance(hours=13)
    told = world.wait_told(world.carl, "expired").replace("*", "")
    assert "It lacked 1 of @leads, and 1 of @Sue Security (`policy[0]`)" in told


def test_reminders_survive_a_restart(quiet: World) -> None:
    """A bot that was away reminds once when it is back, and goes on from there."""
    world, _ = patient(quiet)
    card = world.ask(world.fill_trusted)
    world.stop()
    world.clock.advance(hours=4)
    world.start()
    world.wait_thread(card, "Reminder")
    world.restart()
    assert reminders(world, card) == 1
    world.clock.advance(minutes=121)
    world.wait_thread(card, "Reminder 2")
    assert reminders(world, card) == 2


def test_the_message_of_the_day(quiet: World) -> None:
    """Each approver reads of what waits for them, with a link to the card; the requester, and who is silent, do not."""
    quiet.slack_lines = f'digest_at = "{quiet.clock():%H:%M}"'
    world, sue = patient(quiet, 'pbx = ["hq"]')
    world.policy_lines = world.policy_lines.replace('open_for = "12h"', 'open_for = "3d"')
    world.restart()
    card = world.ask(world.fill_trusted)
    world.approve(card, world.ana)
    world.wait_thread(card, "1 of 2 approvals")
    world.skip_until(lambda: bool(sue.dms()), hours=6)
    told = world.wait_told(sue, "1 request waits for your approval")
    assert "#1 Trusted CA certificate for hq" in told
    assert "asked for by @Tess Technician" in told
    for person in (world.ana, world.ben, world.carl, world.tess):
        assert not any("waits for your approval" in text for text in world.told(person)), person.name
    world.verify_chain()
