"""What the tests of `bot.pbx` share: a shelf in memory, a clock to set, and a server that answers any bytes one wants."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

import pytest
from cryptography.hazmat.primitives import hashes
from pydantic import SecretStr

from bot.domain.tokens import Tokens
from bot.exceptions import BotError, PbxError
from bot.pbx.client import PbxClient
from bot.pbx.endpoint import Endpoint
from bot.pbx.transport import Call, Transport
from bot.sandbox.pbx import PbxSimulator
from bot.sandbox.pki import Issued, self_signed

SECRET = "the-client-secret-nobody-may-see"
TOKEN = "an-access-token-nobody-may-see"

OK = '{"errcode": 0, "errmsg": "SUCCESS"}'

JSON_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"


class MemoryShelf:
    """A token shelf as the store's, without a database."""

    def __init__(self) -> None:
        self.tokens: Tokens | None = None
        self.stops: dict[str, str] = {}
        self._lock = threading.Lock()

    def load(self, pbx: str) -> Tokens | None:
        return self.tokens

    def save(self, pbx: str, tokens: Tokens) -> None:
        self.tokens = tokens

    def drop(self, pbx: str, access: str) -> None:
        if self.tokens and self.tokens.access == access:
            self.tokens = None

    def stopped(self, pbx: str, fingerprint: str) -> str | None:
        return self.stops.get(fingerprint)

    def stop(self, pbx: str, fingerprint: str, reason: str) -> None:
        self.stops[fingerprint] = reason

    @contextmanager
    def exclusive(self, pbx: str) -> Iterator[None]:
        with self._lock:
            yield


@dataclass
class Clock:
    """A moment that passes only when it is told to."""

    moment: datetime = datetime(2027, 1, 16, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def pass_by(self, **time: float) -> None:
        self.moment += timedelta(**time)


def endpoint_of(pbx: PbxSimulator, **changes: Any) -> Endpoint:
    told = {
        "name": pbx.name,
        "url": pbx.url,
        "client_id": pbx.client_id,
        "client_secret": SecretStr(pbx.client_secret),
        "tls": f"sha256:{pbx.fingerprint}",
    }
    return Endpoint(**{**told, **changes})


def client_of(pbx: PbxSimulator, shelf: MemoryShelf | None = None, now: Callable[[], datetime] | None = None) -> PbxClient:
    return PbxClient(endpoint_of(pbx), shelf or MemoryShelf(), now=now or pbx.now, connect_timeout=5, read_timeout=10)


def send(endpoint: Endpoint, call: Call, read_timeout: float = 10.0) -> object:
    return Transport(endpoint, connect_timeout=5, read_timeout=read_timeout).send(call, SecretStr(TOKEN))


def error_of(endpoint: Endpoint, call: Call, read_timeout: float = 10.0) -> PbxError:
    with pytest.raises(PbxError) as caught:
        send(endpoint, call, read_timeout)
    return caught.value


def sha256_of(issued: Issued) -> str:
    return issued.cert.fingerprint(hashes.SHA256()).hex()


@lru_cache(maxsize=1)
def own_certificate() -> Issued:
    return self_signed("A PBX", ["localhost", "127.0.0.1"], key="ec256")


def json_answer(body: str) -> bytes:
    return JSON_HEAD + f"Content-Length: {len(body.encode())}\r\n\r\n{body}".encode()


def page(status: int, body: str = "<html>Bad gateway</html>", head: str = "") -> bytes:
    return f"HTTP/1.1 {status} X\r\nContent-Type: text/html\r\n{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def at_once(work: Callable[[], object], threads: int = 20) -> list[BotError | None]:
    """What each of so many threads that start together got: an error of ours, or None."""
    outcomes: list[BotError | None] = []
    gate = threading.Barrier(threads)

    def one() -> None:
        gate.wait(10)
        try:
            work()
        except BotError as error:
            outcomes.append(error)
        else:
            outcomes.append(None)

    running = [threading.Thread(target=one) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(30)
    assert len(outcomes) == threads
    return outcomes


@dataclass
class RawPbx:
    """Answers each request over TLS with what ``answer`` gives for its path, at once or in parts, then closes it."""

    answer: Callable[[str], bytes | Iterable[bytes]]
    certificate: Issued = field(default_factory=own_certificate)
    #: The requests as they came, head and body.
    requests: list[bytes] = field(default_factory=list)
    #: Whether to close a connection before TLS is agreed on.
    hang_up: bool = False

    def __enter__(self) -> Self:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.url = f"https://localhost:{self.port}"
        self._context = _server_context(self.certificate)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None) -> None:
        # Closing alone would not wake accept() everywhere; shutting down does.
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._listening.close()

    def endpoint(self, tls: str | None = None, url: str | None = None) -> Endpoint:
        return Endpoint("hq", url or self.url, "id", SecretStr(SECRET), tls or f"sha256:{sha256_of(self.certificate)}")

    def count(self, path: str) -> int:
        return sum(path.encode() in request.split(b"\r\n")[0] for request in self.requests)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection:
                self._one(connection)

    def _one(self, connection: socket.socket) -> None:
        if self.hang_up:
            return
        connection.settimeout(10)
        try:
            with self._context.wrap_socket(connection, server_side=True) as stream:
                request = _read_request(stream)
                if not request:
                    return
                self.requests.append(request)
                answer = self.answer(request.split(b" ")[1].split(b"?")[0].decode().partition("/v1.0/")[2])
                for part in [answer] if isinstance(answer, bytes) else answer:
                    stream.sendall(part)
        except OSError:
            # A client that does not like our certificate, or has waited long enough, goes away; its test sees to that.
            return


def _read_request(stream: ssl.SSLSocket) -> bytes:
    """The whole request; nothing if the client goes away before it has sent one, as one that does not like our pin."""
    received = b""
    while b"\r\n\r\n" not in received:
        more = stream.recv(65_536)
        if not more:
            return b""
        received += more
    head, _, body = received.partition(b"\r\n\r\n")
    sizes = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while sizes and len(body) < sizes[0]:
        more = stream.recv(65_536)
        if not more:
            break
        body += more
    return head + b"\r\n\r\n" + body


def _server_context(certificate: Issued) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as folder:
        file = Path(folder, "both.pem")
        file.write_bytes(certificate.bundle_pem)
        context.load_cert_chain(file)
    return context
