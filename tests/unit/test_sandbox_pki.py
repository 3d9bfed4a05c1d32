"""The certificates that the sandbox makes are what they say."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from bot.sandbox.pki import Authority, KeyKind, rsa_key, self_signed

ROOT = Authority.make("Example Root CA")
ISSUING = ROOT.intermediate("Example Issuing CA")
KEY_KINDS: list[KeyKind] = ["ec256", "ed25519", "rsa1024", "rsa2048"]


def verify(leaf: x509.Certificate, host: str) -> None:
    """Verify as a TLS client that trusts the root and is given the intermediate."""
    verifier = PolicyBuilder().store(Store([ROOT.cert])).build_server_verifier(x509.DNSName(host))
    verifier.verify(leaf, [ISSUING.cert])


@pytest.mark.parametrize("key", KEY_KINDS)
def test_issued_certificate_is_signed_by_its_authority_and_holds_its_key(key: KeyKind) -> None:
    """A certificate of every kind of key is signed by the CA that issued it and belongs to its private key."""
    issued = ISSUING.issue("pbx.example.com", key=key)
    issued.cert.verify_directly_issued_by(ISSUING.cert)
    assert issued.cert.public_key() == issued.key.public_key()


def test_chain_verifies_for_its_names_only() -> None:
    """A verifier accepts the chain for a name in the SAN and for no other."""
    issued = ISSUING.issue("pbx", ["pbx.example.com", "*.example.org"])
    verify(issued.cert, "pbx.example.com")
    verify(issued.cert, "any.example.org")
    with pytest.raises(VerificationError):
        verify(issued.cert, "other.example.com")


def test_expired_certificate_does_not_verify() -> None:
    """The validity is the one that was asked for."""
    start = datetime.now(UTC) - timedelta(days=30)
    expired = ISSUING.issue("pbx.example.com", days=10, not_before=start)
    assert expired.cert.not_valid_after_utc == (start + timedelta(days=10)).replace(microsecond=0)
    with pytest.raises(VerificationError):
        verify(expired.cert, "pbx.example.com")


def test_empty_sans_means_no_extension() -> None:
    """An empty list of names leaves the SAN out, and None takes the common name."""
    with pytest.raises(x509.ExtensionNotFound):
        ISSUING.issue("pbx.example.com", []).cert.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    names = ISSUING.issue("pbx.example.com").cert.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert names.value.get_values_for_type(x509.DNSName) == ["pbx.example.com"]


def test_chain_leaves_the_root_out() -> None:
    """The chain of a certificate is its intermediates; the root is apart."""
    issued = ISSUING.issue("pbx.example.com")
    assert issued.chain_pem == ISSUING.cert_pem
    assert issued.root_pem == ROOT.cert_pem
    assert ROOT.issue("pbx.example.com").chain_pem == b""


def test_rsa_keys_are_made_once() -> None:
    """The same size and slot is the same RSA key, another slot another one."""
    assert rsa_key(1024) is rsa_key(1024)
    assert rsa_key(1024) is not rsa_key(1024, slot=1)
    assert isinstance(self_signed("pbx", key=rsa_key(1024, slot=1)).key, rsa.RSAPrivateKey)


def test_other_encodings_can_be_read_back() -> None:
    """DER, PKCS#7, PKCS#12 and encrypted keys hold the same certificate and key."""
    issued = ISSUING.issue("pbx.example.com")
    assert x509.load_der_x509_certificate(issued.der()) == issued.cert
    assert set(pkcs7.load_pem_pkcs7_certificates(issued.pkcs7_pem())) == {issued.cert, ISSUING.cert, ROOT.cert}
    _, certificate, above = pkcs12.load_key_and_certificates(issued.pkcs12("pw"), b"pw")
    assert certificate == issued.cert
    assert {ISSUING.cert, ROOT.cert} == set(above)


@pytest.mark.parametrize("legacy", [False, True])
def test_encrypted_key_opens_with_its_password_only(legacy: bool) -> None:
    """An encrypted key, in the new and in the old form, wants its password."""
    issued = ISSUING.issue("pbx.example.com")
    pem = issued.encrypted_key_pem("pw", legacy=legacy)
    assert (b"4,ENCRYPTED" in pem) is legacy
    with pytest.raises(TypeError):
        serialization.load_pem_private_key(pem, None)
    opened = serialization.load_pem_private_key(pem, b"pw")
    assert opened.private_numbers() == issued.key.private_numbers()  # type: ignore[union-attr]


def test_private_key_is_not_in_the_repr() -> None:
    """Printing an issued certificate shows no key."""
    assert "key" not in repr(ISSUING.issue("pbx.example.com"))
