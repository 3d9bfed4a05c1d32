"""One call over real TLS to servers that behave in every way a PBX, a gateway or a stranger does."""

import http.client
import logging
import re
import socket
import threading
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.exceptions import ConfigError, PbxBadAnswer, PbxError, PbxFateUnknown, PbxRefused, PbxUnreachable
from bot.pbx.endpoint import Endpoint
from bot.pbx.transport import LARGEST_ANSWER, Call, Transport
from bot.sandbox.pki import Authority, self_signed
from tests.unit.pbx_kit import JSON_HEAD, SECRET, TOKEN, RawPbx, json_answer, page, sha256_of

READ = Call("GET", "certificate/list", "list its certificates")
WRITE = Call("POST", "certificate/create", "add the certificate", write=True, json={"name": "a.crt"})
DELETE = Call("GET", "certificate/delete", "delete the certificate", write=True, params={"id": 4})
OK = '{"errcode": 0, "errmsg": "SUCCESS"}'


def send(endpoint: Endpoint, call: Call, read_timeout: float = 10.0) -> object:
    return Transport(endpoint, connect_timeout=5, read_timeout=read_timeout).send(call, SecretStr(TOKEN))


def error_of(endpoint: Endpoint, call: Call, read_timeout: float = 10.0) -> PbxError:
    with pytest.raises(PbxError) as caught:
        send(endpoint, call, read_timeout)
    return caught.value


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
    "too large": JSON_HEAD + b"\r\n" + b" " * (LARGEST_ANSWER + 1),
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


def test_hung_up_before_tls() -> None:
    """A connection closed before TLS was agreed on carried nothing."""
    with RawPbx(lambda _path: b"", hang_up=True) as pbx:
        assert type(error_of(pbx.endpoint(), WRITE)) is PbxUnreachable


def test_no_tls_at_all() -> None:
    """The plain HTTP port is named as the likely mistake, and nothing is sent in the clear."""
    received: list[bytes] = []

    def serve(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            received.append(connection.recv(65_536))
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        error = error_of(Endpoint("hq", f"https://127.0.0.1:{listening.getsockname()[1]}", "id", SecretStr(SECRET)), WRITE)
        thread.join(10)
    assert type(error) is PbxUnreachable
    assert "the one for HTTPS" in error.message
    assert TOKEN.encode() not in received[0]


def test_right_pin() -> None:
    """A self-signed certificate is enough if its fingerprint is pinned, in any usual spelling."""
    with RawPbx(lambda _path: json_answer(OK)) as pbx:
        pin = sha256_of(pbx.certificate)
        colons = ":".join(pin[at : at + 2] for at in range(0, 64, 2)).upper()
        assert send(pbx.endpoint(f"sha256:{pin}"), READ)
        assert send(pbx.endpoint(f"sha256:{colons}", url=f"https://127.0.0.1:{pbx.port}"), READ)


def test_wrong_pin() -> None:
    """Another certificate than the pinned one ends the call before anything is sent, and is told."""
    with RawPbx(lambda _path: json_answer(OK)) as pbx:
        error = error_of(pbx.endpoint("sha256:" + "0" * 64), WRITE)
    assert type(error) is PbxUnreachable
    assert "another certificate than the pinned one" in error.message
    assert sha256_of(pbx.certificate) in error.message
    assert pbx.requests == []


def test_self_signed_without_pin() -> None:
    """Without a pin, a self-signed certificate is refused by the system's store, with what to do about it."""
    with RawPbx(lambda _path: json_answer(OK)) as pbx:
        error = error_of(pbx.endpoint("system"), WRITE)
    assert type(error) is PbxUnreachable
    assert "pin the certificate" in error.message
    assert pbx.requests == []


def test_ca_file(tmp_path: Path) -> None:
    """With a CA file, its authority is trusted, for the right host name and while the certificate is valid."""
    root = Authority.make("Our CA")
    file = tmp_path / "ca.pem"
    file.write_bytes(root.cert_pem)
    with RawPbx(lambda _path: json_answer(OK), root.issue("localhost", sans=["localhost"])) as pbx:
        assert send(pbx.endpoint(str(file)), READ)
        wrong_name = error_of(pbx.endpoint(str(file), url=f"https://127.0.0.1:{pbx.port}"), READ)
    assert "does not name this IP address" in wrong_name.message
    started = datetime.now(UTC) - timedelta(days=9)
    with RawPbx(lambda _path: json_answer(OK), root.issue("localhost", days=2, not_before=started)) as pbx:
        assert "has expired" in error_of(pbx.endpoint(str(file)), READ).message
    with RawPbx(lambda _path: json_answer(OK), self_signed("localhost", ["localhost"])) as pbx:
        assert "no authority that this machine trusts" in error_of(pbx.endpoint(str(file)), READ).message


def test_missing_ca_file(tmp_path: Path) -> None:
    """A CA file that is gone ends the call before it leaves; TLS is never quietly off."""
    with RawPbx(lambda _path: json_answer(OK)) as pbx:
        error = error_of(pbx.endpoint(str(tmp_path / "none.pem")), WRITE)
        assert pbx.requests == []
    assert type(error) is PbxUnreachable


@pytest.mark.parametrize(("url", "tls"), [("http://pbx", "system"), ("https://", "system"), ("https://pbx", "sha256:12")])
def test_unusable_endpoint(url: str, tls: str) -> None:
    """An address without TLS and a pin that is none are refused at once."""
    with pytest.raises(ConfigError):
        Endpoint("hq", url, "id", SecretStr(SECRET), tls)


def test_environment_cannot_weaken_tls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither a bundle of authorities nor a password file of the environment reaches a call."""
    own = self_signed("localhost", ["localhost"])
    bundle, netrc = tmp_path / "bundle.pem", tmp_path / "netrc"
    bundle.write_bytes(own.cert_pem)
    netrc.write_text("machine localhost login somebody password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    monkeypatch.setenv("NETRC", str(netrc))
    with RawPbx(lambda _path: json_answer(OK), own) as pbx:
        assert type(error_of(pbx.endpoint("system"), READ)) is PbxUnreachable
        send(pbx.endpoint(), READ)
    assert b"authorization" not in pbx.requests[0].lower()


FAILURES = {
    "refused": json_answer(f'{{"errcode": 40002, "errmsg": "bad access_token={TOKEN} and {SECRET} in {TOKEN}"}}'),
    "garbled": page(502, f"<html>{TOKEN} {SECRET}</html>"),
    "cut": JSON_HEAD + b"Content-Length: 500\r\n\r\n{",
    "nothing": b"",
}


@pytest.mark.parametrize("body", FAILURES.values(), ids=FAILURES.keys())
def test_no_secret_in_errors(body: bytes) -> None:
    """Neither token nor secret is in an error, its chain, or a traceback that shows every variable."""
    call = Call("POST", "certificate/create", "add the certificate", json={"password": SECRET}, secrets=(SECRET,))
    with RawPbx(lambda _path: body) as pbx:
        endpoint = pbx.endpoint()
        try:
            send(endpoint, call)
        except PbxError as caught:
            error = caught
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    ours = [frame for frame in shown.stack if "pbx" in Path(frame.filename).parts]
    assert any(frame.locals for frame in ours)
    told = f"{[frame.locals for frame in ours]} {error} {error!r} {error.args} {vars(error)}"
    assert TOKEN not in told
    assert SECRET not in told
    assert error.__cause__ is None
    assert error.__context__ is None


def test_no_token_in_logs(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    """Even with every library's debug log on, no token is written down."""
    with caplog.at_level(logging.DEBUG), RawPbx(lambda _path: json_answer(OK)) as pbx:
        send(pbx.endpoint(), READ)
        pbx.hang_up = True
        error_of(pbx.endpoint(), READ)
    assert "access_token=[hidden]" in caplog.text, "the log that would have had it was on"
    assert TOKEN not in caplog.text + "".join(capsys.readouterr())


def test_nothing_hidden_shows() -> None:
    """The repr of an endpoint and of a call hides what is secret in them."""
    call = Call("POST", "get_token", "let the bot log in", json={"password": SECRET}, secrets=(SECRET,), file=("a", b"PRIVATE"))
    endpoint = Endpoint("hq", "https://pbx", "id", SecretStr(SECRET))
    assert SECRET not in repr(call) + repr(endpoint) + endpoint.fingerprint
    assert "PRIVATE" not in repr(call)


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
