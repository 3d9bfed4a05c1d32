"""Many people at once, while Slack is slow."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bot.sandbox.slack import Person
from tests.unit.slack_app import client, plain, robot, workspace

CROWD = 100


def test_a_hundred_people_act_while_every_call_takes_two_seconds() -> None:
    """100 clicks and 100 commands are each delivered and acknowledged in time, and 100 slow calls end together."""
    with workspace() as ws, robot(ws) as app:
        app.on["command"] = lambda ack, body, client: ack("Heard.")
        crowd = [ws.add_person(f"person {number}") for number in range(CROWD)]
        room = ws.add_channel("certs", crowd)
        blocks = [{"type": "actions", "elements": [{"type": "button", "text": plain("Go"), "action_id": "go"}]}]
        client(ws).chat_postMessage(channel=room.id, text="Card", blocks=blocks)
        card = ws.messages(room)[0]
        ws.trouble.delay("*", 2.0)

        def act(person: Person) -> Any:
            return [person.command("/pbx-cert", "", room), person.click(card, "Go")]

        with ThreadPoolExecutor(2 * CROWD) as pool:
            calls = [pool.submit(client(ws).users_info, user=person.id) for person in crowd]
            deliveries = [delivery for pair in pool.map(act, crowd) for delivery in pair]
            assert all(call.result()["ok"] for call in calls)
        assert [delivery.outcome for delivery in deliveries] == ["acked"] * 2 * CROWD
        assert all(len(person.messages(room)) == 2 for person in crowd)
        slow = [call for call in ws.log if call.method == "users.info"]
        lasted = max(call.ended_at or 0 for call in slow) - min(call.started_at for call in slow)
        assert len(slow) == CROWD
        assert lasted < 20
