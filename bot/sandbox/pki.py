"""Certificates to try things with: a small authority that issues what it is asked for, good or bad (RFC 5280).

Elliptic-curve keys are the default because they are made in a millisecond. RSA keys take much longer, so they are
kept for the life of the process: the same kind and slot is always the same key.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Literal, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

KeyKind = Literal["ec256", "ed25519", "rsa1024", "rsa2048"]
PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
PEM = serialization.Encoding.PEM
DER = serialization.Encoding.DER
PKCS8 = serialization.PrivateFormat.PKCS8
OPENSSL = serialization.PrivateFormat.TraditionalOpenSSL
NO_PASSWORD = serialization.NoEncryption()


@lru_cache(maxsize=32)
def rsa_key(bits: int, slot: int = 0) -> rsa.RSAPrivateKey:
    """The RSA key of this size and slot; made once in a process."""
    return rsa.generate_private_key(65537, bits)


def make_key(kind: KeyKind = "ec256", slot: int = 0) -> PrivateKey:
    """A private key; a new one each time, except RSA, where another key is another slot."""
    if kind == "ec256":
        return ec.generate_private_key(ec.SECP256R1())
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa_key(int(kind.removeprefix("rsa")), slot)


def as_pem(*certificates: x509.Certificate) -> bytes:
    """These certificates in one PEM, in this order."""
    return b"".join(certificate.public_bytes(PEM) for certificate in certificates)


@dataclass(frozen=True)
class Issued:
    """A certificate, its private key, and those above it: the nearest issuer first, the root last."""

    cert: x509.Certificate
    key: PrivateKey = field(repr=False)
    issuers: tuple[x509.Certificate, ...] = ()

    @cached_property
    def cert_pem(self) -> bytes:
        return as_pem(self.cert)

    @cached_property
    def chain_pem(self) -> bytes:
        """The intermediates, nearest first, without the root; empty when the root itself signed."""
        return as_pem(*self.issuers[:-1])

    @cached_property
    def root_pem(self) -> bytes:
        return as_pem(self.issuers[-1] if self.issuers else self.cert)

    @cached_property
    def key_pem(self) -> bytes:
        """The private key as unencrypted PKCS#8."""
        return self.key.private_bytes(PEM, PKCS8, NO_PASSWORD)

    @cached_property
    def bundle_pem(self) -> bytes:
        """Certificate, intermediates and private key in one file, as a PBX wants it."""
        return self.cert_pem + self.chain_pem + self.key_pem

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, as lower-case hex."""
        return self.cert.fingerprint(hashes.SHA256()).hex()

    def legacy_key_pem(self) -> bytes:
        """The private key in the older form of its kind: "BEGIN RSA PRIVATE KEY" or "BEGIN EC PRIVATE KEY"."""
        return self.key.private_bytes(PEM, OPENSSL, NO_PASSWORD)

    def encrypted_key_pem(self, password: str, *, legacy: bool = False) -> bytes:
        """The private key under a password: PKCS#8, or the older form with a "Proc-Type: 4,ENCRYPTED" header."""
        return self.key.private_bytes(
            PEM, OPENSSL if legacy else PKCS8, serialization.BestAvailableEncryption(password.encode())
        )

    def der(self) -> bytes:
        return self.cert.public_bytes(DER)

    def key_der(self) -> bytes:
        return self.key.private_bytes(DER, PKCS8, NO_PASSWORD)

    def pkcs12(self, password: str) -> bytes:
        encryption = serialization.BestAvailableEncryption(password.encode())
        return pkcs12.serialize_key_and_certificates(b"sandbox", self.key, self.cert, self.issuers, encryption)

    def pkcs7_pem(self) -> bytes:
        return pkcs7.serialize_certificates([self.cert, *self.issuers], PEM)

    def pkcs7_der(self) -> bytes:
        return pkcs7.serialize_certificates([self.cert, *self.issuers], DER)

    def csr_pem(self) -> bytes:
        """A signing request for the same subject and key."""
        request = x509.CertificateSigningRequestBuilder().subject_name(self.cert.subject)
        return request.sign(self.key, _hash_for(self.key)).public_bytes(PEM)

    def public_key_pem(self) -> bytes:
        return self.key.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


class Authority(Issued):
    """A CA: a certificate that signs others."""

    @classmethod
    def make(
        cls,
        name: str,
        *,
        days: float = 3650,
        not_before: datetime | None = None,
        key: KeyKind | PrivateKey = "ec256",
    ) -> Self:
        """A new root that signs itself."""
        own = _key(key)
        builder = _builder(_subject(name), own, days, not_before)
        cert = _sign(_as_authority(builder, own), own, _subject(name), own)
        return cls(cert, own)

    def intermediate(
        self,
        name: str,
        *,
        days: float = 1825,
        not_before: datetime | None = None,
        key: KeyKind | PrivateKey = "ec256",
    ) -> "Authority":
        """Another CA, signed by this one."""
        own = _key(key)
        builder = _builder(_subject(name), own, days, not_before)
        return Authority(self._signed(_as_authority(builder, own), own), own, self._above())

    def issue(
        self,
        common_name: str,
        sans: Sequence[str] | None = None,
        *,
        days: float = 90,
        not_before: datetime | None = None,
        key: KeyKind | PrivateKey = "ec256",
        ca: bool = False,
    ) -> Issued:
        """A certificate from this CA.

        ``sans`` are host names and IP addresses; None means the common name, an empty list means no SAN at all.
        ``days`` counts from ``not_before``, which is one hour ago unless given, and may be a fraction.
        """
        own = _key(key)
        builder = _builder(_subject(common_name), own, days, not_before)
        builder = _as_authority(builder, own) if ca else _as_server(builder)
        return Issued(self._signed(_with_sans(builder, common_name, sans), own), own, self._above())

    def _signed(self, builder: x509.CertificateBuilder, own: PrivateKey) -> x509.Certificate:
        return _sign(builder, own, self.cert.subject, self.key)

    def _above(self) -> tuple[x509.Certificate, ...]:
        return (self.cert, *self.issuers)


def self_signed(
    common_name: str,
    sans: Sequence[str] | None = None,
    *,
    days: float = 3650,
    not_before: datetime | None = None,
    key: KeyKind | PrivateKey = "ec256",
) -> Issued:
    """A server certificate that nobody else vouches for, as devices come with."""
    own, subject = _key(key), _subject(common_name)
    builder = _with_sans(_as_server(_builder(subject, own, days, not_before)), common_name, sans)
    return Issued(_sign(builder, own, subject, own), own)


def _key(key: KeyKind | PrivateKey) -> PrivateKey:
    return make_key(key) if isinstance(key, str) else key


def _subject(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(subject: x509.Name, key: PrivateKey, days: float, not_before: datetime | None) -> x509.CertificateBuilder:
    start = not_before or datetime.now(UTC) - timedelta(hours=1)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _as_authority(builder: x509.CertificateBuilder, key: PrivateKey) -> x509.CertificateBuilder:
    return builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).add_extension(
        _usage(key_cert_sign=True, crl_sign=True), critical=True
    )


def _as_server(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
    return (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True, key_encipherment=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )


def _usage(
    *,
    digital_signature: bool = False,
    key_encipherment: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=key_encipherment,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _with_sans(builder: x509.CertificateBuilder, common_name: str, sans: Sequence[str] | None) -> x509.CertificateBuilder:
    names = [_general_name(san) for san in ([common_name] if sans is None else sans)]
    return builder.add_extension(x509.SubjectAlternativeName(names), critical=False) if names else builder


def _general_name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _sign(builder: x509.CertificateBuilder, own: PrivateKey, issuer: x509.Name, issuer_key: PrivateKey) -> x509.Certificate:
    if issuer_key is not own:
        key_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
        builder = builder.add_extension(key_id, critical=False)
    return builder.issuer_name(issuer).sign(issuer_key, _hash_for(issuer_key))


def _hash_for(key: PrivateKey) -> hashes.SHA256 | None:
    """Ed25519 brings its own hash and takes none."""
    return None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
