"""Who is told of operational trouble, and who may end it."""

from tests.flow.world import World


def test_operators_are_told_that_logins_are_stopped(quiet: World) -> None:
    """Where operators are configured, the line that a PBX's logins are stopped mentions them, and not the approvers."""
    quiet.slack_lines = f'operators = ["{quiet.carl.id}"]'
    world = quiet.start(HQ_SECRET="wrong")
    card = world.ask(world.fill_trusted)
    world.approve(card)
    line = next(line for line in world.wait_thread(card, "does not log in") if "does not log in" in line)
    assert "@Carl Colleague, please have a look." in line
    assert "@Ana Lead" not in line
