"""What a certificate says of itself, and which hosts it covers."""

import ipaddress
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.certificates import CertificateFacts, covers
from bot.domain.facts import key_name, read_certificate
from bot.sandbox.pki import Authority, Issued, make_key, rsa_key, self_signed

START = datetime(2026, 5, 1, 8, 30, tzinfo=UTC)
ROOT = Authority.make("Example Root", not_before=START)


def facts(issued: Issued) -> CertificateFacts:
    return read_certificate(issued.der()).facts


def custom(subject: str, names: list[x509.GeneralName]) -> CertificateFacts:
    """A self-signed certificate with whatever names."""
    key = ec.generate_private_key(ec.SECP384R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)] if subject else [])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(0xABC)
        .not_valid_before(START)
        .not_valid_after(START + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
    )
    return read_certificate(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)).facts


def sans(*names: str) -> CertificateFacts:
    return facts(ROOT.issue("common.example.net", names, not_before=START))


def test_facts_are_those_of_the_certificate() -> None:
    """Subject, names, issuer, times, fingerprint, key and serial are the certificate's own."""
    issued = ROOT.issue("pbx.example.com", ["pbx.example.com", "192.0.2.7"], days=90, not_before=START)
    found = facts(issued)
    assert (found.subject, found.issuer) == ("CN=pbx.example.com", "CN=Example Root")
    assert found.sans == ("pbx.example.com", "192.0.2.7")
    assert (found.not_before, found.not_after) == (START, START + timedelta(days=90))
    assert found.sha256.replace(":", "").lower() == issued.fingerprint
    assert (found.key, found.is_ca, found.self_signed) == ("EC P-256", False, False)
    assert int(found.serial, 16) == issued.cert.serial_number


def test_cas_and_self_signed_certificates_are_told() -> None:
    """A root is CA and self-signed, an intermediate only CA, a device's own certificate only self-signed."""
    middle, device = ROOT.intermediate("Example CA"), self_signed("device.example.com")
    told = [(found.is_ca, found.self_signed) for found in map(facts, (ROOT, middle, device))]
    assert told == [(True, True), (True, False), (False, True)]


def test_the_same_name_alone_is_not_self_signed() -> None:
    """A certificate whose issuer bears its own name is self-signed only if its own key verifies the signature."""
    twin = ROOT.intermediate("Example Root")
    assert twin.cert.subject == twin.cert.issuer
    assert facts(twin).self_signed is False


def test_facts_survive_json() -> None:
    """As evidence they are stored as JSON, and come back equal."""
    found = facts(ROOT.issue("pbx.example.com", ["*.example.com", "2001:db8::1"], not_before=START))
    assert CertificateFacts.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_keys_have_the_names_that_people_use() -> None:
    """RSA, EC, EdDSA and DSA keys are named with their size or curve."""
    keys: dict[str, PrivateKeyTypes] = {
        "RSA 2048": rsa_key(2048),
        "EC P-256": ec.generate_private_key(ec.SECP256R1()),
        "EC P-384": ec.generate_private_key(ec.SECP384R1()),
        "EC P-521": ec.generate_private_key(ec.SECP521R1()),
        "EC secp256k1": ec.generate_private_key(ec.SECP256K1()),
        "Ed25519": ed25519.Ed25519PrivateKey.generate(),
        "Ed448": ed448.Ed448PrivateKey.generate(),
        "DSA 1024": dsa.generate_private_key(1024),  # noqa: S505
    }
    assert [key_name(key.public_key()) for key in keys.values()] == list(keys)
    assert key_name(object()) == "another kind of key"


def test_names_of_other_kinds_carry_their_kind() -> None:
    """Mail addresses and URIs among the SANs cannot be mistaken for hosts, nor can an address among the DNS names."""
    found = custom(
        "x",
        [
            x509.RFC822Name("ana@example.com"),
            x509.UniformResourceIdentifier("sip:pbx.example.com"),
            x509.RegisteredID(x509.ObjectIdentifier("1.2.3")),
            x509.DNSName("192.0.2.1"),
            x509.IPAddress(ipaddress.ip_address("192.0.2.2")),
        ],
    )
    assert found.sans[:2] == ("email:ana@example.com", "URI:sip:pbx.example.com")
    assert found.sans[2].startswith("other:")
    assert found.sans[3:] == ("DNS:192.0.2.1", "192.0.2.2")
    assert (covers(found, "192.0.2.1"), covers(found, "192.0.2.2")) == (False, True)


def test_a_subject_cannot_break_the_line() -> None:
    """Line breaks and direction marks in a subject are shown as question marks."""
    assert custom("evil\nname\u202etxt", []).subject == "CN=evil?name?txt"


def test_a_certificate_without_a_subject_is_called_by_its_san() -> None:
    """Where the subject is empty a sentence uses the first SAN, or else the serial number."""
    assert custom("", [x509.DNSName("pbx.example.com")]).name == "pbx.example.com"
    assert custom("", []).name == "serial ABC"


def test_what_is_no_certificate_raises_value_error() -> None:
    """One kind of error comes out, whatever the parser raised."""
    with pytest.raises(ValueError, match="no readable certificate"):
        read_certificate(b"\x30\x00")


@pytest.mark.parametrize(
    ("san", "host", "covered"),
    [
        ("pbx.example.com", "pbx.example.com", True),
        ("pbx.example.com", "PBX.Example.COM.", True),
        ("PBX.example.com", "pbx.example.com", True),
        ("pbx.example.com", "www.pbx.example.com", False),
        ("pbx.example.com", "example.com", False),
        ("*.example.com", "pbx.example.com", True),
        ("*.example.com", "a.pbx.example.com", False),
        ("*.example.com", "example.com", False),
        ("*.example.com", "*.example.com", True),
        ("*.example.com", "*.pbx.example.com", False),
        ("pbx.example.com", "*.example.com", False),
        ("p*.example.com", "pbx.example.com", False),
        ("pbx.*.com", "pbx.example.com", False),
        ("*", "localhost", False),
        ("*.com", "example.com", False),
        ("localhost", "localhost", True),
        ("xn--bcher-kva.example", "bücher.example", True),
        ("*.xn--bcher-kva.example", "www.BÜCHER.example", True),
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "[2001:0db8:0:0:0:0:0:1]", True),
        ("*.0.2.1", "192.0.2.1", False),
        ("pbx.example.com", "", False),
        ("pbx.example.com", "pbx.example.com:8088", False),
    ],
)
def test_hosts_are_covered_as_tls_clients_see_it(san: str, host: str, covered: bool) -> None:
    """Exact names without case, one whole left-most label for a wildcard, and addresses only by address."""
    assert covers(sans(san), host) is covered


def test_the_common_name_covers_nothing() -> None:
    """A certificate without SANs covers no host, not even its common name."""
    assert not covers(sans(), "common.example.net")


@given(st.text(max_size=40))
def test_any_host_has_an_answer(host: str) -> None:
    """Whatever is asked, the answer is yes or no."""
    assert covers(WILD, host) in {True, False}


WILD = sans("*.example.com", "192.0.2.1")


def test_the_key_is_known_again() -> None:
    """Two certificates of one key have the same key_id, whatever else they say; facts that were stored without it are read."""
    key = make_key()
    first, second = (facts(ROOT.issue(name, not_before=START, key=key)) for name in ("a.example.com", "b.example.com"))
    assert first.key_id == second.key_id
    assert len(bytes.fromhex(first.key_id)) == 32
    assert facts(ROOT.issue("a.example.com", not_before=START)).key_id != first.key_id
    stored = {name: value for name, value in first.to_json().items() if name != "key_id"}
    assert CertificateFacts.from_json(stored).key_id == ""


def test_hosts() -> None:
    """Hosts are the DNS names in lower case and the addresses; what else a SAN can hold is none."""
    names: list[x509.GeneralName] = [
        x509.DNSName("PBX.example.com"), x509.DNSName("*.b.example.com"), x509.IPAddress(ipaddress.ip_address("2001:db8::1")),
        x509.RFC822Name("a@example.com"), x509.UniformResourceIdentifier("https://example.com"), x509.DNSName("192.0.2.1"),
    ]  # fmt: skip
    assert custom("x", names).hosts == ("pbx.example.com", "*.b.example.com", "2001:db8::1")
