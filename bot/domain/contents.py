"""What a person's files hold: certificates, private keys, and what is recognised but not taken."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from bot.domain.armour import Block, armoured, blocks, has_marks
from bot.domain.facts import UNREADABLE, Certificate, key_name, read_certificate, spki
from bot.domain.formats import KEY_HOLDERS, PEM_LABELS, Foreign, Format

#: More is no certificate with its chain; it also bounds the work that one request can cause.
MAX_BLOCKS = 200
#: In one file. Checking a large RSA key takes a second or two.
MAX_KEYS = 5
#: An RSA key of 8192 bits takes 4.7 kB as PKCS#8. Larger ones take minutes to check.
MAX_KEY_BYTES = 5_000

_CERTIFICATES = {"CERTIFICATE", "X509 CERTIFICATE", "X.509 CERTIFICATE"}
_KEYS = {"PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY"}
#: These stand beside keys that OpenSSL made and say nothing that the key does not.
_IGNORED = {"EC PARAMETERS", "DH PARAMETERS", "DSA PARAMETERS"}

# A DER SEQUENCE header, then what tells the containers apart (RFC 2315 section 7, RFC 7292 section 4, RFC 5208).
_SEQUENCE = rb"\A\x30(?:[\x00-\x7f]|\x80|\x81.|\x82..|\x83...|\x84....)"
_PKCS7 = re.compile(_SEQUENCE + rb"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", re.DOTALL)
_PKCS12 = re.compile(_SEQUENCE + rb"\x02\x01\x03\x30", re.DOTALL)

#: Archives may hold PEM text uncompressed, so these come before the search for PEM.
_ARCHIVES = {
    b"PK\x03\x04": Format.ZIP,
    b"\xfe\xed\xfe\xed": Format.JAVA_KEYSTORE,
    b"\xce\xce\xce\xce": Format.JAVA_KEYSTORE,
}
_OPENINGS = (
    (b"PuTTY-User-Key-File-", Format.PUTTY_KEY),
    (b"---- BEGIN SSH2 PUBLIC KEY", Format.PUBLIC_KEY),
    (b"ssh-", Format.PUBLIC_KEY),
    (b"ecdsa-sha2-", Format.PUBLIC_KEY),
)


@dataclass(frozen=True)
class NamedFile:
    """A file as it came. Its content may be a private key, so it is not shown."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class PrivateKey:
    """A private key; only its kind and its public half are ever shown or compared."""

    pem: bytes = field(repr=False)
    public_key: bytes = field(repr=False)
    #: Its kind, as in "EC P-256".
    name: str
    #: The first file that held it.
    file: str = ""


class Contents:
    """Everything in a few files, each certificate and each key once, in the order of the files' names."""

    def __init__(self, files: Sequence[NamedFile]) -> None:
        self.certificates: dict[str, Certificate] = {}
        self.keys: dict[bytes, PrivateKey] = {}
        self.foreign: list[Foreign] = []
        #: Names of the files that held a private key in whatever form.
        self.key_files: set[str] = set()
        self.overfull = False
        for file in sorted(files, key=lambda file: (file.name, file.content)):
            for item in _items(file.content):
                self._add(file.name, item)

    def _add(self, file: str, item: "Item") -> None:
        if isinstance(item, Certificate):
            self.certificates.setdefault(item.facts.sha256, item)
        elif isinstance(item, PrivateKey):
            self.keys.setdefault(item.public_key, replace(item, file=file))
            self.key_files.add(file)
        elif item is Overfull:
            self.overfull = True
        elif isinstance(item, Format):
            self._refuse(Foreign(file, item))

    def _refuse(self, foreign: Foreign) -> None:
        if foreign not in self.foreign:
            self.foreign.append(foreign)
        if foreign.format in KEY_HOLDERS:
            self.key_files.add(foreign.file)


class Overfull:
    """The file has more blocks than anybody needs; the rest was not read."""


Item = Certificate | PrivateKey | Format | type[Overfull]


def _items(content: bytes) -> Iterator[Item]:
    if content[:4] in _ARCHIVES:
        yield _ARCHIVES[content[:4]]
        return
    content = content.removeprefix(b"\xef\xbb\xbf")
    if not has_marks(content):
        yield _unarmoured(content)
        return
    keys = 0
    for count, block in enumerate(blocks(content)):
        keys += block.label in _KEYS
        if count == MAX_BLOCKS or keys > MAX_KEYS:
            yield Overfull
            return
        item = _from_block(block)
        if item is not None:
            yield item


def _from_block(block: Block) -> Item | None:
    if block.label in _IGNORED:
        return None
    if block.encrypted and block.label in _KEYS:
        return Format.ENCRYPTED_KEY
    if block.label in PEM_LABELS:
        return PEM_LABELS[block.label]
    if block.label not in _CERTIFICATES | _KEYS:
        return Format.OTHER_PEM
    if block.der is None:
        return Format.UNREADABLE_KEY if block.label in _KEYS else Format.DAMAGED
    return _key(block.der) if block.label in _KEYS else _certificate(block.der)


def _certificate(der: bytes) -> Certificate | Format:
    """Some tools write PKCS#7 under a certificate's label."""
    try:
        return read_certificate(der)
    except ValueError:
        return Format.PKCS7_PEM if _PKCS7.match(der) else Format.UNREADABLE_CERTIFICATE


def _key(der: bytes) -> PrivateKey | Format:
    if len(der) > MAX_KEY_BYTES:
        return Format.UNREADABLE_KEY
    try:
        return _described(serialization.load_der_private_key(der, None))
    except TypeError:  # what cryptography raises for a password that is missing
        return Format.ENCRYPTED_KEY
    except UNREADABLE:
        return Format.UNREADABLE_KEY


def _described(key: PrivateKeyTypes) -> PrivateKey:
    """Written again as unencrypted PKCS#8, whatever form it came in."""
    der = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = key.public_key()
    return PrivateKey(armoured("PRIVATE KEY", der), spki(public), key_name(public))


def _unarmoured(content: bytes) -> Item:
    text = content.strip()
    if not text:
        return Format.EMPTY
    if content[:2] in {b"\xff\xfe", b"\xfe\xff"} or b"-\0-\0-\0" in content[:4096]:
        return Format.UTF16
    for opening, found in _OPENINGS:
        if text.startswith(opening):
            return found
    if content.startswith(b"\x30"):
        return _from_der(content)
    head = text[:1024].lower()
    return Format.HTML if b"<html" in head or b"<!doctype html" in head else Format.UNKNOWN


def _from_der(der: bytes) -> Item:
    """DER carries no label, so the containers are told by their first bytes and the rest by what parses."""
    if _PKCS7.match(der):
        return Format.PKCS7_DER
    if _PKCS12.match(der):
        return Format.PKCS12
    try:
        return read_certificate(der)
    except ValueError:
        key = _key(der)
    if key is Format.ENCRYPTED_KEY:
        return Format.ENCRYPTED_KEY_DER
    return _other_der(der) if key is Format.UNREADABLE_KEY else key


def _other_der(der: bytes) -> Format:
    readers = (
        (x509.load_der_x509_csr, Format.REQUEST),
        (x509.load_der_x509_crl, Format.REVOCATION_LIST),
        (serialization.load_der_public_key, Format.PUBLIC_KEY),
    )
    for reader, found in readers:
        try:
            reader(der)
        except UNREADABLE:
            continue
        return found
    return Format.UNKNOWN
