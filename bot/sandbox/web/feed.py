"""Live updates over a WebSocket: at each change, the pieces that are new to this page."""

import asyncio
import json
import threading

from starlette.websockets import WebSocket, WebSocketDisconnect

from bot.sandbox.web.board import Board
from bot.sandbox.web.served import Handshakes

#: Seconds in which changes are gathered before they are sent, and between two handshakes with a PBX.
GATHER, REST = 0.04, 0.5


class Watcher:
    """Somebody on the server's loop who is woken from any thread."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()

    def wake(self) -> None:
        self._loop.call_soon_threadsafe(self._event.set)

    async def next(self, pause: float) -> None:
        """The next change, and a moment more for those that come with it."""
        await self._event.wait()
        await asyncio.sleep(pause)
        self._event.clear()


class Feed:
    """`wake` and `look_again` may be called from any thread, the rest runs on the server's loop."""

    def __init__(self, board: Board, handshakes: Handshakes) -> None:
        self._board = board
        self._handshakes = handshakes
        self._lock = threading.Lock()
        self._pages: set[Watcher] = set()
        self._prober: Watcher | None = None
        self._probing: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Something has changed."""
        with self._lock:
            for page in self._pages:
                page.wake()

    def look_again(self) -> None:
        """A PBX has changed, perhaps also what it serves."""
        self.wake()
        with self._lock:
            if self._prober is not None:
                self._prober.wake()

    async def serve(self, socket: WebSocket) -> None:
        """One page, until it goes. The page says as whom it looks."""
        user = socket.query_params.get("as", "")
        if not self._board.may_act_as(user):
            user = self._board.first()
        await socket.accept()
        page = Watcher()
        self._enter(page)
        tasks = {asyncio.create_task(self._send(socket, page, user)), asyncio.create_task(_until_gone(socket))}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended = [task for task in tasks if task.done()]
            await self._leave(page, tasks)
        for task in ended:
            task.result()

    def _enter(self, page: Watcher) -> None:
        """Whoever comes first starts the handshakes for all."""
        with self._lock:
            self._pages.add(page)
            if self._probing is None:
                self._prober = Watcher()
                self._probing = asyncio.create_task(self._probe(self._prober))

    async def _leave(self, page: Watcher, tasks: set[asyncio.Task[None]]) -> None:
        """Whoever goes last ends them."""
        over = list(tasks)
        with self._lock:
            self._pages.discard(page)
            if not self._pages and self._probing is not None:
                over.append(self._probing)
                self._prober = self._probing = None
        for task in over:
            task.cancel()
        await asyncio.gather(*over, return_exceptions=True)

    async def _send(self, socket: WebSocket, page: Watcher, user: str) -> None:
        sent: dict[str, str] = {}
        while True:
            pieces = self._board.pieces(user)
            new = [f"{json.dumps(key)}:{value}" for key, value in pieces.items() if sent.get(key) != value]
            gone = [key for key in sent if key not in pieces]
            if new or gone:
                try:
                    await socket.send_text(f'{{"gone":{json.dumps(gone)},"new":{{{",".join(new)}}}}}')
                except WebSocketDisconnect:
                    return
            sent = pieces
            await page.next(GATHER)

    async def _probe(self, prober: Watcher) -> None:
        """Shake hands at each change of a PBX, but not without a rest."""
        while True:
            if await asyncio.to_thread(self._handshakes.look):
                self.wake()
            await prober.next(REST)


async def _until_gone(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        continue
