"""A tiny HTTP server that stands where Slack stands: it answers as told, and remembers what was sent."""

import json
import socket
import struct
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

TOKEN = "xoxb-token-that-must-not-show"


@dataclass(frozen=True)
class Sent:
    """One request as it arrived."""

    method: str
    verb: str
    path: str
    headers: Mapping[str, str]
    args: dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """What to answer. ``reset`` breaks the connection off in place of an answer; ``until`` holds the answer back."""

    body: bytes = b'{"ok": true}'
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    reset: bool = False
    until: threading.Event | None = None
    content_length: int | None = None


def ok(**data: Any) -> Reply:
    return Reply(json.dumps({"ok": True, **data}).encode(), headers={"Content-Type": "application/json"})


def refusal(error: str, status: int = 200, headers: Mapping[str, str] | None = None, **data: Any) -> Reply:
    return Reply(json.dumps({"ok": False, "error": error, **data}).encode(), status, headers or {})


class _Server(ThreadingHTTPServer):
    #: Enough for as many connections at once as a test opens; the kernel drops what does not fit, for a second.
    request_queue_size = 128


class SlackApi:
    """``answers[method]`` is a queue of replies (the last one stays), ``sent`` what came in, in order."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.arrived = threading.Condition()
        self.answers: dict[str, deque[Reply]] = defaultdict(deque)
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{self.host}/api/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, method: str, *replies: Reply) -> None:
        self.answers[method] = deque(replies)

    def calls(self, method: str) -> list[Sent]:
        return [sent for sent in self.sent if sent.method == method]

    def wait_for(self, condition: Callable[[], bool]) -> None:
        with self.arrived:
            assert self.arrived.wait_for(condition, timeout=10)

    def take(self, sent: Sent) -> Reply:
        with self.arrived:
            self.sent.append(sent)
            self.arrived.notify_all()
            queue = self.answers[sent.method]
            if not queue:
                return Reply()
            return queue.popleft() if len(queue) > 1 else queue[0]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                self._serve(self.rfile.read(length))

            def do_GET(self) -> None:
                self._serve(b"")

            def _serve(self, body: bytes) -> None:
                path = urlsplit(self.path).path
                method = path.removeprefix("/api/") if path.startswith("/api/") else path
                args = _parsed(self.headers.get("Content-Type") or "", body)
                reply = api.take(Sent(method, self.command, self.path, dict(self.headers), args))
                if reply.until is not None:
                    assert reply.until.wait(30)
                if reply.reset:
                    _reset(self.connection)
                    self.close_connection = True
                    return
                self._send(reply)

            def _send(self, reply: Reply) -> None:
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                length = len(reply.body) if reply.content_length is None else reply.content_length
                self.send_header("Content-Length", str(length))
                self.end_headers()
                try:
                    self.wfile.write(reply.body)
                except ConnectionError:
                    self.close_connection = True  # the reader has seen enough

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                """Requests are told by `SlackApi.sent`."""

        return Handler


def _parsed(kind: str, body: bytes) -> dict[str, Any]:
    if kind.startswith("application/json"):
        parsed: dict[str, Any] = json.loads(body or b"{}")
        return parsed
    return dict(parse_qsl(body.decode()))


def _reset(connection: socket.socket) -> None:
    """Close so that the other side sees a reset and not an end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
