"""What the tests of the sandbox's Slack share: a manifest, a workspace, and a small Bolt app against it."""

from __future__ import annotations

import copy
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox.slack import Modal, Person, RateLimits, Workspace

MANIFEST: dict[str, Any] = {
    "display_information": {"name": "Certificates"},
    "features": {
        "bot_user": {"display_name": "certs"},
        "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True},
        "slash_commands": [{"command": "/pbx-cert", "description": "Ask for a certificate"}],
        "shortcuts": [{"name": "Ask", "type": "global", "callback_id": "ask", "description": "Ask for a certificate"}],
    },
    "oauth_config": {
        "scopes": {
            "bot": [
                "commands",
                "chat:write",
                "channels:history",
                "channels:read",
                "groups:history",
                "groups:read",
                "im:history",
                "im:read",
                "im:write",
                "files:read",
                "files:write",
                "users:read",
                "usergroups:read",
            ]
        }
    },
    "settings": {
        "interactivity": {"is_enabled": True},
        "event_subscriptions": {"bot_events": ["subteam_members_changed", "app_home_opened"]},
        "socket_mode_enabled": True,
    },
}


def manifest(*, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """The manifest without some scopes."""
    changed = copy.deepcopy(MANIFEST)
    scopes = changed["oauth_config"]["scopes"]
    scopes["bot"] = [scope for scope in scopes["bot"] if scope not in without]
    return changed


def workspace(**options: Any) -> Workspace:
    """A workspace without rate limits unless `options` says otherwise; it is not started."""
    given = {"limits": RateLimits.none()} | options
    return Workspace(given.pop("manifest", MANIFEST), **given)


def client(ws: Workspace, token: str | None = None) -> WebClient:
    return WebClient(token=ws.bot_token if token is None else token, base_url=ws.url)


def bolt_app(ws: Workspace) -> App:
    return App(client=client(ws), process_before_response=True, request_verification_enabled=False)


@contextmanager
def connected(ws: Workspace, app: App) -> Iterator[SocketModeHandler]:
    """The app, connected to the workspace over a real WebSocket."""
    quiet = logging.getLogger("tests.socket_mode")
    quiet.setLevel(logging.CRITICAL)
    handler = SocketModeHandler(app, ws.app_token, logger=quiet, concurrency=30)
    handler.connect()  # type: ignore[no-untyped-call]
    try:
        ws.wait_connected()
        yield handler
    finally:
        # The client's reader sleeps in recv for up to 3 s; a closed connection wakes it. It must have ended before
        # close, because two threads that disconnect at once trip over each other inside slack_sdk.
        handler.client.auto_reconnect_enabled = False
        handler.client.current_session_state.terminated = True
        ws.disconnect(goodbye=False)
        handler.client.current_session_runner.shutdown()  # type: ignore[no-untyped-call]
        handler.close()  # type: ignore[no-untyped-call]


def _only_ack(ack: Any, body: Any, client: Any) -> None:
    ack()


class Robot:
    """A Bolt app that acknowledges whatever comes, unless `on` holds another reaction for that kind of payload."""

    def __init__(self, ws: Workspace) -> None:
        self.on: dict[str, Callable[[Any, Any, Any], None]] = {}
        self.app = bolt_app(ws)
        every = re.compile(".*")
        for kind, register in {
            "command": self.app.command,
            "shortcut": self.app.shortcut,
            "block_actions": self.app.action,
            "block_suggestion": self.app.options,
            "view_submission": self.app.view_submission,
            "view_closed": self.app.view_closed,
            "event": self.app.event,
        }.items():
            cast(Any, register)(every)(self._reaction(kind))

    def _reaction(self, kind: str) -> Any:
        def react(ack: Any, body: Any, client: Any) -> None:
            self.on.get(kind, _only_ack)(ack, body, client)

        return react


Scene = tuple[Workspace, Robot, Person]


def stage() -> Iterator[tuple[Workspace, Robot]]:
    """For a fixture of a whole module: disconnecting a Socket Mode client takes it a second."""
    with workspace() as ws, robot(ws) as app:
        yield ws, app


@contextmanager
def robot(ws: Workspace) -> Iterator[Robot]:
    made = Robot(ws)
    with connected(ws, made.app):
        yield made


def opened(ws: Workspace, person: Person, view: dict[str, Any]) -> Modal:
    """A modal that the app has opened for this person, by way of the shortcut."""
    trigger = person.shortcut("ask").payload["trigger_id"]
    client(ws).views_open(trigger_id=trigger, view=view)
    return person.wait_modal()


def refusal(call: Any, **arguments: Any) -> Any:
    """The answer of a call that the workspace must refuse."""
    try:
        call(**arguments)
    except SlackApiError as error:
        return error.response
    raise AssertionError("The workspace accepted what it should have refused.")


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def text_input(label: str, **element: Any) -> dict[str, Any]:
    """An input block whose block id is the label in lower case."""
    field = {"type": "plain_text_input", "action_id": "text", **element}
    return {"type": "input", "block_id": label.lower(), "label": plain(label), "element": field}


def modal(*blocks: dict[str, Any], title: str = "Ask", **more: Any) -> dict[str, Any]:
    return {"type": "modal", "title": plain(title), "submit": plain("Send"), "blocks": list(blocks), **more}
