"""The simulated PBX: uploading files, and making certificates of them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.sandbox.pbx import PbxSimulator
from bot.sandbox.pki import Authority
from tests.unit.sandbox_pbx import ALIDNS, Caller, Clock

ROOT = Authority.make("Example Root CA")
ISSUING = ROOT.intermediate("Example Issuing CA")


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2026, 5, 4, 12, 0, tzinfo=UTC))


@pytest.fixture
def pbx(clock: Clock) -> Iterator[PbxSimulator]:
    with PbxSimulator("hq", now=clock) as pbx:
        yield pbx


@pytest.fixture
def caller(pbx: PbxSimulator) -> Caller:
    return Caller(pbx).logged_in()


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("corp-root.crt", "corp-root.crt"),
        (r"C:\Users\ana\Desktop\corp-root.crt", "corp-root.crt"),
        ("../../etc/corp-root.crt", "corp-root.crt"),
    ],
)
def test_upload_keeps_the_base_name(caller: Caller, pbx: PbxSimulator, sent: str, kept: str) -> None:
    """Of a path only the base name is kept, of a Windows path too, and it is answered as ``file``."""
    assert caller.upload("trusted", sent, ROOT.cert_pem)["file"] == kept
    assert [file.name for file in pbx.temporary_files] == [kept]


def test_upload_alone_lists_nothing(caller: Caller) -> None:
    """An uploaded file is no certificate yet."""
    caller.upload("trusted", "corp-root.crt", ROOT.cert_pem)
    assert caller.get("certificate/list")["total_number"] == 0


def test_upload_does_not_look_inside(caller: Caller) -> None:
    """What is in a file is judged at create, where it is a parameter error."""
    assert caller.upload("trusted", "note.crt", b"hello")["errcode"] == 0
    assert caller.post("certificate/create", type="trusted", name="note.crt")["errcode"] == 40002


def test_upload_of_one_byte_too_much_is_refused(caller: Caller) -> None:
    """A file of 1 MB is taken, and one more byte is answered 40004."""
    assert caller.upload("trusted", "big.crt", b"x" * 1_000_000)["errcode"] == 0
    assert caller.upload("trusted", "big.crt", b"x" * 1_000_001)["errcode"] == 40004


@pytest.mark.parametrize("kind", ["client", "", "Trusted"])
def test_upload_of_another_type_is_refused(caller: Caller, kind: str) -> None:
    """The type is ``trusted`` or ``server``."""
    assert caller.upload(kind, "corp-root.crt", ROOT.cert_pem)["errcode"] == 40002


def test_upload_without_a_file_is_refused(caller: Caller) -> None:
    """A multipart body without a file part named ``file`` is a parameter error, JSON a syntax error."""
    other = caller.send("POST", "certificate/upload", data={"type": "trusted"}, files={"certificate": ("a.crt", ROOT.cert_pem)})
    assert other.json()["errcode"] == 40002
    assert caller.post("certificate/upload", type="trusted", file="a.crt")["errcode"] == 40001


def test_uploaded_files_are_cleaned_at_one_o_clock(clock: Clock, pbx: PbxSimulator) -> None:
    """At 01:00 files older than an hour go; one that is younger then stays until the next night."""
    caller = Caller(pbx)
    clock.forward(hours=11, minutes=59)
    caller.logged_in().upload("trusted", "old.crt", ROOT.cert_pem)
    clock.forward(minutes=2)
    caller.upload("trusted", "young.crt", ROOT.cert_pem)
    clock.forward(minutes=58)
    assert {file.name for file in pbx.temporary_files} == {"old.crt", "young.crt"}
    clock.forward(minutes=1)
    assert [file.name for file in pbx.temporary_files] == ["young.crt"]
    assert caller.logged_in().post("certificate/create", type="trusted", name="old.crt")["errcode"] == 60001
    clock.forward(hours=24)
    assert pbx.temporary_files == []


def test_trusted_import_is_listed_as_issued(caller: Caller) -> None:
    """A trusted CA certificate is listed with its name, holder and expiry, and without a server's fields."""
    answer = caller.import_trusted("corp-root.crt", ROOT)
    assert answer == {
        "errcode": 0,
        "errmsg": "SUCCESS",
        "name": "corp-root.crt",
        "apply_status": "issuance_success",
    }
    (listed,) = caller.get("certificate/list")["certificate_list"]
    assert listed == {
        "id": 1,
        "name": "corp-root.crt",
        "type": "trusted",
        "issue_to": "Example Root CA",
        "expiration": ROOT.cert.not_valid_after_utc.strftime("%Y/%m/%d %H:%M:%S"),
        "apply_status": "issuance_success",
    }


def test_trusted_import_takes_der(caller: Caller) -> None:
    """A CA file may be DER."""
    caller.upload("trusted", "root.cer", ROOT.der())
    assert caller.post("certificate/create", type="trusted", name="root.cer")["errcode"] == 0


def test_trusted_import_does_not_ask_for_a_ca(caller: Caller) -> None:
    """A file that is no CA's is taken as trusted all the same."""
    caller.upload("trusted", "leaf.crt", ISSUING.issue("pbx.example.com").cert_pem)
    assert caller.post("certificate/create", type="trusted", name="leaf.crt")["errcode"] == 0


def test_server_import_is_listed_with_its_renewal(caller: Caller) -> None:
    """A server certificate shows its domain, how it came and that it is not renewed."""
    leaf = ISSUING.issue("pbx", ["pbx.example.com"])
    assert caller.import_server("web.pem", leaf)["apply_status"] == "issuance_success"
    listed = caller.get("certificate/get", id=1)["certificate"]
    assert (listed["name"], listed["type"], listed["issue_to"]) == ("web.pem", "server", "pbx.example.com")
    assert (listed["ca_type"], listed["auto_renewal"], listed["dns_provider"]) == ("upload", 0, "")


def test_server_import_with_renewal_shows_its_dns_credentials(caller: Caller) -> None:
    """With auto_renewal the DNS credentials are listed as they were given, which is a trap for careless clients."""
    leaf = ISSUING.issue("pbx.example.com")
    answer = caller.import_server("web.pem", leaf, auto_renewal=1, dns_provider="alidns", auth_info_list=ALIDNS)
    assert answer["errcode"] == 0
    listed = caller.get("certificate/list")["certificate_list"][0]
    assert (listed["auto_renewal"], listed["dns_provider"], listed["auth_info_list"]) == (1, "alidns", ALIDNS)


@pytest.mark.parametrize(
    "more",
    [
        {"auto_renewal": 1},
        {"auto_renewal": 1, "dns_provider": "alidns"},
        {"auto_renewal": 1, "dns_provider": "alidns", "auth_info_list": ALIDNS[:1]},
        {"auto_renewal": 2},
        {"auto_renewal": True, "dns_provider": "alidns", "auth_info_list": ALIDNS},
        {"auto_renewal": "1", "dns_provider": "alidns", "auth_info_list": ALIDNS},
    ],
)
def test_server_import_with_half_a_renewal_is_refused(caller: Caller, more: dict[str, Any]) -> None:
    """auto_renewal is 0 or 1 as a number, and 1 wants the whole set of DNS settings."""
    assert caller.import_server("web.pem", ISSUING.issue("pbx.example.com"), **more)["errcode"] == 40002
    assert caller.get("certificate/list")["total_number"] == 0


def test_server_import_without_renewal_needs_no_dns(caller: Caller) -> None:
    """auto_renewal 0 is taken without DNS settings."""
    assert caller.import_server("web.pem", ISSUING.issue("pbx.example.com"), auto_renewal=0)["errcode"] == 0


def server_files() -> dict[str, bytes]:
    leaf, other = ISSUING.issue("pbx.example.com"), ISSUING.issue("other.example.com")
    return {
        "no key": leaf.cert_pem + leaf.chain_pem,
        "no certificate": leaf.key_pem,
        "another's key": leaf.cert_pem + other.key_pem,
        "encrypted key": leaf.cert_pem + leaf.encrypted_key_pem("pw"),
        "chain before the certificate": leaf.chain_pem + leaf.cert_pem + leaf.key_pem,
        "DER": leaf.der(),
        "PKCS#12": leaf.pkcs12("pw"),
        "broken": leaf.bundle_pem.replace(b"MII", b"###"),
        "empty": b"",
    }


@pytest.mark.parametrize("name", server_files())
def test_server_file_must_hold_certificate_and_key(caller: Caller, name: str) -> None:
    """A server file without its own, readable private key, or with the certificate not first, is refused."""
    caller.upload("server", "web.pem", server_files()[name])
    answer = caller.post("certificate/create", type="server", ca_type="upload", name="web.pem")
    assert (answer["errcode"], answer["errmsg"]) == (40002, "PARAMETER ERROR")


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({}, 40002),
        ({"type": "client", "name": "corp-root.crt"}, 40002),
        ({"type": "trusted"}, 40002),
        ({"type": "trusted", "name": ""}, 40002),
        ({"type": "trusted", "name": 7}, 40002),
        ({"type": "server", "name": "web.pem"}, 40002),
        ({"type": "server", "ca_type": "import", "name": "web.pem"}, 40002),
        ({"type": "server", "ca_type": "upload"}, 40002),
        ({"type": "trusted", "name": "never-uploaded.crt"}, 60001),
        ({"type": "server", "ca_type": "upload", "name": "corp-root.crt"}, 60001),
    ],
)
def test_create_wants_every_row_of_its_table(caller: Caller, body: dict[str, Any], errcode: int) -> None:
    """A missing or wrong parameter is 40002; a name that was not uploaded as this type is 60001."""
    caller.upload("trusted", "corp-root.crt", ROOT.cert_pem)
    assert caller.post("certificate/create", **body)["errcode"] == errcode


def test_unknown_fields_are_passed_over(caller: Caller, pbx: PbxSimulator) -> None:
    """A field that the vendor does not know changes nothing, but is in the record."""
    caller.upload("trusted", "corp-root.crt", ROOT.cert_pem)
    answer = caller.post("certificate/create", type="trusted", name="corp-root.crt", colour="green")
    assert answer["errcode"] == 0
    assert pbx.calls[-1].params["colour"] == "green"


def test_create_uses_the_upload_up(caller: Caller, pbx: PbxSimulator) -> None:
    """Once it is a certificate, the file is no longer in temporary storage."""
    caller.import_trusted("corp-root.crt", ROOT)
    assert pbx.temporary_files == []


def test_same_name_is_a_duplicate(caller: Caller) -> None:
    """A name that is listed already is answered 40003, for either type."""
    caller.import_trusted("corp.pem", ROOT)
    assert caller.import_trusted("corp.pem", ROOT)["errcode"] == 40003
    assert caller.import_server("corp.pem", ISSUING.issue("pbx.example.com"))["errcode"] == 40003


def test_fourth_server_certificate_is_refused(caller: Caller) -> None:
    """Three server certificates fit; the fourth is 60002, while trusted ones still fit."""
    leaf = ISSUING.issue("pbx.example.com")
    assert [caller.import_server(f"web-{n}.pem", leaf)["errcode"] for n in range(4)] == [0, 0, 0, 60002]
    assert caller.import_trusted("corp-root.crt", ROOT)["errcode"] == 0


def test_twenty_first_trusted_certificate_is_refused(caller: Caller, pbx: PbxSimulator) -> None:
    """Twenty trusted certificates fit; the next is 60002 until one is removed."""
    ids = [pbx.add_certificate("trusted", f"ca-{n}.crt") for n in range(20)]
    assert caller.import_trusted("corp-root.crt", ROOT)["errcode"] == 60002
    pbx.remove_certificate(ids[0])
    assert caller.post("certificate/create", type="trusted", name="corp-root.crt")["errcode"] == 0


def test_certificate_added_by_hand_is_listed(caller: Caller, pbx: PbxSimulator, clock: Clock) -> None:
    """What another administrator adds is listed with the holder and the expiry it was given."""
    expires = clock() + timedelta(days=10)
    number = pbx.add_certificate("server", "by-hand.pem", issue_to="pbx.example.com", expires=expires)
    listed = caller.get("certificate/get", id=number)["certificate"]
    assert (listed["issue_to"], listed["expiration"]) == ("pbx.example.com", "2026/05/14 12:00:00")
    (stored,) = pbx.certificates
    assert (stored.expires, stored.expiration) == (expires, "2026/05/14 12:00:00")
