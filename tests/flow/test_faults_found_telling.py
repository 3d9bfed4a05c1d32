"""Slack refuses what the bot has to tell: the thread goes on, and somebody always hears how it ended."""

from tests.flow.world import World


def delete_as_an_admin(world: World, ts: str) -> None:
    """What a workspace's admin can do to anybody's message; the app has no part in it."""
    with world.slack._state.changed:
        messages = world.certs.messages
        messages.remove(next(one for one in messages if one.ts == ts))


def test_a_requester_who_left_does_not_hold_up_the_thread(world: World) -> None:
    """Where Slack does not let the bot write to the requester, the channel is still told everything."""
    world.slack.trouble.fail("response_url", "expired_url", status=404, times=99)
    world.slack.trouble.fail("conversations.open", "user_disabled", times=99)
    card = world.ask(world.fill_trusted)
    world.approve(card)
    lines = world.wait_thread(card, "now lists")
    assert any("*applying*" in line for line in lines)


def test_a_deleted_card_is_posted_anew(quiet: World) -> None:
    """Somebody deleted the card: at the next event it is posted again, so that people can still decide."""
    quiet.pbx_lines = "approvals = 2"
    world = quiet.start()
    card = world.ask(world.fill_trusted)
    world.wait_told(world.tess, "You have asked for")
    world.slack.wait_for(lambda: world.slack_calls("response_url") == 1)
    delivery = world.ana.click(card, "approve", as_seen=True)
    assert delivery.outcome == "acked"
    world.wait_card(card, "1 of 2 approvals")
    delete_as_an_admin(world, card["ts"])
    world.clock.advance(hours=9)
    world.skip_until(lambda: any("expired" in world.slack.read(each) for each in world.cards()), seconds=5)


def test_without_a_channel_the_requester_still_hears_that_it_expired(world: World) -> None:
    """A card that never could be posted expires, and the requester is told so by direct message."""
    world.slack.leave(world.certs, world.slack.bot_user)
    form = world.check(world.fill_trusted(world.open_form()))
    form.submit()
    world.wait_told(world.tess, "cannot be posted")
    world.clock.advance(hours=9)
    world.wait_told(world.tess, "expired")


def test_a_card_that_may_have_been_posted_and_cannot_be_looked_for_is_told(world: World) -> None:
    """Slack lost the answer to the card's post and now refuses to show the channel: the requester hears of it."""
    world.slack.trouble.fail("chat.postMessage", "fatal_error")
    world.slack.trouble.fail("conversations.history", "not_in_channel", times=99)
    form = world.check(world.fill_trusted(world.open_form()))
    form.submit()
    world.skip_until(lambda: any("cannot be posted" in text for text in world.told(world.tess)), seconds=5)
