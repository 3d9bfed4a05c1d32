"""The Socket Mode line: a session is read at once, and hung up without a wait."""

import logging
import socket
from collections.abc import Iterator

import pytest

from bot.listeners.line import Line
from bot.sandbox.slack import Workspace
from tests.unit.slack_app import client, workspace

#: Seconds until the line's reader looks by itself: no test lives to see it.
NEVER = 3600.0


@pytest.fixture
def slack() -> Iterator[Workspace]:
    with workspace() as slack:
        yield slack


@pytest.fixture
def line(slack: Workspace) -> Iterator[Line]:
    quiet = logging.getLogger("tests.line")
    quiet.setLevel(logging.CRITICAL)
    line = Line(slack.app_token, quiet, client(slack, slack.app_token), looks_again=NEVER)
    yield line
    line.close()


def test_a_session_is_read_as_soon_as_there_is_one(slack: Workspace, line: Line) -> None:
    """Slack can send as soon as the line is made; the reader does not have to look for it first."""
    line.connect()
    slack.wait_connected()


def test_the_next_session_is_read_as_soon_as_there_is_one(slack: Workspace, line: Line) -> None:
    """After Slack's goodbye the line that takes the old one's place is read at once, too."""
    line.connect()
    slack.wait_connected()
    slack.disconnect()
    slack.wait_for(lambda: sum(call.method == "apps.connections.open" for call in slack.log) > 1 and slack.connected)


def test_a_line_that_cannot_be_opened_is_not_tried_without_a_pause(slack: Workspace, line: Line) -> None:
    """A session that broke before it was open is made anew, and read only when the reader looks."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        line.wss_uri = f"ws://127.0.0.1:{nobody.getsockname()[1]}"
        line.connect()
        slack.wait_for(lambda: any(call.method == "apps.connections.open" for call in slack.log))
    with pytest.raises(TimeoutError):
        slack.wait_connected(0.3)


def test_a_line_that_never_was_connected_is_closed(line: Line) -> None:
    """A bot that fails before it listens ends as well; the fixture closes the line."""
    assert not line.is_connected()
