"""The Bolt app, and its ear on Socket Mode.

`process_before_response` lets the answer leave when the listener returns: listeners do one short transaction and nothing slow,
so nobody waits for Bolt's poll or for its five threads.
"""

import logging
import socket
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from time import time
from typing import Any

import structlog
from slack_bolt import App, BoltResponse
from slack_bolt.adapter.socket_mode.internals import run_bolt_app, send_response
from slack_bolt.adapter.socket_mode.websocket_client import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.blocks import dialogs
from bot.config import SlackConfig
from bot.exceptions import StoreError
from bot.listeners import clicks, commands, drafts, form, submissions
from bot.listeners.afterwards import collecting
from bot.listeners.desk import Body, Desk, not_taken

log = structlog.get_logger(__name__)

#: How many deliveries are worked on at once. Each is one short transaction.
CONCURRENCY = 16

_FAILED = "Something went wrong inside the bot, so this was not taken. Please ask an operator to look at its log. [internal]"


def build(config: SlackConfig, desk: Desk) -> App:
    """An app that listens for all that `manifest.yml` declares. Asks Slack once who we are, and so raises BoltError if it
    cannot."""
    client = WebClient(config.bot_token.get_secret_value(), base_url=config.api_url)
    app = App(client=client, process_before_response=True, logger=_quiet("slack_bolt"))
    for surface in (commands, form, submissions, drafts, clicks):
        surface.register(app, desk)
    app.error(_excuse(desk))
    return app


def _excuse(desk: Desk) -> Callable[..., BoltResponse]:
    """The last resort of a listener that failed: its person hears so from us, since Slack's own words say nothing.

    Logged by class only: an exception's text may hold what people typed.
    """

    def excuse(error: Exception, body: Body) -> BoltResponse:
        log.error("listener.failed", error=type(error).__name__, code=getattr(error, "code", ""))
        text = not_taken(error) if isinstance(error, StoreError) else _FAILED
        kind = body.get("type")
        if kind == "event_callback":
            return BoltResponse(status=500)  # Slack sends events again
        if kind == "view_submission":  # on top, so that nothing typed is lost
            return _answer(response_action="push", view=dialogs.notice("Not taken", text))
        if kind == "block_suggestion":
            return _answer(options=[])
        if body.get("response_url") or kind:
            desk.answer_later(body, text)
        return BoltResponse(status=200)

    return excuse


def _answer(**body: Any) -> BoltResponse:
    return BoltResponse(status=200, body=body, headers={"content-type": ["application/json"]})


def _quiet(name: str) -> logging.Logger:
    """Below an error, Bolt and the SDK would write payloads, and with them what people typed."""
    logger = logging.getLogger(name)
    logger.setLevel(logging.ERROR)
    return logger


class Ear(SocketModeHandler):
    """Socket Mode: one WebSocket over which Slack sends and we acknowledge.

    By way of the websocket-client library: the SDK's own reader turns in a busy loop when a connection ends without a goodbye.
    """

    def __init__(self, app: App, config: SlackConfig, pool: Executor) -> None:
        token = config.app_token.get_secret_value()
        client = WebClient(token, base_url=config.api_url)
        super().__init__(app, token, logger=_quiet("slack_sdk.socket_mode"), web_client=client, concurrency=CONCURRENCY)
        self._pool = pool

    def handle(self, client: BaseSocketModeClient, req: SocketModeRequest) -> None:
        """Answer, and only then start what the listeners deferred."""
        with collecting() as jobs:
            started = time()
            answer: Any = run_bolt_app(self.app, req)
            send_response(client, req, answer, started)
        for job in jobs:
            self._pool.submit(_run, job)

    def close(self) -> None:
        """Break the line and let its reader go, and only then close it: a closed socket wakes nobody, and the reader would
        sleep on it for ten seconds more."""
        self.client.auto_reconnect_enabled = False
        session = self.client.current_session
        line = session.sock.sock if session is not None and session.sock is not None else None
        if session is not None and line is not None:
            session.keep_running = False
            with suppress(OSError):  # the other side was faster
                line.shutdown(socket.SHUT_RDWR)
            self.client.current_session_runner.shutdown()  # type: ignore[no-untyped-call]
            line.close()  # the library forgets to when it finds the line broken
        super().close()  # type: ignore[no-untyped-call]


def _run(job: Any) -> None:
    try:
        job()
    except Exception as error:  # noqa: BLE001 - the last frame of a thread; what must not be lost is on the agenda
        code = getattr(error, "code", "")
        log.warning("afterwards.failed", error=type(error).__name__, code=code)
