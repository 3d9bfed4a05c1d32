"""The same submission delivered several times in one moment."""

import threading
import time

from sqlalchemy.pool import QueuePool

from tests.flow.meddling import busy
from tests.flow.world import World


def wait_until_in_line(world: World, many: int) -> None:
    """So many of the bot's threads have a connection and cannot go on. They wait for one second at most."""
    assert world.bot is not None
    pool = world.bot.store.engine.pool
    assert isinstance(pool, QueuePool)
    world.slack.wait_for(lambda: sum(one.payload.get("type") == "view_submission" for one in world.slack.deliveries) == many)
    until = time.monotonic() + 0.3
    while pool.checkedout() < many and time.monotonic() < until:
        threading.Event().wait(0.005)


def test_deliveries_of_one_submission_that_meet_make_one_draft(world: World) -> None:
    """Six deliveries stand in line for the database's lock; one draft comes of them, and none fails."""
    form = world.fill_trusted(world.open_form())
    with busy(world.database_url):
        deliveries = [threading.Thread(target=form.submit)]
        deliveries[0].start()
        world.slack.wait_for(lambda: world.slack.deliveries[-1].payload.get("type") == "view_submission")
        first = world.slack.deliveries[-1]
        deliveries += [threading.Thread(target=world.slack.deliver_again, args=(first,)) for _ in range(5)]
        for again in deliveries[1:]:
            again.start()
        wait_until_in_line(world, 6)
    for one in deliveries:
        one.join()
    answers = [one.ack for one in world.slack.deliveries if one.payload.get("type") == "view_submission"]
    shown = [answer["view"]["callback_id"] if answer and "view" in answer else str(answer) for answer in answers]
    if "checking" not in shown:  # a slow machine: all of them were told to press again
        form.submit()
    assert [each for each in shown if each != "checking" and "store_busy" not in each] == []
    world.slack.wait_for(lambda: form.view["callback_id"] == "confirm")
    form.submit()
    world.slack.wait_for(lambda: len(world.cards()) == 1)
    assert "#1" in world.card(world.cards()[0])
