"""Events to the app, sent again until one is acknowledged (docs.slack.dev/apis/events-api, "Retries")."""

from __future__ import annotations

from bot.sandbox.slack import payloads
from bot.sandbox.slack.records import Delivery, Json
from bot.sandbox.slack.socket_mode import SocketMode
from bot.sandbox.slack.state import State

#: What an app must be allowed to read to be told about it (docs.slack.dev/reference/events, the page of each name).
SCOPES = {"subteam_members_changed": "usergroups:read"}


class Events:
    def __init__(self, state: State, socket: SocketMode) -> None:
        self._state = state
        self._socket = socket
        #: Seconds before the first, second and third repetition.
        self.retry_delays: tuple[float, ...] = (0.0, 60.0, 300.0)

    def send(self, inner: Json) -> Delivery | None:
        """Send an event to which the manifest subscribes and for which it has the scope; None for any other."""
        kind = inner["type"]
        scope = SCOPES.get(kind)
        if kind not in self._state.app.events or (scope and scope not in self._state.app.scopes):
            return None
        return self._attempt(payloads.event(self._state, inner), 0)

    def _attempt(self, payload: Json, attempt: int) -> Delivery:
        def settled(delivery: Delivery) -> None:
            if delivery.outcome != "acked" and attempt < len(self.retry_delays):
                self._socket.call(self._later, payload, attempt + 1)

        reason = "timeout" if attempt else ""
        return self._socket.deliver("events_api", payload, None, settled, attempt=attempt, reason=reason)

    def _later(self, payload: Json, attempt: int) -> None:
        if self._socket.loop is not None:
            self._socket.loop.call_later(self.retry_delays[attempt - 1], self._attempt, payload, attempt)
