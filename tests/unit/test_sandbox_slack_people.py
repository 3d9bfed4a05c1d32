"""Guests, bots, deactivated people and those of other workspaces, as Slack's users.info shows them."""

from __future__ import annotations

from typing import Any

import pytest

from bot.sandbox.slack import Workspace
from bot.sandbox.slack.errors import PersonRefused
from tests.unit.slack_app import client, refusal, workspace


def shown(ws: Workspace, user: str) -> dict[str, Any]:
    found: dict[str, Any] = client(ws).users_info(user=user)["user"]
    return found


def test_a_full_member_has_no_flag() -> None:
    """A member of the workspace is of its team, and nothing else is true of them."""
    with workspace() as ws:
        found = shown(ws, ws.add_person("ana").id)
        flags = ("deleted", "is_bot", "is_restricted", "is_ultra_restricted")
        assert found["team_id"] == "T0SANDBOX"
        assert [found[flag] for flag in flags] == [False] * 4
        assert "is_stranger" not in found


@pytest.mark.parametrize(("guest", "ultra"), [("multi-channel", False), ("single-channel", True)])
def test_guests_are_restricted(guest: Any, ultra: bool) -> None:
    """A guest of several channels is restricted; one of a single channel is ultra-restricted, too."""
    with workspace() as ws:
        found = shown(ws, ws.add_person("gil", guest=guest).id)
        assert (found["is_restricted"], found["is_ultra_restricted"]) == (True, ultra)


def test_bots_and_deactivated_people() -> None:
    """A bot says so; of a deactivated person little more is shown than that."""
    with workspace() as ws:
        assert shown(ws, ws.add_person("robot", bot=True).id)["is_bot"]
        assert shown(ws, ws.bot_user)["is_bot"]
        gone = shown(ws, ws.add_person("dora", deleted=True).id)
        assert gone["deleted"]
        assert "is_restricted" not in gone


def test_people_of_another_workspace_are_strangers_until_they_share_a_channel() -> None:
    """Their team is their own; in a channel with the app they are no strangers any more."""
    with workspace() as ws:
        eve = ws.add_person("eve", team="T0OTHER")
        assert (shown(ws, eve.id)["team_id"], shown(ws, eve.id)["is_stranger"]) == ("T0OTHER", True)
        ws.add_channel("shared", [eve])
        assert not shown(ws, eve.id)["is_stranger"]


def test_what_somebody_is_can_change() -> None:
    """An admin deactivates a person and makes a member a guest, and undoes both."""
    with workspace() as ws:
        ana = ws.add_person("ana")
        ws.make_guest(ana)
        assert shown(ws, ana.id)["is_restricted"]
        ws.make_guest(ana, "")
        assert not shown(ws, ana.id)["is_restricted"]
        ws.deactivate(ana)
        assert shown(ws, ana.id)["deleted"]
        ws.deactivate(ana, deleted=False)
        assert not shown(ws, ana.id)["deleted"]


def test_nobody_who_is_deactivated_acts_or_is_written_to() -> None:
    """They cannot sign in, and a conversation with them is refused with user_disabled."""
    with workspace() as ws:
        dora = ws.add_person("dora")
        room = ws.add_channel("certs", [dora])
        ws.deactivate(dora)
        with pytest.raises(PersonRefused):
            dora.say(room, "hello")
        with pytest.raises(PersonRefused):
            dora.messages(room)
        assert refusal(client(ws).conversations_open, users=dora.id)["error"] == "user_disabled"


def test_nobody_of_that_id() -> None:
    """An id that nobody has is user_not_found."""
    with workspace() as ws:
        assert refusal(client(ws).users_info, user="U0NOBODY")["error"] == "user_not_found"
