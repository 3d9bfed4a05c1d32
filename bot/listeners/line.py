"""The Socket Mode line: a WebSocket that can be hung up without dropping what has been received.

By way of the websocket-client library: the SDK's own reader turns in a busy loop when a connection ends without a goodbye.
"""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from slack_sdk.socket_mode.interval_runner import IntervalRunner
from slack_sdk.socket_mode.websocket_client import SocketModeClient

#: What only deliveries have, which are to be answered: not Slack's ``hello`` and ``disconnect``.
_DELIVERY = '"envelope_id"'
#: Seconds within which the reader certainly has taken up a new session.
_TAKEN_UP = 5.0
#: Seconds until the reader tries a session again that broke before there was a new one; as in the SDK.
LOOKS_AGAIN = 0.5


class _Reader(IntervalRunner):
    """Takes up a new session when it is told of one, instead of at its next look; the SDK's own looks twice a second, and until
    then Slack has nobody to send to."""

    def __init__(self, target: Callable[[], None], interval_seconds: float) -> None:
        super().__init__(target, interval_seconds)
        self._news = threading.Event()

    def _run(self) -> None:
        while not self.event.is_set():
            self.target()
            self._news.wait(self.interval_seconds)
            self._news.clear()

    def wake(self) -> None:
        self._news.set()

    def shutdown(self) -> None:
        self.event.set()
        self.wake()
        super().shutdown()  # type: ignore[no-untyped-call]


class Line(SocketModeClient):
    """Knows how many deliveries have been received and not yet answered. ``looks_again`` is in seconds."""

    def __init__(self, *args: Any, looks_again: float = LOOKS_AGAIN, **options: Any) -> None:
        self._changed = threading.Condition()
        self._unanswered = 0
        self._deaf = False
        self._made_at = time.monotonic()
        self._was_open = True
        super().__init__(*args, **options)
        self.on_open_listeners.append(self._opened)
        self.current_session_runner.shutdown()  # type: ignore[no-untyped-call]
        self.current_session_runner = self._session_reader = _Reader(self._run_current_session, looks_again)
        self._session_reader.start()

    def connect(self) -> None:
        if self.wss_uri is None:  # Slack is asked for it first, and may take its time
            self.wss_uri = self.issue_new_wss_url()
        self._made_at = time.monotonic()
        was_open, self._was_open = self._was_open, False
        super().connect()
        if was_open:  # in the place of one that broke before it was open, the next has to wait
            self._session_reader.wake()

    def _opened(self, _session: object) -> None:
        self._was_open = True

    def _monitor_current_session(self) -> None:
        """A session has no socket before its reader takes it up. The SDK's monitor, which looks at once, takes that for a
        broken line and makes another one; what Slack has just sent to the first one is then lost for its person."""
        if time.monotonic() - self._made_at > _TAKEN_UP:
            super()._monitor_current_session()  # type: ignore[no-untyped-call]

    def enqueue_message(self, message: str) -> None:
        with self._changed:
            if self._deaf:
                return  # not acknowledged, so Slack tells its person
            self._unanswered += _DELIVERY in message
        super().enqueue_message(message)

    def run_message_listeners(self, message: dict[str, Any], raw_message: str) -> None:
        try:
            super().run_message_listeners(message, raw_message)
        finally:
            with self._changed:
                self._unanswered -= _DELIVERY in raw_message
                self._changed.notify_all()

    def answer_and_hear_no_more(self, seconds: float) -> bool:
        """Wait until what was received is answered; False when that took too long. What comes in meanwhile is still taken, for
        at most half of that time: then the rest is for answers alone."""
        with self._changed:
            self._changed.wait_for(lambda: self._unanswered <= 0, seconds / 2)
            self._deaf = True
            return self._changed.wait_for(lambda: self._unanswered <= 0, seconds / 2)

    def close(self) -> None:
        """Break the line and let its reader go, and only then close it: a closed socket wakes nobody, and the reader would
        sleep on it for ten seconds more."""
        self.auto_reconnect_enabled = False
        session = self.current_session
        line = session.sock.sock if session is not None and session.sock is not None else None
        if session is not None and line is not None:
            session.keep_running = False
            with suppress(OSError):  # the other side was faster
                line.shutdown(socket.SHUT_RDWR)
            self.current_session_runner.shutdown()  # type: ignore[no-untyped-call]
            line.close()  # the library forgets to when it finds the line broken
        self.closed = True
        self.message_queue.put(None)  # or whoever takes from it would wait for a second more
        super().close()
