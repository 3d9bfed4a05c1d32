"""The simulated PBX: the certificate that its web server shows."""

import hashlib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from bot.sandbox.pbx import PbxSimulator
from bot.sandbox.pki import Authority, KeyKind
from tests.unit.sandbox_pbx import Caller

ROOT = Authority.make("Example Root CA")
ISSUING = ROOT.intermediate("Example Issuing CA")


@pytest.fixture
def pbx() -> Iterator[PbxSimulator]:
    with PbxSimulator("hq") as pbx:
        yield pbx


@pytest.fixture
def caller(pbx: PbxSimulator) -> Caller:
    return Caller(pbx).logged_in()


def served(pbx: PbxSimulator, server_name: str | None = None) -> str:
    """The fingerprint that a TLS handshake shows, with or without a server name in it."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", pbx.port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=server_name) as connection,
    ):
        return hashlib.sha256(connection.getpeercert(binary_form=True) or b"").hexdigest()


def use(caller: Caller, name: object) -> int:
    return int(caller.post("webserver/update", https_cert=name)["errcode"])


def test_comes_with_a_certificate_that_nobody_vouches_for(pbx: PbxSimulator) -> None:
    """A client that verifies refuses the built-in certificate, whose fingerprint the simulator tells."""
    with pytest.raises(requests.exceptions.SSLError, match="self-signed"):
        requests.get(pbx.url, timeout=10)
    assert served(pbx) == pbx.fingerprint
    assert pbx.web_certificate == "default"


def test_built_in_certificate_differs_between_machines(pbx: PbxSimulator) -> None:
    """Two PBXs have two certificates, and one has the same each time."""
    assert PbxSimulator("branch").fingerprint != pbx.fingerprint == PbxSimulator("hq").fingerprint


@pytest.mark.parametrize("kind", ["ec256", "rsa2048"])
def test_new_connections_see_the_chosen_certificate(pbx: PbxSimulator, caller: Caller, kind: KeyKind) -> None:
    """webserver/update changes what the next handshake shows, whatever its kind of key, and with or without a name."""
    leaf = ISSUING.issue("pbx.example.com", key=kind)
    caller.import_server("web.pem", leaf)
    assert served(pbx) != leaf.fingerprint
    assert use(caller, "web.pem") == 0
    assert served(pbx) == served(pbx, "pbx.example.com") == leaf.fingerprint == pbx.fingerprint
    assert pbx.web_certificate == "web.pem"


def test_chain_is_served_too(pbx: PbxSimulator, caller: Caller, tmp_path: Path) -> None:
    """A client that trusts only the root verifies the connection, so the intermediate is sent."""
    caller.import_server("web.pem", ISSUING.issue("pbx", ["localhost"]))
    use(caller, "web.pem")
    (tmp_path / "root.pem").write_bytes(ROOT.cert_pem)
    assert requests.get(pbx.url, verify=str(tmp_path / "root.pem"), timeout=10).status_code == 200


def test_applied_certificate_verifies_against_the_pbx_ca(pbx: PbxSimulator, caller: Caller, tmp_path: Path) -> None:
    """An applied certificate can be served once it is issued, and chains to ca_pem."""
    caller.apply("pbx.example.com")
    assert use(caller, "pbx.example.com.pem") == 40002
    for _ in range(4):
        caller.get("certificate/list")
    assert use(caller, "pbx.example.com.pem") == 0
    (tmp_path / "ca.pem").write_bytes(pbx.ca_pem)
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    with (
        socket.create_connection(("127.0.0.1", pbx.port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="pbx.example.com") as connection,
    ):
        assert dict(connection.getpeercert() or {})["subjectAltName"] == (("DNS", "pbx.example.com"),)


def test_default_brings_the_built_in_one_back(pbx: PbxSimulator, caller: Caller) -> None:
    """The name ``default`` is the certificate that the PBX came with."""
    before = served(pbx)
    caller.import_server("web.pem", ISSUING.issue("pbx.example.com"))
    use(caller, "web.pem")
    assert use(caller, "default") == 0
    assert (served(pbx), pbx.web_certificate) == (before, "default")


@pytest.mark.parametrize(("name", "errcode"), [("unknown.pem", 60001), ("corp-root.crt", 40002), ("", 40002), (1, 40002)])
def test_name_that_cannot_be_served_is_refused(pbx: PbxSimulator, caller: Caller, name: object, errcode: int) -> None:
    """A name that is not there is 60001, a trusted one and an id instead of a name are 40002; nothing changes."""
    before = served(pbx)
    pbx.add_certificate("trusted", "corp-root.crt")
    assert use(caller, name) == errcode
    assert served(pbx) == before


def test_key_that_tls_refuses_leaves_the_old_one(pbx: PbxSimulator, caller: Caller) -> None:
    """A key too short for TLS is a failure, and the web server goes on with what it had."""
    before = served(pbx)
    caller.import_server("weak.pem", ISSUING.issue("pbx.example.com", key="rsa1024"))
    assert use(caller, "weak.pem") == -1
    assert (served(pbx), pbx.web_certificate) == (before, "default")


def test_certificate_in_use_cannot_be_deleted(pbx: PbxSimulator, caller: Caller) -> None:
    """Deleting the web server's certificate is 70091 until another one is chosen."""
    number = pbx.add_certificate("server", "web.pem")
    use(caller, "web.pem")
    assert caller.get("certificate/delete", id=number)["errcode"] == 70091
    use(caller, "default")
    assert caller.get("certificate/delete", id=number)["errcode"] == 0


def test_replaced_file_is_served_at_once(pbx: PbxSimulator, caller: Caller) -> None:
    """When the file of the certificate in use is replaced, new connections see the new one."""
    caller.import_server("web-2026.pem", ISSUING.issue("pbx.example.com"))
    use(caller, "web-2026.pem")
    leaf = ISSUING.issue("pbx.example.com")
    caller.upload("server", "web-2027.pem", leaf.bundle_pem)
    assert caller.post("certificate/update", id=1, name="web-2027.pem")["errcode"] == 0
    assert (served(pbx), pbx.web_certificate) == (leaf.fingerprint, "web-2027.pem")


def test_removing_by_hand_falls_back_to_the_built_in_one(pbx: PbxSimulator, caller: Caller) -> None:
    """When another administrator removes the certificate in use, the built-in one is served."""
    before = served(pbx)
    number = pbx.add_certificate("server", "web.pem")
    use(caller, "web.pem")
    pbx.remove_certificate(number)
    assert (served(pbx), pbx.web_certificate) == (before, "default")
