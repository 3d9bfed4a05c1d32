"""The port: uvicorn in a thread of its own, which can be closed and opened again like a machine's plug."""

import asyncio
import socket
import threading
from contextlib import suppress
from typing import Any
from weakref import WeakSet

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from bot.sandbox.pbx.tls import ServedCertificate

START_SECONDS = 10.0
STOP_SECONDS = 5.0


class Connection(H11Protocol):
    """uvicorn's own, but the application gets the transport, so that it can hang up."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.app_state = {**self.app_state, "transport": transport}
        super().connection_made(transport)


class Port(socket.socket):
    """A listening socket that remembers who came in, also those who are still in the TLS handshake."""

    def __init__(self, number: int) -> None:
        # asyncio switches Nagle's algorithm off only where the protocol is named; with it each answer is 40 ms late.
        super().__init__(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._visitors: WeakSet[socket.socket] = WeakSet()
        self.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self.bind(("127.0.0.1", number))
        except OSError:
            self.close()
            raise

    def accept(self) -> tuple[socket.socket, Any]:
        visitor, address = super().accept()
        self._visitors.add(visitor)
        return visitor, address

    def hang_up(self) -> bool:
        """Break every connection; True once asyncio has cleared them all away."""
        still_open = [visitor for visitor in self._visitors if visitor.fileno() >= 0]
        for visitor in still_open:
            # The other side may have been faster.
            with suppress(OSError):
                visitor.shutdown(socket.SHUT_RDWR)
        return not still_open


class _Server(uvicorn.Server):
    """uvicorn's own, but it starts and ends when told instead of looking ten times a second."""

    def __init__(self, config: uvicorn.Config, port: Port) -> None:
        super().__init__(config)
        self.listening = threading.Event()
        self._port = port

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        self.listening.set()
        await self._over.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Hang up on everybody at once, as a machine does that loses its power."""
        for server in self.servers:
            server.close()
        async with asyncio.timeout(STOP_SECONDS):
            while not self._port.hang_up() or self.server_state.tasks:
                await asyncio.sleep(0.001)

    def refuse(self) -> None:
        """Let nobody else in; whoever is inside stays. To be called on the server's own loop."""
        for server in self.servers:
            server.close()

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)


class Listener:
    """An HTTPS port on 127.0.0.1."""

    def __init__(self, app: ASGIApp, served: ServedCertificate) -> None:
        self._app = app
        self._served = served
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        #: Whether new connections are refused while those that were there are still served.
        self.refusing = False

    @property
    def open(self) -> bool:
        return self._server is not None

    def start(self, port: int = 0) -> int:
        """Listen on this port, or on any free one for 0; says which."""
        if self.open:
            raise RuntimeError("the simulated PBX listens already")
        bound = Port(port)
        self._server = server = _Server(self._config(), bound)
        self._thread = threading.Thread(target=server.run, args=([bound],), name="pbx-simulator", daemon=True)
        self._thread.start()
        if not server.listening.wait(START_SECONDS):
            raise RuntimeError("the simulated PBX did not start to listen")
        return int(bound.getsockname()[1])

    def refuse(self) -> None:
        """Listen no more, but answer those who are connected. Only from within a call that is being answered."""
        if self._server is not None:
            self._server.refuse()
            self.refusing = True

    def stop(self) -> None:
        """Stop listening and hang up; nothing happens if it is stopped already."""
        if self._server is None or self._thread is None:
            return
        self._server.end()
        self._thread.join()
        self._server = self._thread = None
        self.refusing = False

    def _config(self) -> uvicorn.Config:
        settings: dict[str, Any] = {"loop": "asyncio", "lifespan": "off", "ws": "none", "log_config": None, "access_log": False}
        return uvicorn.Config(
            self._app,
            http=Connection,
            server_header=False,
            ssl_context_factory=lambda _config, _default: self._served.front,
            **settings,
        )
