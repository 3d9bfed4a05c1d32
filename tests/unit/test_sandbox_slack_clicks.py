"""Clicks in messages and the addresses to answer them (docs.slack.dev/interactivity/handling-user-interaction)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from bot.sandbox.slack import Channel, PersonRefused, Workspace
from tests.unit.slack_app import Robot, Scene, client, plain, robot, stage, workspace

whole = pytest.fixture(scope="module", name="whole")(stage)


@pytest.fixture
def scene(whole: tuple[Workspace, Robot]) -> Iterator[Scene]:
    """A workspace with its app, which is shared, and a person of the test's own."""
    ws, app = whole
    yield ws, app, ws.add_person("ana")
    app.on.clear()


def buttons(*texts: str) -> list[dict[str, Any]]:
    elements = [{"type": "button", "text": plain(text), "action_id": text.lower(), "value": text} for text in texts]
    return [{"type": "actions", "block_id": "act", "elements": elements}]


def card(ws: Workspace, room: Channel, *texts: str) -> dict[str, Any]:
    client(ws).chat_postMessage(channel=room.id, text="Card", blocks=buttons(*texts))
    return ws.messages(room)[-1]


def answer(url: str, **body: Any) -> tuple[int, Any]:
    response = requests.post(url, json=body, timeout=5)
    return response.status_code, response.json()


def test_a_click_says_who_where_and_what(scene: Scene) -> None:
    """block_actions carries the action with its value, the message, its channel, a trigger and a response_url."""
    ws, _, ana = scene
    room = ws.add_channel("certs", [ana])
    sent = ana.click(card(ws, room, "Approve", "Reject"), "Reject").payload
    (action,) = sent["actions"]
    assert (action["action_id"], action["block_id"], action["value"], action["type"]) == ("reject", "act", "Reject", "button")
    assert (sent["channel"]["id"], sent["user"]["id"], sent["message"]["text"]) == (room.id, ana.id, "Card")
    assert sent["container"]["message_ts"] == sent["message"]["ts"]
    assert sent["trigger_id"]
    assert sent["response_url"]


def test_a_menu_in_a_message_sends_what_was_chosen(scene: Scene) -> None:
    """An overflow menu and a select send their selected option."""
    ws, _, ana = scene
    room = ws.add_channel("certs", [ana])
    options = [{"text": plain("Details"), "value": "details"}, {"text": plain("Withdraw"), "value": "withdraw"}]
    elements = [{"type": kind, "action_id": kind, "options": options} for kind in ("overflow", "static_select")]
    client(ws).chat_postMessage(channel=room.id, text="Card", blocks=[{"type": "actions", "elements": elements}])
    message = ws.messages(room)[-1]
    for kind in ("overflow", "static_select"):
        assert ana.click(message, kind, "Withdraw").payload["actions"][0]["selected_option"] == options[1]


def test_the_current_message_decides_what_can_be_clicked(scene: Scene) -> None:
    """A button that was removed is gone, except for a person whose screen has not caught up."""
    ws, _, ana = scene
    room = ws.add_channel("certs", [ana])
    old = card(ws, room, "Approve")
    client(ws).chat_update(channel=room.id, ts=old["ts"], text="Done", blocks=[])
    with pytest.raises(PersonRefused, match="Approve"):
        ana.click(old, "Approve")
    assert ana.click(old, "Approve", as_seen=True).payload["actions"][0]["value"] == "Approve"


def test_an_ephemeral_message_is_not_in_the_payload(scene: Scene) -> None:
    """A click in an ephemeral message carries no message, and its response_url can replace and delete it."""
    ws, _, ana = scene
    room = ws.add_channel("certs", [ana])
    client(ws).chat_postEphemeral(channel=room.id, user=ana.id, text="psst", blocks=buttons("Again"))
    sent = ana.click(ana.messages(room)[-1], "Again").payload
    assert "message" not in sent
    assert sent["container"]["is_ephemeral"] is True
    assert answer(sent["response_url"], text="new", replace_original=True) == (200, {"ok": True})
    assert [message["text"] for message in ana.messages(room)] == ["new"]
    answer(sent["response_url"], delete_original=True)
    assert ana.messages(room) == []


def test_an_answer_is_private_unless_it_says_otherwise(scene: Scene) -> None:
    """A response_url posts for the clicker alone by default and for the channel with in_channel."""
    ws, _, ana = scene
    room = ws.add_channel("certs", [ana])
    url = ana.click(card(ws, room, "Approve"), "Approve").payload["response_url"]
    answer(url, text="for you")
    answer(url, text="for all", response_type="in_channel")
    assert [message["text"] for message in ana.messages(room)] == ["Card", "for you", "for all"]
    assert [message["text"] for message in ws.messages(room)] == ["Card", "for all"]


def test_an_address_takes_five_answers(scene: Scene) -> None:
    """The sixth POST to a response_url is used_url."""
    _, _, ana = scene
    url = ana.command("/pbx-cert").payload["response_url"]
    assert [answer(url, text="x")[0] for _ in range(5)] == [200] * 5
    assert answer(url, text="x") == (404, {"ok": False, "error": "used_url"})


def test_an_address_lives_for_thirty_minutes() -> None:
    """After half an hour a response_url is expired_url."""
    clock = [datetime(2026, 1, 1, tzinfo=UTC)]
    with workspace(now=lambda: clock[0]) as ws, robot(ws):
        url = ws.add_person("ana").command("/pbx-cert").payload["response_url"]
        assert answer(url, text="x")[0] == 200
        clock[0] += timedelta(minutes=30, seconds=1)
        assert answer(url, text="x") == (404, {"ok": False, "error": "expired_url"})


def test_answers_are_logged_and_can_be_troubled(scene: Scene) -> None:
    """A POST to a response_url stands in the log as response_url, with its arguments, and obeys trouble."""
    ws, _, ana = scene
    url = ana.command("/pbx-cert").payload["response_url"]
    ws.trouble.fail("response_url", status=503)
    assert requests.post(url, json={"text": "x"}, timeout=5).status_code == 503
    assert (ws.log[-1].method, ws.log[-1].args, ws.log[-1].ok) == ("response_url", {"text": "x"}, False)


def test_a_person_outside_a_private_channel_cannot_click(scene: Scene) -> None:
    """Who does not see a channel cannot act in it."""
    ws, _, ana = scene
    room = ws.add_channel("secret", private=True)
    with pytest.raises(PersonRefused, match="does not see"):
        ana.click(card(ws, room, "Approve"), "Approve")
