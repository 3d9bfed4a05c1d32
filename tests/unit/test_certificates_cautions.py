"""Warnings: what is allowed and worth knowing, and the order of chains."""

import dataclasses
import shutil
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bot.domain.armour import armoured
from bot.domain.cautions import is_weak
from bot.domain.certificates import NamedFile, ServerBundle, Trusted, read_server, read_trusted
from bot.domain.chain import end_entities, path
from bot.domain.facts import Certificate, read_certificate
from bot.sandbox.pki import Authority, Issued, make_key, self_signed

NOW = datetime(2026, 6, 1, tzinfo=UTC)
START = NOW - timedelta(days=10)
VERSION_3 = bytes.fromhex("a003020102")
ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
ECDSA_SHA1 = bytes.fromhex("300906072a8648ce3d0401")


@cache
def root() -> Authority:
    return Authority.make("Example Root", not_before=START)


@cache
def middle() -> Authority:
    return root().intermediate("Example Issuing CA", not_before=START)


def warned(issued: Issued, *others: bytes) -> tuple[str, ...]:
    result = read_server([NamedFile("f", b"".join([issued.cert_pem, *others, issued.key_pem]))], NOW)
    assert isinstance(result, ServerBundle), result
    return result.warnings


def warned_of_ca(*certificates: bytes) -> tuple[str, ...]:
    result = read_trusted([NamedFile("f", b"".join(certificates))], NOW)
    assert isinstance(result, Trusted), result
    return result.warnings


def about(words: str, warnings: Iterable[str]) -> list[str]:
    return [warning for warning in warnings if words in warning]


def leaf(**options: object) -> Issued:
    return middle().issue("pbx.example.com", not_before=START, **options)  # type: ignore[arg-type]


class Odd:
    """A certificate from the middle CA, or its own, with any extensions; what `bot.sandbox.pki` does not make."""

    def __init__(
        self,
        *extensions: x509.ExtensionType,
        own: bool = False,
        name: str = "odd.example.com",
    ) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if own else middle().cert.subject)
            .public_key(self.key.public_key())
            .serial_number(7)
            .not_valid_before(START)
            .not_valid_after(START + timedelta(days=90))
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        self.issued = Issued(builder.sign(self.key if own else middle().key, hashes.SHA256()), self.key)


def version_1(issued: Issued) -> bytes:
    """The same certificate without its version field and extensions, signed again: X.509 as it was in 1988."""
    body = issued.cert.tbs_certificate_bytes
    return signed(sequence(body[body.index(VERSION_3) + len(VERSION_3) :]), issued.key)


def with_sha1(issued: Issued, issuer_key: object) -> bytes:
    """The same certificate signed again with ECDSA and SHA-1, which the library itself does not do any more."""
    body = issued.cert.tbs_certificate_bytes
    body = body[body.index(VERSION_3) :].replace(ECDSA_SHA256, ECDSA_SHA1, 1)
    return signed(sequence(body), issuer_key, ECDSA_SHA1)


def signed(body: bytes, key: object, algorithm: bytes = ECDSA_SHA256) -> bytes:
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    signature = key.sign(body, ec.ECDSA(hashes.SHA1() if algorithm is ECDSA_SHA1 else hashes.SHA256()))  # noqa: S303
    return sequence(body + algorithm + bytes([3, len(signature) + 1, 0]) + signature)


def sequence(content: bytes) -> bytes:
    length = len(content)
    return b"\x30" + (b"\x81" + bytes([length]) if length < 256 else b"\x82" + length.to_bytes(2, "big")) + content


SAN = x509.SubjectAlternativeName([x509.DNSName("odd.example.com")])


def test_a_sound_certificate_with_its_chain_has_no_warning() -> None:
    """Leaf, intermediate and key are what is wanted, and nothing is said."""
    assert warned(leaf(), middle().cert_pem) == ()


def test_a_missing_intermediate_is_a_warning_with_its_name() -> None:
    """Without the issuer among the files the warning names it."""
    assert about("Example Issuing CA", warned(leaf()))


def test_a_chain_up_to_an_absent_root_is_whole() -> None:
    """The issuer of the top intermediate need not be there: clients have the root."""
    low = middle().intermediate("Low", not_before=START)
    assert warned(low.issue("pbx.example.com", not_before=START), low.cert_pem, middle().cert_pem) == ()


def test_the_root_is_left_out_with_a_word() -> None:
    """A root among the files is not in the bundle, and the warning says so."""
    assert about("“CN=Example Root” is left out", warned(leaf(), middle().cert_pem, root().cert_pem))


def test_a_self_signed_server_certificate_keeps_itself() -> None:
    """Its own root is not left out, and the warning says what it means for clients."""
    assert about("self-signed", warned(self_signed("pbx.example.com", not_before=START, days=90)))


def test_the_name_of_an_issuer_is_not_enough() -> None:
    """A CA of the same name and another key is not put into the chain; it is pointed out."""
    namesake = root().intermediate("Example Issuing CA", not_before=START)
    issued = leaf()
    files = [NamedFile("f", issued.cert_pem + namesake.cert_pem + issued.key_pem)]
    result = read_server(files, NOW)
    assert isinstance(result, ServerBundle)
    assert result.chain == ()
    assert about("did not sign it", result.warnings)


def test_certificates_of_other_chains_are_left_out() -> None:
    """A CA that has nothing to do with the certificate is not sent along, and is named."""
    stranger = Authority.make("Stranger", not_before=START)
    assert about("“CN=Stranger” does not belong", warned(leaf(), middle().cert_pem, stranger.cert_pem))


@pytest.mark.parametrize(
    ("issued", "words"),
    [
        (lambda: leaf(days=399), "valid for 399 days"),
        (lambda: leaf(sans=[]), "no SAN"),
        (lambda: leaf(key="rsa1024"), "weak (RSA 1024)"),
        (lambda: leaf(key="ed25519"), "Ed25519"),
        (lambda: leaf(ca=True), "itself a CA"),
        (lambda: Odd(SAN, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])).issued, "extended key usage"),
    ],
    ids=["too long", "no SAN", "weak key", "rare key", "CA", "no server"],
)
def test_weak_points_of_a_server_certificate_are_said(issued: object, words: str) -> None:
    """Each is one warning, and none of them stops the request."""
    assert callable(issued)
    assert len(about(words, warned(issued(), middle().cert_pem))) == 1


def test_398_days_and_any_purpose_are_fine() -> None:
    """The longest life that clients accept, and a certificate for any purpose, bring no warning."""
    assert warned(leaf(days=398), middle().cert_pem) == ()
    anything = Odd(SAN, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE])).issued
    assert warned(anything, middle().cert_pem) == ()


def test_intermediates_are_judged_too() -> None:
    """A weak or expired intermediate is a warning that names it."""
    weak = root().intermediate("Weak", not_before=START, key="rsa1024")
    assert about("“CN=Weak” is weak", warned(weak.issue("a.example.com", not_before=START), weak.cert_pem))
    old = root().intermediate("Old", not_before=NOW - timedelta(days=9), days=8)
    assert about("“CN=Old” expired", warned(old.issue("a.example.com", not_before=START), old.cert_pem))
    early = root().intermediate("Early", not_before=NOW + timedelta(days=1))
    assert about("“CN=Early” is not valid before", warned(early.issue("a.example.com", not_before=START), early.cert_pem))


def test_trusted_cas_are_judged() -> None:
    """A sound root has no warning; an intermediate and a CA that may not sign have one each."""
    assert warned_of_ca(root().cert_pem) == ()
    assert about("intermediate CA, issued by “CN=Example Root”", warned_of_ca(middle().cert_pem))
    weak = Authority.make("Weak", not_before=START, key=make_key("rsa1024"))
    assert about("weak", warned_of_ca(weak.cert_pem))


def test_a_ca_whose_key_may_not_sign_is_a_warning() -> None:
    """Key usage without certificate signing contradicts the basic constraints."""
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    odd = Odd(x509.BasicConstraints(ca=True, path_length=None), usage, own=True, name="Odd CA")
    assert about("key usage does not allow", warned_of_ca(odd.issued.cert_pem))


def test_an_old_root_of_version_1_is_taken_with_a_word() -> None:
    """A self-signed certificate from before extensions is accepted as CA, and the warning says why."""
    assert about("version 1", warned_of_ca(armoured("CERTIFICATE", version_1(Odd(own=True).issued))))


def test_broken_hashes_are_a_warning_except_on_a_root() -> None:
    """SHA-1 under a server certificate is pointed out; under a root nobody checks it."""
    issued = Odd(SAN).issued
    old = Issued(x509.load_der_x509_certificate(with_sha1(issued, middle().key)), issued.key)
    (warning,) = warned(old, middle().cert_pem)
    assert "signed with SHA1" in warning
    assert warned_of_ca(armoured("CERTIFICATE", with_sha1(root(), root().key))) == ()


def test_weak_is_a_small_key_a_dsa_key_or_a_broken_hash_anywhere_in_the_chain() -> None:
    """What clients do not accept is weak, in the chain as well; under a root nobody checks the hash."""
    weak_middle = root().intermediate("Weak", not_before=START, key="rsa1024")
    sha1 = Odd(SAN).issued
    old = Issued(x509.load_der_x509_certificate(with_sha1(sha1, middle().key)), sha1.key)

    def weak(issued: Issued, *others: bytes) -> bool:
        result = read_server([NamedFile("f", b"".join([issued.cert_pem, *others, issued.key_pem]))], NOW)
        assert isinstance(result, ServerBundle), result
        return result.weak

    assert not weak(leaf(), middle().cert_pem)
    assert not weak(leaf(key="ed25519"), middle().cert_pem)
    assert weak(leaf(key="rsa1024"), middle().cert_pem)
    assert weak(old, middle().cert_pem)
    assert weak(weak_middle.issue("a.example.com", not_before=START), weak_middle.cert_pem)
    dsa = dataclasses.replace(read_certificate(leaf().der()), rsa_bits=3072)
    assert is_weak(dataclasses.replace(dsa, facts=dataclasses.replace(dsa.facts, key="DSA 3072")))
    sha1_root = read_trusted([NamedFile("f", armoured("CERTIFICATE", with_sha1(root(), root().key)))], NOW)
    small_root = read_trusted([NamedFile("f", Authority.make("W", not_before=START, key=make_key("rsa1024")).cert_pem)], NOW)
    assert isinstance(sha1_root, Trusted)
    assert isinstance(small_root, Trusted)
    assert (sha1_root.weak, small_root.weak) == (False, True)


def test_a_forged_sha1_signature_is_no_signature() -> None:
    """The older check verifies as well: a SHA-1 signature by another key makes no issuer."""
    issued = Odd(SAN).issued
    forged = Issued(x509.load_der_x509_certificate(with_sha1(issued, root().key)), issued.key)
    assert about("did not sign it", warned(forged, middle().cert_pem))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
@pytest.mark.parametrize("padding", ["pkcs1", "pss"])
def test_old_rsa_roots_are_recognised(tmp_path: Path, padding: str) -> None:
    """A root that openssl signed with RSA and SHA-1 is a root here, with no word about its hash."""
    options = "-sigopt rsa_padding_mode:pss" if padding == "pss" else ""
    command = f"openssl req -x509 -newkey rsa:2048 -nodes -keyout k -out c.pem -subj /CN=old -sha1 -days 2 {options}"
    subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True, capture_output=True, timeout=60)
    result = read_trusted([NamedFile("c.pem", (tmp_path / "c.pem").read_bytes())], datetime.now(UTC) + timedelta(hours=1))
    assert isinstance(result, Trusted)
    assert (result.facts.self_signed, result.warnings) == (True, ())


def test_cross_signed_cas_make_one_repeatable_chain() -> None:
    """Of two issuers with one key, the intermediate is sent, valid ones before expired ones, whatever the order."""
    key = ec.generate_private_key(ec.SECP256R1())
    own = Authority.make("New Root", not_before=START, key=key)
    cross = root().intermediate("New Root", not_before=START, key=key)
    expired = root().intermediate("New Root", not_before=NOW - timedelta(days=9), days=8, key=key)
    issued = read_certificate(own.issue("a.example.com", not_before=START).der())
    pool = [read_certificate(each.der()) for each in (own, expired, cross)]
    for order in (pool, pool[::-1]):
        way = path(issued, order, NOW)
        assert ([each.cert for each in way.issuers], way.root) == ([cross.cert], None)


def test_loops_of_cross_signing_end() -> None:
    """Two CAs that signed each other make a finite chain, and both can be the end of one."""
    first_key, second_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    first = Authority.make("First", not_before=START, key=first_key)
    second = Authority.make("Second", not_before=START, key=second_key)
    loop = [second.intermediate("First", not_before=START, key=first_key)]
    loop.append(first.intermediate("Second", not_before=START, key=second_key))
    held: list[Certificate] = [read_certificate(each.der()) for each in loop]
    issued = read_certificate(first.issue("a.example.com", not_before=START).der())
    assert len(path(issued, held, NOW).issuers) == 2
    assert end_entities(held) == held
