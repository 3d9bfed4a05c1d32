"""One call over real TLS to servers that behave in every way a PBX, a gateway or a stranger does."""

import http.client
import re
import socket
import threading
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from bot.exceptions import PbxBadAnswer, PbxError, PbxFateUnknown, PbxRefused, PbxUnreachable
from bot.pbx.answers import LARGEST
from bot.pbx.endpoint import Endpoint
from bot.pbx.transport import Call, Transport
from tests.unit.pbx_kit import JSON_HEAD, OK, SECRET, TOKEN, RawPbx, error_of, json_answer, page, send

READ = Call("GET", "certificate/list", "list its certificates")
WRITE = Call("POST", "certificate/create", "add the certificate", write=True, json={"name": "a.crt"})
DELETE = Call("GET", "certificate/delete", "delete the certificate", write=True, params={"id": 4})


def answered(body: bytes, call: Call = READ) -> object:
    with RawPbx(lambda _path: body) as pbx:
        return send(pbx.endpoint(), call)


def error_for(body: bytes, call: Call = READ) -> PbxError:
    with RawPbx(lambda _path: body) as pbx:
        error = error_of(pbx.endpoint(), call)
        assert len(pbx.requests) == 1, "nothing is ever sent twice"
    return error


def test_what_goes_out() -> None:
    """A request has a User-Agent, closes its connection, and carries its token in the query and nowhere else."""
    with RawPbx(lambda _path: json_answer(OK)) as pbx:
        send(pbx.endpoint(), DELETE)
    head = pbx.requests[0].decode().split("\r\n")
    assert head[0] == f"GET /openapi/v1.0/certificate/delete?id=4&access_token={TOKEN} HTTP/1.1"
    assert any(re.fullmatch(r"User-Agent: pbx-cert-bot/\d\S*", line) for line in head)
    assert "Connection: close" in head
    assert not any("authorization" in line.lower() for line in head)


def test_upload_form() -> None:
    """An upload is a multipart form, with the type before the file."""
    upload = Call("POST", "certificate/upload", "take the file", write=True, form={"type": "server"}, file=("a.pem", b"PEM"))
    with RawPbx(lambda _path: json_answer(OK)) as pbx:
        send(pbx.endpoint(), upload)
    body = pbx.requests[0]
    assert 0 < body.index(b'name="type"') < body.index(b'name="file"; filename="a.pem"') < body.index(b"PEM")


@pytest.mark.parametrize("kind", ["application/json", "text/html", "application/octet-stream", ""])
def test_content_type_does_not_matter(kind: str) -> None:
    """JSON is read under any content type."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(OK)}\r\n\r\n"
    assert answered(head.encode() + OK.encode()) == {"errcode": 0, "errmsg": "SUCCESS"}


@pytest.mark.parametrize("errcode", ['"0"', "0", "0.0", '" 0 "'])
def test_success_in_any_spelling(errcode: str) -> None:
    """Errcode 0 is success also as a string."""
    assert answered(json_answer(f'{{"errcode": {errcode}}}'))


def test_errcode_decides_over_status() -> None:
    """An errcode counts under any HTTP status but a redirection."""
    body = '{"errcode": "40003", "errmsg": "DUPLICATE KEY VALUE"}'
    error = error_for(page(500, body), WRITE)
    assert isinstance(error, PbxRefused)
    assert error.errcode == 40003


NO_ANSWERS = {
    "web page": page(200),
    "gateway": page(502),
    "empty": page(200, ""),
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "list": json_answer("[]"),
    "text": json_answer('"errcode"'),
    "no errcode": json_answer('{"errmsg": "SUCCESS"}'),
    "errcode true": json_answer('{"errcode": true}'),
    "errcode none": json_answer('{"errcode": null}'),
    "not UTF-8": json_answer("x").replace(b"x", b"\xff"),
    "too deep": json_answer("[" * 100_000),
    "bad gzip": json_answer(OK).replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n"),
    "too large": JSON_HEAD + b"\r\n" + b" " * (LARGEST + 1),
}


@pytest.mark.parametrize("body", NO_ANSWERS.values(), ids=NO_ANSWERS.keys())
def test_no_answer_of_a_pbx(body: bytes) -> None:
    """What is no answer of the Open API is a bad answer to a read, and leaves the fate of a write open."""
    assert type(error_for(body, READ)) is PbxBadAnswer
    assert type(error_for(body, WRITE)) is PbxFateUnknown


@pytest.mark.parametrize("status", [404, 413, 301, 307, 308])
def test_refused_on_the_way(status: int) -> None:
    """A status that says by RFC 9110 that a request was not carried out is believed, also for a write."""
    assert type(error_for(page(status, head="Location: /elsewhere\r\n"), WRITE)) is PbxBadAnswer


@pytest.mark.parametrize("status", [200, 302, 303, 500, 502, 504])
def test_perhaps_carried_out(status: int) -> None:
    """A status that leaves it open whether a write was carried out leaves its fate open."""
    assert type(error_for(page(status, head="Location: /elsewhere\r\n"), WRITE)) is PbxFateUnknown


def test_redirections_are_not_followed() -> None:
    """A redirection would take the token somewhere else, so it ends the call."""
    error = error_for(page(302, OK, head="Location: https://localhost:1/\r\n"), READ)
    assert type(error) is PbxBadAnswer
    assert "redirection" in error.message


CUTS = {
    "nothing": b"",
    "half a body": JSON_HEAD + b"Content-Length: 500\r\n\r\n" + b'{"errcode": 0',
    "half a chunk": JSON_HEAD + b"Transfer-Encoding: chunked\r\n\r\n40\r\n" + b'{"errcode": 0',
    "no HTTP": b"SIP/2.0 200 OK\r\n\r\n",
}


@pytest.mark.parametrize("body", CUTS.values(), ids=CUTS.keys())
@pytest.mark.parametrize("call", [READ, WRITE, DELETE], ids=["read", "write", "delete"])
def test_cut_off(body: bytes, call: Call) -> None:
    """A call that left and has no whole answer may have happened."""
    assert type(error_for(body, call)) is PbxFateUnknown


def test_no_answer_in_time() -> None:
    """A write that is not answered in time may have happened, and the sentence says to look first."""
    given_up = threading.Event()

    def slow(_path: str) -> bytes:
        given_up.wait(10)
        return b""

    with RawPbx(slow) as pbx:
        error = error_of(pbx.endpoint(), WRITE, read_timeout=0.2)
        given_up.set()
    assert type(error) is PbxFateUnknown
    assert "did not answer in time" in error.message
    assert "Look at what it lists" in error.message


@pytest.mark.parametrize("head", [b"Content-Length: 500\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"])
def test_a_byte_at_a_time(head: bytes) -> None:
    """An answer that trickles in for ever is given up after the read timeout, although each wait is short."""
    given_up = threading.Event()

    def trickle() -> Iterator[bytes]:
        yield JSON_HEAD + head
        while not given_up.wait(0.02):
            yield b"1\r\n \r\n" if b"chunked" in head else b" "

    with RawPbx(lambda _path: trickle()) as pbx:
        error = error_of(pbx.endpoint(), READ, read_timeout=0.3)
        given_up.set()
    assert type(error) is PbxFateUnknown
    assert "did not answer in time" in error.message


def test_nobody_listens() -> None:
    """A refused connection means that nothing was sent."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    error = error_of(Endpoint("hq", f"https://127.0.0.1:{port}", "id", SecretStr(SECRET)), WRITE)
    assert type(error) is PbxUnreachable
    assert f"127.0.0.1:{port}" in error.message
    assert "nothing answers there" in error.message


def test_unknown_host() -> None:
    """A host name that nobody knows (RFC 6761, .invalid) means that nothing was sent."""
    error = error_of(Endpoint("hq", "https://pbx.invalid", "id", SecretStr(SECRET)), WRITE)
    assert type(error) is PbxUnreachable
    assert "(unreachable: name)" in error.message


@pytest.mark.parametrize("url", ["https://a..b", "https://" + "x" * 70 + ".example", "https://*"])
def test_impossible_host(url: str) -> None:
    """An address that cannot be one is told as such, and nothing is sent."""
    assert type(error_of(Endpoint("hq", url, "id", SecretStr(SECRET)), WRITE)) is PbxUnreachable


def test_threads_share_a_transport() -> None:
    """Calls of several threads do not get into each other's way."""
    with RawPbx(lambda path: json_answer(f'{{"errcode": 0, "path": "{path}"}}')) as pbx:
        transport = Transport(pbx.endpoint(), connect_timeout=5, read_timeout=10)
        told: dict[str, object] = {}

        def one(path: str) -> None:
            told[path] = transport.send(Call("GET", path, "answer"))["path"]

        threads = [threading.Thread(target=one, args=(f"path/{at}",)) for at in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert told == {f"path/{at}": f"path/{at}" for at in range(8)}
    assert http.client.HTTPConnection.debuglevel == 0
