"""Rules through the front door: several groups, comments, approvals that lapse, and the answer to why."""

from bot.sandbox.slack import Person
from tests.flow.world import World


def two_groups(world: World, extra: str = "") -> tuple[World, Person]:
    """One lead and one from security; Sue is security."""
    sue = world.slack.add_person("Sue Security")
    world.slack.join(world.certs, sue)
    security = world.slack.add_group("security", [sue])
    world.policy_lines = f"""
[[policy]]
name = "both"
all = [{{ of = ["{world.leads}"] }}, {{ of = ["{security}"] }}]
{extra}
"""
    return world.start(), sue


def test_one_of_each_group_is_needed(quiet: World) -> None:
    """Two leads are not one lead and one from security: the second lead's approval counts, and security is still wanted."""
    world, sue = two_groups(quiet)
    card = world.ask(world.fill_trusted)
    assert 'Still wanted: 1 of @leads, and 1 of @security (`policy[0] "both"`)' in world.card(card).replace("*", "")
    world.approve(card, world.ana)
    world.wait_thread(card, "@Ana Lead approved it: 1 of 2 approvals.")
    world.approve(card, world.ben)
    world.wait_thread(card, "@Ben Lead approved it: 1 of 2 approvals.")
    assert "Still wanted: 1 of @security" in world.wait_card(card, "from @Ana Lead, @Ben Lead").replace("*", "")
    assert world.hq.count("certificate/upload") == 0
    world.approve(card, sue)
    world.wait_thread(card, "now lists")
    world.verify_chain()


def test_who_left_the_group_meanwhile_counts_no_longer(quiet: World) -> None:
    """An approval lapses when its person is no lead any more by the time of the last one, and the thread says so."""
    world, sue = two_groups(quiet)
    card = world.ask(world.fill_trusted)
    world.approve(card, world.ana)
    world.wait_thread(card, "1 of 2 approvals")
    world.slack.set_group(world.leads, [world.ben])
    world.approve(card, sue)
    world.wait_thread(card, "@Ana Lead's approval counts no longer")
    world.wait_thread(card, "@Sue Security approved it: 1 of 2 approvals.")
    assert world.hq.count("certificate/upload") == 0
    world.approve(card, world.ben)
    world.wait_thread(card, "now lists")
    world.verify_chain()


def test_nothing_is_approved_while_an_earlier_voters_group_is_unknown(quiet: World) -> None:
    """If Slack does not say whether the first one still is a lead, the last approval is not taken, and its person is told."""
    world, sue = two_groups(quiet)
    card = world.ask(world.fill_trusted)
    world.approve(card, world.ana)
    world.wait_thread(card, "1 of 2 approvals")
    world.clock.advance(seconds=60)
    world.slack.trouble.fail("usergroups.users.list", "internal_error", times=4)
    world.approve(card, sue)
    world.wait_told(sue, "Slack could not be asked")
    assert world.hq.count("certificate/upload") == 0
    assert "pending" in world.card(card)


def two_of_three(world: World) -> World:
    """Two approvals of Ana, Ben and Carl, who are named."""
    world.approvers = (world.ana.id, world.ben.id, world.carl.id)
    world.pbx_lines = "approvals = 2"
    return world.start()


def test_whose_account_was_deactivated_meanwhile_counts_no_longer(quiet: World) -> None:
    """An approval lapses when its person has left the company by the time of the last one, and the thread says so."""
    world = two_of_three(quiet)
    card = world.ask(world.fill_trusted)
    world.approve(card, world.ana)
    world.wait_thread(card, "1 of 2 approvals")
    world.slack.deactivate(world.ana)
    world.clock.advance(seconds=60)
    world.approve(card, world.ben)
    world.wait_thread(card, "@Ana Lead's approval counts no longer: their Slack account is deactivated (`slack.outsiders`).")
    world.wait_thread(card, "@Ben Lead approved it: 1 of 2 approvals.")
    assert world.hq.count("certificate/upload") == 0
    world.approve(card, world.carl)
    world.wait_thread(card, "now lists")
    world.verify_chain()


def test_nothing_is_approved_while_an_earlier_voters_account_is_unknown(quiet: World) -> None:
    """If Slack does not say what the first one is by now, the last approval is not taken, and its person is told."""
    world = two_of_three(quiet)
    card = world.ask(world.fill_trusted)
    world.approve(card, world.ana)
    world.wait_thread(card, "1 of 2 approvals")
    world.clock.advance(seconds=60)
    world.ben.command("/pbx-cert", "help", world.certs)  # so that the bot knows who Ben is
    world.wait_told(world.ben, "/pbx-cert list")
    world.slack.trouble.fail("users.info", status=503)
    world.ben.click(card, "approve")
    world.wait_told(world.ben, "Slack could not be asked whether those who approved this before you still may")
    assert world.hq.count("certificate/upload") == 0
    world.approve(card, world.ben)
    world.wait_thread(card, "now lists")


def test_a_comment_is_asked_for(quiet: World) -> None:
    """Where the rule asks for a comment, Approve opens a form for it, and the thread tells what was written."""
    world, sue = two_groups(quiet, "comment = true")
    card = world.ask(world.fill_trusted)
    for person, comment in ((world.ana, "As agreed on Monday"), (sue, "The root is on our list")):
        person.click(card, "approve")
        form = person.wait_modal(callback_id="approve")
        form.type("reason", comment)
        assert form.submit().outcome == "acked"
        world.wait_thread(card, comment)
    world.wait_thread(card, "now lists")


def test_why(quiet: World) -> None:
    """Why? and the command say the rule, what is missing, who could approve, and why the person who asks may or may not."""
    world, sue = two_groups(quiet, f'silent = ["{quiet.leads}"]')
    card = world.ask(world.fill_trusted)
    assert "Still wanted: 1 of those who are not pinged, and 1 of @security" in world.card(card).replace("*", "")
    assert "@leads" not in world.card(card)
    sue.click(card, "why")
    told = world.wait_told(sue, 'policy[0] "both"').replace("*", "")
    assert "Could approve: @leads, @security" in told
    assert "Still wanted: 1 of @leads, and 1 of @security" in told
    assert 'You: You are in a group that may decide requests for hq. (`policy[0] "both"`) [member]' in told
    assert "It expires" in told
    world.tess.command("/pbx-cert", "why 1", world.certs)
    assert "You asked for this yourself" in world.wait_told(world.tess, "[own_request]")
    world.carl.command("/pbx-cert", "why 7", world.certs)
    world.wait_told(world.carl, "There is no request #7.")


def test_nobody_is_left(quiet: World) -> None:
    """Who asks for what only they themselves could approve is told so next to the PBX."""
    quiet.policy_lines = f'[[policy]]\nall = [{{ of = ["{quiet.ana.id}"] }}]\n'
    world = quiet.start()
    form = world.check(world.fill_trusted(world.open_form(world.ana)))
    assert any("Besides you there are not enough people who could approve this" in text for text in form.texts())
    assert world.cards() == []
