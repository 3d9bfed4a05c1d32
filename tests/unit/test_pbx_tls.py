"""How the right PBX is known, and what happens when another one answers: nothing is sent."""

import socket
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.exceptions import ConfigError, PbxUnreachable
from bot.pbx.endpoint import Endpoint
from bot.pbx.transport import Call
from bot.sandbox.pki import Authority, self_signed
from tests.unit.pbx_kit import OK, SECRET, TOKEN, RawPbx, error_of, json_answer, send, sha256_of

READ = Call("GET", "certificate/list", "list its certificates")


WRITE = Call("POST", "certificate/create", "add the certificate", write=True, json={"name": "a.crt"})


def test_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the environment is used, except to this machine; one that refuses means that nothing was sent."""
    asked: list[bytes] = []

    def refuse(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            asked.append(connection.recv(65_536))
            connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as proxy, RawPbx(lambda _path: json_answer(OK)) as pbx:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.getsockname()[1]}")
        monkeypatch.setenv("NO_PROXY", "")
        monkeypatch.setenv("no_proxy", "")
        thread = threading.Thread(target=refuse, args=(proxy,))
        thread.start()
        assert send(pbx.endpoint(), READ)
        error = error_of(Endpoint("hq", "https://pbx.invalid", "id", SecretStr(SECRET)), WRITE)
        thread.join(10)
    assert asked[0].startswith(b"CONNECT pbx.invalid:443 ")
    assert TOKEN.encode() not in asked[0]
    assert type(error) is PbxUnreachable
    assert "(unreachable: proxy)" in error.message


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
