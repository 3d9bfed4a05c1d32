"""The home tab: what somebody sees there, and what they can do about it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event

from bot.house import Waits
from tests.flow.homes import ask, hold, links, opened, part, settled, text, wait_part
from tests.flow.world import World

READ = "usergroups.users.list"


def test_opening_is_acknowledged_before_anybody_is_asked(world: World) -> None:
    """The event is acknowledged at once and the tab painted from what we know, however slow Slack and the PBXs are; it is
    painted again when they have answered."""
    world.hq.add_certificate("trusted", "old-root.crt", expires=world.clock() + timedelta(days=12, hours=1))
    ask(world, world.fill_trusted)
    world.hq.trouble.slow("*", 1.5)
    world.slack.trouble.delay("chat.getPermalink", 0.7)
    delivery = world.ana.open_home()
    assert delivery is not None
    assert (delivery.ack_ms or 9e9) < 700
    world.slack.wait_for(lambda: world.ana.home is not None)
    assert world.ana.home is not None
    assert "#1 Trusted CA certificate for hq" in part(world.ana.home, "Waiting for me")
    assert "Being asked: `hq`" in part(world.ana.home, "Certificates by expiry")
    assert "expires in 12 days" in wait_part(world, world.ana, "Certificates by expiry", "old-root.crt")
    wait_part(world, world.ana, "Waiting for me", "[Decide on its card]")


def test_each_person_sees_what_is_theirs(world: World) -> None:
    """An open request waits for its approvers and for nobody else; its requester finds it among their own, with Withdraw."""
    ask(world, world.fill_trusted)
    for lead in (world.ana, world.ben):
        home = settled(world, lead)
        assert "Asked for by @Tess Technician" in part(home, "Waiting for me")
        assert "Withdraw" not in text(home)
        assert "not asked for anything" in part(home, "My requests")
    assert "Nothing waits for your approval." in part(settled(world, world.carl), "Waiting for me")
    home = settled(world, world.tess)
    assert "Nothing waits for your approval." in part(home, "Waiting for me")
    assert "*pending*: 0 of 1 approvals" in part(home, "My requests")
    assert "[Open its card] [Edit] [Withdraw]" in part(home, "My requests")


def test_ones_own_request_never_waits_for_oneself(world: World) -> None:
    """An approver who asks finds it among their own requests, and it waits for the other approvers alone."""
    ask(world, world.fill_trusted, world.ana)
    assert "Nothing waits" in part(settled(world, world.ana), "Waiting for me")
    assert "#1" in part(settled(world, world.ben), "Waiting for me")


def test_what_one_has_voted_on_waits_no_more(quiet: World) -> None:
    """After Ana's vote a request that needs two waits for Ben alone."""
    quiet.pbx_lines = "approvals = 2"
    world = quiet.start()
    card = ask(world, world.fill_trusted)
    world.approve(card, world.ana)
    world.wait_card(card, "1 of 2")
    assert "Nothing waits" in part(settled(world, world.ana), "Waiting for me")
    assert "1 of 2 approvals" in part(settled(world, world.ben), "Waiting for me")


def test_nothing_is_approved_blindly(world: World) -> None:
    """What waits has no Approve in the tab but the way to its card, where the evidence is; pressing it changes nothing."""
    card = ask(world, world.fill_trusted)
    home = settled(world, world.ana)
    (link,) = links(home)
    assert link.endswith(f"/archives/{card['channel']}/p{card['ts'].replace('.', '')}")
    assert home.click("Decide on its card").outcome == "acked"
    assert "Approve" not in text(home)
    assert "0 of 1 approvals" in world.card(card)


def test_a_group_decides_whom_it_waits_for(quiet: World) -> None:
    """Where a user group approves, its members find the request waiting; what Slack does not say is said to be unsure."""
    quiet.approvers, quiet.waits = (quiet.leads,), Waits(rates={})  # how often a group may be read is not what this is about
    world = quiet.start()
    ask(world, world.fill_trusted)
    world.clock.advance(minutes=6)  # the check has read the group
    world.slack.trouble.fail(READ, "plan_upgrade_required", times=100)
    home = settled(world, world.ana)
    assert "[membership_unknown]" in text(home)
    assert "Nothing waits" in part(home, "Waiting for me")
    world.slack.trouble.clear()
    home = settled(world, world.ana)
    assert "membership_unknown" not in text(home)
    assert "#1" in part(home, "Waiting for me")
    assert "Nothing waits" in part(settled(world, world.carl), "Waiting for me")


def test_withdrawing_from_the_tab(world: World) -> None:
    """Withdraw ends the request, the card says so, and the tab shows it among those that have ended."""
    card = ask(world, world.fill_trusted)
    home = settled(world, world.tess)
    assert home.click("Withdraw").outcome == "acked"
    assert "*withdrawn*" in wait_part(world, world.tess, "My requests", "withdrawn")
    assert "Withdraw]" not in text(home)
    world.wait_card(card, "withdrawn")
    world.verify_chain()


def test_too_late_is_told_by_direct_message(world: World) -> None:
    """A click in the tab has no response_url, so who withdraws what was just decided hears so by direct message."""
    card = ask(world, world.fill_trusted)
    home = settled(world, world.tess)
    world.approve(card)
    world.wait_thread(card, "now lists")
    home.click("Withdraw")
    world.wait_told(world.tess, "#1 is not open any more")
    assert "*approved, done*" in wait_part(world, world.tess, "My requests", "approved, done")


def test_what_is_under_way_is_running_until_it_has_ended(world: World) -> None:
    """From its approval to its end a request is running, for everybody to see; then it is the requester's alone."""
    card = ask(world, world.fill_trusted)
    hold(world, card)
    assert "#1 Trusted CA certificate for hq" in part(settled(world, world.carl), "Running")
    assert "*approved, " in part(settled(world, world.tess), "My requests")
    world.hq.trouble.clear()
    world.skip_until(lambda: world.count_lines(card, "now lists") == 1, minutes=2)
    assert "Nothing is approved and not done." in part(settled(world, world.carl), "Running")
    assert "Listed on `hq` as id 1" in part(settled(world, world.tess), "My requests")


def test_long_lists_have_pages(world: World) -> None:
    """More leads to the rest of a section, the other sections stay where they are, and Back leads to its beginning; opening
    the tab anew begins at the beginning."""
    for _ in range(9):
        ask(world, world.fill_trusted)
    home = settled(world, world.ana)
    first = part(home, "Waiting for me")
    assert "#1 Trusted" in first
    assert "#8 Trusted" in first
    assert "#9 Trusted" not in first
    home.click("home_more")
    second = wait_part(world, world.ana, "Waiting for me", "#9 Trusted")
    assert "#8 Trusted" not in second
    assert "[Back to the first]" in second
    home.click("home_first")
    wait_part(world, world.ana, "Waiting for me", "#8 Trusted")
    mine = settled(world, world.tess)
    assert "#9 Trusted" in part(mine, "My requests")
    assert "#1 Trusted" not in part(mine, "My requests")
    mine.click("home_more")
    wait_part(world, world.tess, "My requests", "#1 Trusted")
    mine.click("Withdraw")
    wait_part(world, world.tess, "My requests", "withdrawn")
    assert "#9 Trusted" not in part(mine, "My requests")
    assert "#9 Trusted" in part(settled(world, world.tess), "My requests")


def test_only_readers_see_what_others_ask_for(quiet: World) -> None:
    """Where a rule names who may read, nobody else finds the request in their tab; its approvers and readers do."""
    rule = f'[[policy]]\npbx = ["hq"]\nread = ["{quiet.ben.id}"]\nall = [{{ of = ["{quiet.ana.id}"] }}]\n'
    world = quiet.start_with(appended(quiet, rule))
    hold(world, ask(world, world.fill_trusted))
    for person, sees in ((world.ana, True), (world.ben, True), (world.tess, True), (world.carl, False)):
        assert ("#1" in part(settled(world, person), "Running")) is sees, person


def appended(world: World, lines: str) -> Path:
    path = world.write_config()
    path.write_text(f"{path.read_text()}\n{lines}")
    return path


def test_a_database_that_is_gone_is_said(world: World) -> None:
    """Who opens the tab while the bot's database cannot be read is told so there, with the cause, and may try again."""
    opened(world, world.carl)
    assert world.bot is not None
    broken(world)
    home = opened(world, world.carl)
    world.slack.wait_for(lambda: "could not be read" in text(home))
    assert "[Refresh]" in text(home)


def broken(world: World) -> None:
    """Whoever asks the database for requests from now on meets the driver's own error."""
    assert world.bot is not None

    def fail(cursor: Any, statement: str, _given: Any, _context: Any) -> None:
        if "FROM requests" in statement:
            cursor.execute("SELECT * FROM a_table_that_is_gone")

    event.listen(world.bot.store.engine, "do_execute", fail)


def test_the_messages_tab_is_nothing_to_paint_for(world: World) -> None:
    """Opening the app's messages publishes nothing."""
    delivery = world.tess.open_home("messages")
    assert delivery is not None
    assert delivery.outcome == "acked"
    settled(world, world.ana)
    assert world.tess.home is None
