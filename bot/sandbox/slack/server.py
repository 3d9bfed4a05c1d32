"""The workspace on a port of 127.0.0.1: uvicorn in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress
from typing import Any, cast

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from uvicorn.protocols.http.h11_impl import H11Protocol
from websockets.exceptions import InvalidState

from bot.sandbox.slack import files
from bot.sandbox.slack.response_urls import ResponseUrls
from bot.sandbox.slack.socket_mode import SocketMode
from bot.sandbox.slack.state import State
from bot.sandbox.slack.trouble import DOWNLOAD
from bot.sandbox.slack.web_api import Guard, WebApi, bearer

#: For what is being answered when the server ends.
STOP_SECONDS = 1.0


class _Protocol(H11Protocol):
    """Lets a handler reach its connection, so that it can close it without an answer."""

    def handle_events(self) -> None:
        super().handle_events()
        if self.scope:
            cast(dict[str, Any], self.scope)["sandbox.transport"] = self.transport


class _Announcing(uvicorn.Server):
    """Tells when it listens, and ends when told instead of looking ten times a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()
        self.loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        self.listening.set()
        await self._over.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say goodbye to everybody, and wait until what is being answered is answered."""
        for server in self.servers:
            server.close()
        for connection in [*self.server_state.connections]:
            with suppress(InvalidState):  # the other side was saying goodbye already
                connection.shutdown()
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                while self.server_state.connections or self.server_state.tasks:
                    await asyncio.sleep(0.001)

    def end(self) -> None:
        if self.loop is not None:
            self.loop.call_soon_threadsafe(self._over.set)


class Site:
    """What is served where."""

    def __init__(self, state: State, guard: Guard, web_api: WebApi, sockets: SocketMode) -> None:
        self._state = state
        self._guard = guard
        routes = [
            Route("/api/{method}", web_api.handle, methods=["GET", "POST"]),
            Route("/hooks/{kind}/{team}/{key}", ResponseUrls(state, guard).handle, methods=["POST"]),
            Route("/files-pri/{file}/{name}", self._download),
            Route("/files-pri/{file}/download/{name}", self._download),
            WebSocketRoute("/link/", sockets.serve),
        ]
        self.app = Starlette(routes=routes)

    def add(self, *routes: BaseRoute) -> None:
        """More addresses; those that are there already come first."""
        self.app.router.routes.extend(routes)

    async def _download(self, request: Request) -> Response:
        identity = request.path_params["file"].rpartition("-")[2]
        token = bearer(request)

        def act(call: object) -> Response:
            stored = files.download(self._state, identity, token)
            if stored is None:
                return HTMLResponse(files.LOGIN_PAGE)
            return Response(stored.content, media_type="application/octet-stream")

        return await self._guard.run(DOWNLOAD, {"file": identity}, act)


class Server:
    """Starts and stops; the port is kept for as long as it runs."""

    def __init__(self, app: Starlette) -> None:
        self._app = app
        self._server: _Announcing | None = None
        self._thread: threading.Thread | None = None

    def start(self, port: int) -> tuple[int, asyncio.AbstractEventLoop]:
        """Listen; returns the port and the loop on which everything is served."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        config = uvicorn.Config(
            self._app,
            http=_Protocol,
            ws="websockets-sansio",
            lifespan="off",
            log_config=None,
            access_log=False,
        )
        self._server = _Announcing(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="sandbox-slack", daemon=True
        )
        self._thread.start()
        if not self._server.listening.wait(10) or self._server.loop is None:
            raise RuntimeError("The sandbox's Slack did not start within 10 s.")
        return listener.getsockname()[1], self._server.loop

    def stop(self) -> None:
        if self._server is not None and self._thread is not None:
            self._server.end()
            self._thread.join(10)
            self._server = self._thread = None
