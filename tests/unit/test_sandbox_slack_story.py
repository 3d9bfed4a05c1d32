"""One request from command to approval, by a real Bolt app over a real WebSocket."""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack import Workspace
from tests.unit.slack_app import bolt_app, connected, modal, plain, text_input, workspace


def _app(ws: Workspace, channel: str) -> Any:
    app = bolt_app(ws)

    def ask(ack: Any, body: Any, client: Any) -> None:
        client.views_open(trigger_id=body["trigger_id"], view=modal(text_input("Reason"), callback_id="ask"))
        ack("One moment.")

    def submitted(ack: Any, view: Any, client: Any) -> None:
        reason = view["state"]["values"]["reason"]["text"]["value"]
        button = {"type": "button", "text": plain("Approve"), "action_id": "approve", "value": "42"}
        section = {"type": "section", "text": {"type": "mrkdwn", "text": f"Because: {reason}"}}
        client.chat_postMessage(channel=channel, text=reason, blocks=[section, {"type": "actions", "elements": [button]}])
        ack()

    def approve(ack: Any, body: Any, client: Any) -> None:
        ack()
        client.chat_update(
            channel=body["channel"]["id"], ts=body["message"]["ts"], text=f"Approved by <@{body['user']['id']}>", blocks=[]
        )

    app.command("/pbx-cert")(ask)
    app.view("ask")(submitted)
    app.action("approve")(approve)
    return app


def test_a_request_goes_from_command_to_approval() -> None:
    """A Bolt app hears a command, opens a modal, posts what was submitted, and updates it when it is clicked."""
    with workspace() as ws:
        ana, ben = ws.add_person("ana"), ws.add_person("ben")
        room = ws.add_channel("certs", [ana, ben])
        with connected(ws, _app(ws, room.id)):
            assert ana.command("/pbx-cert", "", room).outcome == "acked"
            form = ana.wait_modal(title="Ask")
            form.type("Reason", "It expires")
            assert form.submit().outcome == "acked"
            card = ws.messages(room)[-1]
            assert ws.read(card) == "Because: It expires\n[Approve]"
            assert ben.click(card, "Approve").outcome == "acked"
            ws.wait_for(lambda: ws.read(ws.messages(room)[-1]) == "Approved by @ben")
        assert not form.is_open
        assert ana.messages(room)[0]["text"] == "One moment."
