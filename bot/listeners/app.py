"""The Bolt app, and its ear on Socket Mode.

`process_before_response` lets the answer leave when the listener returns: listeners do one short transaction and nothing slow,
so nobody waits for Bolt's poll or for its five threads.
"""

import logging
from collections.abc import Callable
from concurrent.futures import Executor
from time import time
from typing import Any

import structlog
from slack_bolt import App, BoltResponse
from slack_bolt.adapter.socket_mode.base_handler import BaseSocketModeHandler
from slack_bolt.adapter.socket_mode.internals import run_bolt_app, send_response
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from bot import crashpoints
from bot.blocks import dialogs
from bot.config import SlackConfig
from bot.exceptions import StoreClosed, StoreError, StoreUnavailable
from bot.listeners import clicks, commands, drafts, emergencies, form, home, lists, sources, submissions
from bot.listeners.afterwards import collecting, run
from bot.listeners.desk import Body, Desk, not_taken
from bot.listeners.line import Line
from bot.slack.transport import Client

log = structlog.get_logger(__name__)

#: Seconds for each of connecting, sending and every read, in the two calls that Bolt and Socket Mode make themselves.
TIMEOUT = 10
#: How many deliveries are worked on at once. Each is one short transaction.
CONCURRENCY = 16
#: Seconds that the answers get to what was received before the line is closed; each is given within 1.5.
ANSWERS_WITHIN = 2.0

_FAILED = "Something went wrong inside the bot, so this was not taken. Please ask an operator to look at its log. [internal]"


def build(config: SlackConfig, desk: Desk) -> App:
    """An app that listens for all that `manifest.yml` declares. Asks Slack once who we are, and so raises BoltError if it
    cannot."""
    client = Client(config.bot_token.get_secret_value(), config.api_url, TIMEOUT)
    app = App(client=client, process_before_response=True, logger=_quiet("slack_bolt"))
    surfaces = (commands, lists, form, submissions, drafts, clicks, sources, emergencies, home)
    for surface in surfaces:
        surface.register(app, desk)
    app.error(_excuse(desk))
    return app


def _excuse(desk: Desk) -> Callable[..., BoltResponse]:
    """The last resort of a listener that failed: its person hears so from us, since Slack's own words say nothing.

    Logged by class only: an exception's text may hold what people typed.
    """

    def excuse(error: Exception, body: Body) -> BoltResponse:
        if not isinstance(error, StoreUnavailable | StoreClosed):  # the first is logged by `bot.work.watch`, once
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


class Ear(BaseSocketModeHandler):
    """Socket Mode: one WebSocket over which Slack sends and we acknowledge."""

    def __init__(self, app: App, config: SlackConfig, pool: Executor) -> None:
        token = config.app_token.get_secret_value()
        client = Client(token, config.api_url, TIMEOUT)
        self.app = app
        self.client = self._line = Line(token, _quiet("slack_sdk.socket_mode"), client, concurrency=CONCURRENCY)
        self._line.socket_mode_request_listeners.append(self.handle)
        self._pool = pool

    def handle(self, client: BaseSocketModeClient, req: SocketModeRequest) -> None:
        """Answer, and only then start what the listeners deferred."""
        with collecting() as jobs:
            started = time()
            answer: Any = run_bolt_app(self.app, req)
            with crashpoints.around("ack"):
                send_response(client, req, answer, started)
        for job in jobs:
            self._pool.submit(run, job)

    def close(self) -> None:
        """Listen no more, but answer what has been received. Whoever gets no answer is told so by Slack, and presses again."""
        if not self._line.answer_and_hear_no_more(ANSWERS_WITHIN):
            log.warning("deliveries.unanswered")
        self._line.close()
