"""Who may ask, and what becomes of an open request when the configuration changes under it."""

from tests.flow.world import World


def test_only_named_requesters_may_ask(quiet: World) -> None:
    """Where users are named as requesters, somebody else is told so next to the PBX, and what they typed stays."""
    quiet.pbx_lines = f'requesters = ["{quiet.tess.id}"]'
    world = quiet.start()
    form = world.fill_trusted(world.open_form(world.carl))
    form.submit()
    assert any("You may not ask for a certificate on hq" in said for said in form.errors.values())
    assert not any("<" in said for said in form.errors.values()), "there Slack shows a mention as it is written"
    assert form.value("reason") == "The new provider's phones"
    assert world.cards() == []
    form.close()
    world.ask(world.fill_trusted, world.tess)
    world.ask(world.fill_trusted, world.carl, pbx="branch")


def test_only_members_of_the_requesters_group_may_ask(quiet: World) -> None:
    """Where a group is named, the check reads it: an outsider gets the form again with the reason, a member goes on."""
    techs = quiet.slack.add_group("techs", [quiet.tess])
    quiet.pbx_lines = f'requesters = ["{techs}"]'
    world = quiet.start()
    form = world.check(world.fill_trusted(world.open_form(world.carl)))
    assert form.view["callback_id"] == "form"
    said = "You may not ask for a certificate on hq; only the people whom its configuration names may."
    assert any(said in text for text in form.texts())
    assert world.cards() == []
    world.ask(world.fill_trusted, world.tess)


def test_nobody_may_ask_while_the_requesters_group_is_unknown(quiet: World) -> None:
    """If Slack does not tell the group's members, the requester is told to try again, and nothing is asked for."""
    techs = quiet.slack.add_group("techs", [quiet.tess])
    quiet.pbx_lines = f'requesters = ["{techs}"]'
    world = quiet.start()
    world.slack.trouble.fail("usergroups.users.list", "plan_upgrade_required")
    form = world.check(world.fill_trusted(world.open_form()))
    assert form.view["callback_id"] == "form"
    assert any("Slack could not be asked who may ask for a certificate on hq" in text for text in form.texts())
    form = world.check(form)
    assert form.view["callback_id"] == "confirm"


def test_an_approver_who_was_removed_is_refused(quiet: World) -> None:
    """A lead who is no approver any more since a restart is refused on a card that still names them."""
    world = quiet.start()
    card = world.ask(world.fill_trusted)
    world.stop()
    quiet.approvers = (quiet.ana.id,)
    world.start()
    world.ben.click(card, "approve", as_seen=True)
    assert "@Ana Lead may" in world.wait_told(world.ben, "You may not decide requests for hq")
    assert world.hq.count("certificate/upload") == 0
    world.approve(card, world.ana)
    world.wait_thread(card, "now lists")


def test_a_request_does_not_pass_with_fewer_approvals_than_are_configured_now(quiet: World) -> None:
    """One approval was needed when it was asked for and two are needed now: the stricter counts, and card and thread say so."""
    world = quiet.start()
    card = world.ask(world.fill_trusted)
    world.stop()
    quiet.pbx_lines = "approvals = 2"
    world.start()
    world.ana.click(card, "approve", as_seen=True)
    world.wait_thread(card, "The rule for this request has changed: today it takes 2 of @Ana Lead or @Ben Lead")
    world.wait_thread(card, "@Ana Lead approved it: 1 of 2 approvals.")
    assert "The rule has changed since this was asked" in world.card(card)
    assert "pending" in world.card(card)
    assert world.hq.count("certificate/upload") == 0
    world.approve(card, world.ben)
    world.wait_thread(card, "now lists")
    world.verify_chain()


def test_a_pbx_that_is_not_configured_any_more_is_left_alone(quiet: World) -> None:
    """A request for a PBX that was taken out of the configuration cannot be approved, and the clicker is told why."""
    world = quiet.start()
    card = world.ask(world.fill_trusted)
    world.stop()
    path = quiet.write_config()
    path.write_text(path.read_text().replace('name = "hq"', 'name = "headquarters"'))
    world.start_with(path)
    world.ana.click(card, "approve", as_seen=True)
    world.wait_told(world.ana, "This PBX is not configured any more, so nothing was done.")
    assert world.hq.count("certificate/upload") == 0


def test_a_vote_survives_a_restart(quiet: World) -> None:
    """An approval given before a restart still counts after it."""
    quiet.pbx_lines = "approvals = 2"
    world = quiet.start()
    card = world.ask(world.fill_trusted)
    world.approve(card, world.ana)
    world.wait_card(card, "1 of 2 approvals, from @Ana Lead")
    world.restart()
    world.approve(card, world.ben)
    world.wait_thread(card, "now lists")
    world.verify_chain()


def test_a_request_expires_while_the_bot_is_away(quiet: World) -> None:
    """A request whose time ended while the bot was stopped expires at its start, and is told once."""
    world = quiet.start()
    card = world.ask(world.fill_trusted)
    world.stop()
    world.clock.advance(hours=9)
    world.start()
    world.wait_thread(card, "*expired*")
    world.wait_card(card, "expired")
    assert world.count_lines(card, "*expired*") == 1
