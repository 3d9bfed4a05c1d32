"""One X.509 certificate (RFC 5280): what it says of itself, and whether it covers a host (RFC 9525)."""

import hashlib
import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from bot.domain.domains import normalise_domain
from bot.domain.problems import printable

#: What cryptography raises for content that it cannot make sense of.
UNREADABLE = (ValueError, TypeError, OverflowError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion)

BROKEN_HASHES = frozenset({"md5", "sha1"})

_NAMED_KINDS: tuple[tuple[type, str], ...] = ((ed25519.Ed25519PublicKey, "Ed25519"), (ed448.Ed448PublicKey, "Ed448"))
_SAN_KINDS: tuple[tuple[type, str], ...] = ((x509.RFC822Name, "email"), (x509.UniformResourceIdentifier, "URI"))
#: How `_san` begins what is no host.
_NOT_HOSTS = ("DNS:", "email:", "URI:", "other:")
_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}


@dataclass(frozen=True)
class CertificateFacts:
    """What a certificate says of itself, in plain types.

    ``sans`` holds DNS names and IP addresses as they are; other names carry their kind, as in "email:x@example.com".
    Times are aware. ``sha256`` is the fingerprint as upper-case hex with colons; ``serial`` is upper-case hex. ``is_ca``
    is what BasicConstraints says. ``self_signed`` means that its own key verifies its signature.
    """

    subject: str
    sans: tuple[str, ...]
    issuer: str
    not_before: datetime
    not_after: datetime
    sha256: str
    key: str
    is_ca: bool
    serial: str
    self_signed: bool
    #: SHA-256 of the public key (SubjectPublicKeyInfo) as lower-case hex, by which keys are compared; "" where it was not kept.
    key_id: str = ""

    @property
    def name(self) -> str:
        """What to call it in a sentence."""
        return printable(self.subject or next(iter(self.sans), "") or f"serial {self.serial}")

    @property
    def hosts(self) -> tuple[str, ...]:
        """The SANs that a client can be connected to: DNS names in lower case, wildcards included, and IP addresses."""
        return tuple(san.lower() for san in self.sans if not san.startswith(_NOT_HOSTS) and not any(map(str.isspace, san)))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types; times in ISO 8601."""
        times = {"not_before": self.not_before.isoformat(), "not_after": self.not_after.isoformat()}
        return {**vars(self), "sans": list(self.sans), **times}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        times = {name: datetime.fromisoformat(data[name]) for name in ("not_before", "not_after")}
        return cls(**{**data, "sans": tuple(data["sans"]), **times})


@dataclass(frozen=True)
class Certificate:
    """A certificate with everything read that is judged here, so that nothing can fail to parse later."""

    facts: CertificateFacts
    cert: x509.Certificate = field(repr=False)
    public_key: bytes = field(repr=False)
    #: Whether KeyUsage allows signing certificates, and ExtendedKeyUsage serving TLS; None: not limited.
    may_sign: bool | None
    may_serve: bool | None
    #: Size of the key where a small one is weak: RSA and DSA.
    rsa_bits: int | None
    #: "sha1", "sha256" ...; None where the signature's kind has none of its own choice, as Ed25519.
    hash: str | None

    @property
    def anchor(self) -> bool:
        """A root of the time before extensions: version 1, signed by itself."""
        return self.facts.self_signed and self.cert.version is x509.Version.v1

    def pem(self) -> bytes:
        return self.cert.public_bytes(serialization.Encoding.PEM)


def read_certificate(der: bytes) -> Certificate:
    """Raises ValueError where this is no certificate, or one that cannot be read to its end."""
    try:
        return _read(x509.load_der_x509_certificate(der))
    except UNREADABLE as error:
        raise ValueError("no readable certificate") from error


def issued_by(child: x509.Certificate, parent: x509.Certificate) -> bool:
    """Whether the parent's name and key stand behind the child; the signature is verified.

    cryptography's own check does not know SHA-1 and MD5 any more. Many old roots are signed with them, and to be told what
    they are they must still be recognised.
    """
    if child.issuer != parent.subject:
        return False
    try:
        hash_ = child.signature_hash_algorithm
        if hash_ is not None and hash_.name in BROKEN_HASHES:
            _verify_old(child, parent.public_key(), hash_)
        else:
            child.verify_directly_issued_by(parent)
    except (InvalidSignature, *UNREADABLE):
        return False
    return True


def _verify_old(child: x509.Certificate, key: object, hash_: hashes.HashAlgorithm) -> None:
    signature, signed, parameters = child.signature, child.tbs_certificate_bytes, child.signature_algorithm_parameters
    if isinstance(key, rsa.RSAPublicKey) and isinstance(parameters, padding.PKCS1v15 | padding.PSS):
        key.verify(signature, signed, parameters, hash_)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, signed, ec.ECDSA(hash_))
    else:
        raise InvalidSignature


def spki(key: Any) -> bytes:
    """The public key as SubjectPublicKeyInfo, by which keys are compared."""
    der: bytes = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return der


def key_name(key: object) -> str:
    """As people say it: "RSA 2048", "EC P-256", "Ed25519"."""
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {_CURVES.get(key.curve.name, key.curve.name)}"
    if isinstance(key, dsa.DSAPublicKey):
        return f"DSA {key.key_size}"
    return next((name for kind, name in _NAMED_KINDS if isinstance(key, kind)), "another kind of key")


def covers(facts: CertificateFacts, host: str) -> bool:
    """Whether a TLS client that asked for this host accepts the certificate's names (RFC 9525, section 6)."""
    return is_among_names(host, facts.sans)


def is_among_names(host: str, names: Iterable[str]) -> bool:
    """Whether these SANs cover the host.

    Only SANs count, never the common name. A wildcard stands for one whole left-most label. An IP address is covered by
    an IP SAN alone. A wildcard given as host is covered by the same wildcard.
    """
    address = _address(host.strip().removeprefix("[").removesuffix("]"))
    if address is not None:
        return any(_address(name) == address for name in names)
    try:
        name = normalise_domain(host, single_label=True)
    except ValueError:
        return False
    wildcard = "*." + name.partition(".")[2]
    patterns = {pattern.lower().removesuffix(".") for pattern in names}
    return name in patterns or (wildcard.count(".") > 1 and not name.startswith("*.") and wildcard in patterns)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _read(certificate: x509.Certificate) -> Certificate:
    key = certificate.public_key()
    extensions = {type(extension.value): extension.value for extension in certificate.extensions}
    usage, purposes = extensions.get(x509.KeyUsage), extensions.get(x509.ExtendedKeyUsage)
    hash_ = certificate.signature_hash_algorithm
    return Certificate(
        facts=_facts(certificate, key, extensions),
        cert=certificate,
        public_key=spki(key),
        may_sign=usage.key_cert_sign if isinstance(usage, x509.KeyUsage) else None,
        may_serve=_may_serve(purposes) if isinstance(purposes, x509.ExtendedKeyUsage) else None,
        rsa_bits=key.key_size if isinstance(key, rsa.RSAPublicKey | dsa.DSAPublicKey) else None,
        hash=hash_.name if hash_ else None,
    )


def _facts(certificate: x509.Certificate, key: object, extensions: Mapping[type, x509.ExtensionType]) -> CertificateFacts:
    basic, names = extensions.get(x509.BasicConstraints), extensions.get(x509.SubjectAlternativeName)
    return CertificateFacts(
        subject=printable(certificate.subject.rfc4514_string(), 500),
        sans=tuple(_san(name) for name in names) if isinstance(names, x509.SubjectAlternativeName) else (),
        issuer=printable(certificate.issuer.rfc4514_string(), 500),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        sha256=certificate.fingerprint(hashes.SHA256()).hex(":").upper(),
        key=key_name(key),
        is_ca=isinstance(basic, x509.BasicConstraints) and basic.ca,
        serial=f"{certificate.serial_number:X}",
        self_signed=issued_by(certificate, certificate),
        key_id=hashlib.sha256(spki(key)).hexdigest(),
    )


def _may_serve(purposes: x509.ExtendedKeyUsage) -> bool:
    return any(purpose in purposes for purpose in (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE))


def _san(name: x509.GeneralName) -> str:
    if isinstance(name, x509.DNSName):
        # An address among the DNS names counts for no client; without its kind it would look like an IP SAN.
        return printable(f"DNS:{name.value}" if _address(name.value) else name.value, 260)
    if isinstance(name, x509.IPAddress):
        return str(name.value)
    kind = next((kind for type_, kind in _SAN_KINDS if isinstance(name, type_)), "other")
    return printable(f"{kind}:{name.value}", 260)
