"""What people do to a card while its PBX is out of order does not change what its thread tells."""

from tests.flow.world import World


def test_a_refused_click_during_an_outage_does_not_tell_of_it_again(world: World) -> None:
    """The thread tells of an outage once, although somebody's late click was refused in the middle of it."""
    card = world.ask(world.fill_trusted)
    world.hq.trouble.html("certificate/list", times=10_000)
    world.approve(card)
    world.wait_thread(card, "will try again by itself")
    world.ben.click(card, "approve", as_seen=True)
    world.wait_told(world.ben, "approved this")
    before = world.hq.count("certificate/list")
    world.skip_until(lambda: world.hq.count("certificate/list") > before + 1, minutes=2)
    world.hq.trouble.clear()
    world.skip_until(lambda: world.count_lines(card, "now lists") > 0, minutes=2)
    assert world.count_lines(card, "will try again by itself") == 1
