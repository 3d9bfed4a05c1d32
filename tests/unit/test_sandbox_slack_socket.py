"""Socket Mode: deadlines, losses, repetitions, connections (docs.slack.dev/apis/events-api/using-socket-mode)."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from bot.sandbox.slack import PersonRefused, Workspace
from tests.unit.slack_app import MANIFEST, client, manifest, modal, opened, robot, workspace


@contextmanager
def socket(ws: Workspace) -> Iterator[ClientConnection]:
    """A bare WebSocket that answers nothing by itself; the hello was read."""
    url = client(ws, ws.app_token).apps_connections_open(app_token=ws.app_token)["url"]
    with connect(url) as opened_socket:
        assert json.loads(opened_socket.recv(5))["type"] == "hello"
        yield opened_socket


def in_thread(act: Any) -> threading.Thread:
    thread = threading.Thread(target=act)
    thread.start()
    return thread


def test_a_command_is_an_envelope_that_wants_an_answer() -> None:
    """A slash command arrives with its fields, and the payload of its ack becomes an ephemeral message."""
    with workspace() as ws, socket(ws) as wire:
        ana = ws.add_person("ana")
        room = ws.add_channel("certs", [ana])
        thread = in_thread(lambda: ana.command("/pbx-cert", "help", room))
        envelope = json.loads(wire.recv(5))
        wire.send(json.dumps({"envelope_id": envelope["envelope_id"], "payload": {"text": "Here is help."}}))
        thread.join()
        assert (envelope["type"], envelope["accepts_response_payload"]) == ("slash_commands", True)
        assert (envelope["payload"]["text"], envelope["payload"]["user_id"]) == ("help", ana.id)
        assert [message["text"] for message in ana.messages(room)] == ["Here is help."]
        assert ws.messages(room) == []


def test_a_command_without_an_answer_fails_for_its_person() -> None:
    """Slack's own operation_timeout is shown, the command is lost, and an ack that comes later changes nothing."""
    with workspace() as ws, socket(ws) as wire:
        ws.ack_deadline = 0.05
        ana = ws.add_person("ana")
        room = ws.add_channel("certs", [ana])
        delivery = ana.command("/pbx-cert", "help", room)
        assert delivery.outcome == "lost"
        assert ana.notices == ['/pbx-cert failed with the error "operation_timeout"']
        wire.send(json.dumps({"envelope_id": delivery.envelope_id, "payload": {"text": "Too late."}}))
        ws.wait_for(lambda: delivery.outcome == "late")
        assert ana.messages(room) == []
        assert (delivery.ack_ms or 0) > 50


def test_a_late_answer_leaves_the_form_open() -> None:
    """A submission that is not acknowledged in time keeps its form, with Slack's own failure."""
    with workspace() as ws, robot(ws) as app:
        ana = ws.add_person("ana")
        form = opened(ws, ana, modal())
        may_answer = threading.Event()

        def slow(ack: Any, body: Any, client: Any) -> None:
            may_answer.wait(10)
            ack()

        app.on["view_submission"] = slow
        ws.ack_deadline = 0.05
        delivery = form.submit()
        assert (delivery.outcome, form.is_open, len(ana.notices)) == ("lost", True, 1)
        may_answer.set()
        ws.wait_for(lambda: delivery.outcome == "late")
        assert form.is_open


def test_without_an_app_nothing_is_delivered() -> None:
    """With no connection the person sees dispatch_failed at once."""
    with workspace() as ws:
        ana = ws.add_person("ana")
        assert ana.command("/pbx-cert").outcome == "no bot"
        assert ana.notices == ['/pbx-cert failed with the error "dispatch_failed"']


def test_only_events_are_sent_again() -> None:
    """An unacknowledged event is repeated three times with its attempt and reason and one event id; a click is not."""
    with workspace() as ws, socket(ws) as wire:
        ws.ack_deadline, ws.event_retry_delays = 0.02, (0.0, 0.0, 0.0)
        ana = ws.add_person("ana")
        leads = ws.add_group("leads", [])
        ws.set_group(leads, [ana])
        envelopes = [json.loads(wire.recv(5)) for _ in range(4)]
        assert [(each["retry_attempt"], each["retry_reason"]) for each in envelopes] == [
            (0, ""),
            (1, "timeout"),
            (2, "timeout"),
            (3, "timeout"),
        ]
        assert len({each["payload"]["event_id"] for each in envelopes}) == 1
        assert envelopes[0]["payload"]["event"]["added_users"] == [ana.id]
        ws.wait_for(lambda: all(delivery.settled for delivery in ws.deliveries))
        ana.shortcut("ask")
        assert json.loads(wire.recv(5))["type"] == "interactive"
        assert len(ws.deliveries) == 5


def test_an_acknowledged_event_is_not_sent_again() -> None:
    """One ack is enough."""
    with workspace() as ws, robot(ws):
        ws.set_group(ws.add_group("leads", []), [])
        ws.wait_for(lambda: [delivery.outcome for delivery in ws.deliveries] == ["acked"])


def test_events_need_subscription_and_scope() -> None:
    """Without usergroups:read, or without the subscription, a changed group is not told."""
    unsubscribed = MANIFEST | {"settings": MANIFEST["settings"] | {"event_subscriptions": {}}}
    for given in (manifest(without=("usergroups:read",)), unsubscribed):
        with workspace(manifest=given) as ws:
            ws.set_group(ws.add_group("leads", []), [])
            assert ws.deliveries == []


def test_connections_share_the_load() -> None:
    """Two connections each get every second envelope."""
    with workspace() as ws, socket(ws) as one, socket(ws) as two:
        ws.ack_deadline = 0.02
        ana = ws.add_person("ana")
        for _ in range(2):
            ana.shortcut("ask")
        assert {json.loads(wire.recv(5))["type"] for wire in (one, two)} == {"interactive"}


def test_a_ticket_opens_one_connection() -> None:
    """The address from apps.connections.open works once."""
    with workspace() as ws:
        url = client(ws, ws.app_token).apps_connections_open(app_token=ws.app_token)["url"]
        with connect(url) as wire:
            wire.recv(5)
            with pytest.raises(Exception, match="403"), connect(url):
                pass


def test_a_disconnected_app_comes_back() -> None:
    """After Slack's disconnect message the real client connects again and hears what people do."""
    with workspace() as ws, robot(ws):
        before = [call.method for call in ws.log].count("apps.connections.open")
        ws.disconnect()
        ws.wait_for(lambda: [call.method for call in ws.log].count("apps.connections.open") > before)
        ws.wait_connected()
        assert ws.add_person("ana").shortcut("ask").outcome == "acked"


def test_a_sudden_drop_has_no_goodbye() -> None:
    """Without the disconnect message the connection simply ends."""
    with workspace() as ws, socket(ws) as wire:
        ws.disconnect(goodbye=False)
        with pytest.raises(ConnectionClosed):
            wire.recv(5)
        assert not ws.connected


def test_the_same_thing_can_arrive_twice() -> None:
    """deliver_again sends the same payload under another envelope."""
    with workspace() as ws, robot(ws):
        first = ws.add_person("ana").shortcut("ask")
        second = ws.deliver_again(first)
        assert (second.payload, second.outcome) == (first.payload, "acked")
        assert second.envelope_id != first.envelope_id


def test_people_can_only_do_what_the_manifest_declares() -> None:
    """Unknown commands and shortcuts, commands in threads and in foreign channels are refused by the client."""
    with workspace() as ws:
        ana = ws.add_person("ana")
        room = ws.add_channel("certs")
        with pytest.raises(PersonRefused, match="not a valid command"):
            ana.command("/other")
        with pytest.raises(PersonRefused, match="threads"):
            ana.command("/pbx-cert", thread_ts="1.1")
        with pytest.raises(PersonRefused, match="not a member"):
            ana.command("/pbx-cert", "", room)
        with pytest.raises(PersonRefused, match="shortcut"):
            ana.shortcut("other")


def test_interactivity_must_be_enabled() -> None:
    """Without interactivity in the manifest a click is refused by the client."""
    settings = MANIFEST["settings"] | {"interactivity": {"is_enabled": False}}
    with workspace(manifest=MANIFEST | {"settings": settings}) as ws, pytest.raises(PersonRefused, match="not configured"):
        ws.add_person("ana").shortcut("ask")


def test_a_workspace_can_be_started_again_on_its_port() -> None:
    """After a stop and a start on the same port the same tokens work, and nothing that was said is lost."""
    with workspace() as ws:
        room = ws.add_channel("certs")
        client(ws).chat_postMessage(channel=room.id, text="a")
        port = ws.port
        ws.stop()
        ws.start(port)
        assert client(ws).conversations_history(channel=room.id)["messages"][0]["text"] == "a"


def test_waiting_ends_with_a_description() -> None:
    """wait_for gives back what its predicate found, and otherwise says what happened last."""
    with workspace() as ws:
        assert ws.wait_for(lambda: "found") == "found"
        client(ws).auth_test()
        with pytest.raises(TimeoutError, match=r"auth\.test"):
            ws.wait_for(lambda: None, timeout=0.01)


def test_a_read_only_messages_tab_takes_no_commands() -> None:
    """With messages_tab_read_only_enabled people cannot use commands there, and without a home tab there is none to open."""
    features = MANIFEST["features"] | {"app_home": {"messages_tab_enabled": True, "messages_tab_read_only_enabled": True}}
    with workspace(manifest=MANIFEST | {"features": features}) as ws:
        ana = ws.add_person("ana")
        with pytest.raises(PersonRefused, match="turned off"):
            ana.command("/pbx-cert")
        with pytest.raises(PersonRefused, match="home tab"):
            ana.open_home()
