"""Socket Mode: envelopes out, acknowledgements in (docs.slack.dev/apis/events-api/using-socket-mode).

Only events are sent again by Slack; a click, a command or a submission that is not acknowledged is lost.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Callable

from starlette.websockets import WebSocket, WebSocketDisconnect

from bot.sandbox.slack.records import Delivery, Json, Outcome
from bot.sandbox.slack.state import State

#: Called under the lock once a delivery is settled: acknowledged in time, lost, or nobody there to take it.
Then = Callable[[Delivery], None]


_CLOSE: Json = {}
_GOODBYE: Json = {"type": "disconnect", "reason": "refresh_requested"}


class Connection:
    """One WebSocket of the app; what is put into `outbox` is sent in order, and `_CLOSE` ends it."""

    def __init__(self) -> None:
        self.outbox: asyncio.Queue[Json] = asyncio.Queue()


class SocketMode:
    """The app's connections. `deliver` may be called from any thread, the rest runs on the server's loop."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._connections: list[Connection] = []
        self._turn = 0
        self._then: dict[str, Then] = {}
        self._known: dict[str, Delivery] = {}
        self.ack_deadline = 3.0
        self.loop: asyncio.AbstractEventLoop | None = None

    @property
    def connections(self) -> int:
        return len(self._connections)

    def deliver(
        self, type_: str, payload: Json, user: str | None, then: Then, *, attempt: int = 0, reason: str = ""
    ) -> Delivery:
        """Send to one of the app's connections, each in its turn."""
        kind = str(payload.get("type", "command"))
        if type_ == "events_api":
            kind = str(payload["event"]["type"])
        with self._state.changed:
            delivery = Delivery(type_, kind, str(uuid.uuid4()), user, payload, time.monotonic(), attempt=attempt)
            self._state.deliveries.append(delivery)
            self._known[delivery.envelope_id] = delivery
            self._then[delivery.envelope_id] = then
            if self._connections and self.loop is not None:
                self._turn += 1
                connection = self._connections[self._turn % len(self._connections)]
                self.loop.call_soon_threadsafe(self._send, connection, delivery, reason)
            else:
                self._settle(delivery, "no bot")
        return delivery

    def _send(self, connection: Connection, delivery: Delivery, reason: str) -> None:
        events = delivery.type == "events_api"
        envelope: Json = {
            "envelope_id": delivery.envelope_id,
            "type": delivery.type,
            "accepts_response_payload": not events,
            "payload": delivery.payload,
        }
        if events:
            envelope |= {"retry_attempt": delivery.attempt, "retry_reason": reason}
        connection.outbox.put_nowait(envelope)
        asyncio.get_running_loop().call_later(self.ack_deadline, self._expire, delivery)

    def _expire(self, delivery: Delivery) -> None:
        with self._state.changed:
            if not delivery.settled:
                self._settle(delivery, "lost")

    def _settle(self, delivery: Delivery, outcome: Outcome) -> None:
        delivery.outcome = outcome
        self._then.pop(delivery.envelope_id)(delivery)
        delivery.done.set()
        self._state.changed.notify_all()

    def _acknowledge(self, envelope_id: object, payload: Json | None) -> None:
        """An answer counts only within the deadline; a later one is noted and changes nothing."""
        with self._state.changed:
            delivery = self._known.get(str(envelope_id))
            if delivery is None or delivery.acked is not None:
                return
            delivery.acked, delivery.ack = time.monotonic(), payload
            if delivery.settled or delivery.acked - delivery.sent > self.ack_deadline:
                if not delivery.settled:
                    self._settle(delivery, "lost")
                delivery.outcome = "late"
                self._state.changed.notify_all()
            else:
                self._settle(delivery, "acked")

    async def serve(self, socket: WebSocket) -> None:
        """One connection, from its ticket to its end."""
        if not self._take_ticket(socket.query_params.get("ticket", "")):
            await socket.close(4001, "The ticket is not valid.")
            return
        await socket.accept()
        connection = Connection()
        with self._state.changed:
            connection.outbox.put_nowait(self._hello())
            self._connections.append(connection)
            self._state.changed.notify_all()
        sender = asyncio.create_task(self._drain(socket, connection))
        try:
            await self._listen(socket)
        finally:
            self._forget(connection)
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)

    def _take_ticket(self, ticket: str) -> bool:
        with self._state.changed:
            known = ticket in self._state.tickets
            self._state.tickets.discard(ticket)
            return known

    def _hello(self) -> Json:
        info = {"app_id": self._state.app_id}
        return {"type": "hello", "num_connections": len(self._connections) + 1, "connection_info": info}

    async def _drain(self, socket: WebSocket, connection: Connection) -> None:
        while envelope := await connection.outbox.get():
            await socket.send_json(envelope)
        await socket.close()

    async def _listen(self, socket: WebSocket) -> None:
        while True:
            try:
                message = json.loads(await socket.receive_text())
            except (WebSocketDisconnect, ValueError):
                return
            except RuntimeError:  # `disconnect` has closed it in the meantime
                return
            if isinstance(message, dict):
                payload = message.get("payload")
                self._acknowledge(message.get("envelope_id"), payload if isinstance(payload, dict) else None)

    def _forget(self, connection: Connection) -> None:
        with self._state.changed:
            if connection in self._connections:
                self._connections.remove(connection)
            self._state.changed.notify_all()

    def disconnect(self, *, goodbye: bool = True) -> None:
        """Close every connection, with Slack's ``disconnect`` message before it or without; new ones may come."""
        with self._state.changed:
            gone, self._connections = self._connections, []
            for connection in gone:
                for last in (_GOODBYE, _CLOSE) if goodbye else (_CLOSE,):
                    self.call(connection.outbox.put_nowait, last)
            self._state.changed.notify_all()

    def call(self, function: Callable[..., object], *args: object) -> None:
        """Run a function on the server's loop; nothing where there is no server any more."""
        if self.loop is not None:
            self.loop.call_soon_threadsafe(function, *args)

    def give_up(self) -> None:
        """The server ends: nothing that is still waiting will be answered."""
        with self._state.changed:
            self.loop = None
            self.lose_unanswered()

    def lose_unanswered(self) -> None:
        """Whoever waits for an answer waits no longer, as if the deadline were over."""
        with self._state.changed:
            for delivery in [*self._known.values()]:
                if not delivery.settled:
                    self._settle(delivery, "lost")
            self._state.changed.notify_all()
