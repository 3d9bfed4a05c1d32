"""Many people at once, while Slack itself is slow."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from bot.sandbox.slack.records import Delivery
from tests.flow.world import World

PEOPLE = 100


def test_a_hundred_people_at_once_are_acknowledged_in_time_while_slack_is_slow(quiet: World) -> None:
    """50 ask and 50 click Approve at the same moment, every Slack call takes 2 s, and each is acknowledged within 3 s."""
    crowd = [quiet.slack.add_person(f"Person {number}") for number in range(PEOPLE)]
    quiet.slack.join(quiet.certs, *crowd)
    quiet.start()
    card = quiet.ask(quiet.fill_trusted)
    quiet.slack.trouble.delay("*", 2.0)
    before, together = len(quiet.slack.deliveries), Barrier(PEOPLE)

    def act(number: int) -> Delivery:
        together.wait()
        person = crowd[number]
        return person.command("/pbx-cert", "", quiet.certs) if number % 2 else person.click(card, "approve")

    with ThreadPoolExecutor(PEOPLE) as pool:
        list(pool.map(act, range(PEOPLE)))
    deliveries = quiet.slack.deliveries[before:]
    assert len(deliveries) == PEOPLE
    assert {delivery.outcome for delivery in deliveries} == {"acked"}
    assert max(delivery.ack_ms or 9999 for delivery in deliveries) < 3000
    assert not any(person.notices for person in crowd)
    for number in range(1, PEOPLE, 2):
        assert crowd[number].wait_modal(callback_id="form").is_open
    assert "pending" in quiet.card(card), "none of them is an approver"
