"""What an uploaded file must hold, judged when it becomes a certificate. The vendor prints no rules, so these are likely.

A server file carries its private key, as the upload takes one file and no key field.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.x509.oid import NameOID

from bot.sandbox.pbx.answers import BAD_PARAMETER, Refusal

KEY_BLOCK = re.compile(rb"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.+?-----END \1-----", re.DOTALL)


@dataclass(frozen=True)
class Content:
    """A usable file."""

    pem: bytes = field(repr=False)
    key: bytes = field(repr=False)
    issue_to: str
    expires: datetime


def read_trusted(content: bytes) -> Content:
    """The first certificate in a file, PEM or DER; whether it is a CA's is not asked."""
    return _content(_certificates(content)[0], b"", content)


def read_server(content: bytes) -> Content:
    """A PEM file of the certificate, its chain, and the unencrypted private key of the first one."""
    certificate, key = _certificates(content)[0], _private_key(content)
    if _public_bytes(certificate.public_key()) != _public_bytes(key):
        raise Refusal(BAD_PARAMETER)
    key_block = KEY_BLOCK.search(content)
    return _content(certificate, key_block.group() if key_block else b"", KEY_BLOCK.sub(b"", content))


def named_host(certificate: x509.Certificate) -> str:
    """The first DNS name of a certificate, else its common name, else its whole subject."""
    names = [name for extension in certificate.extensions for name in _dns_names(extension)]
    common = [str(attribute.value) for attribute in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return [*names, *common, certificate.subject.rfc4514_string()][0]


def _dns_names(extension: x509.Extension[x509.ExtensionType]) -> list[str]:
    value = extension.value
    return value.get_values_for_type(x509.DNSName) if isinstance(value, x509.SubjectAlternativeName) else []


def _content(certificate: x509.Certificate, key: bytes, pem: bytes) -> Content:
    try:
        issue_to = named_host(certificate)
    except ValueError as error:
        raise Refusal(BAD_PARAMETER) from error
    return Content(pem, key, issue_to, certificate.not_valid_after_utc)


def _certificates(content: bytes) -> list[x509.Certificate]:
    try:
        if b"-----BEGIN" in content:
            return x509.load_pem_x509_certificates(content)
        return [x509.load_der_x509_certificate(content)]
    except ValueError as error:
        raise Refusal(BAD_PARAMETER) from error


def _private_key(content: bytes) -> PublicKeyTypes:
    """The public half of the private key in a file."""
    block = KEY_BLOCK.search(content)
    try:
        return serialization.load_pem_private_key(block.group() if block else b"", None).public_key()
    except (ValueError, TypeError) as error:
        # TypeError: the key is encrypted and no password was given.
        raise Refusal(BAD_PARAMETER) from error


def _public_bytes(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
