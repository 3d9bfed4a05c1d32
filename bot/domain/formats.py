"""What people send instead of a PEM certificate and key, and the command that makes one of it.

The commands are those of the manual pages openssl-pkcs12(1), openssl-pkcs7(1), openssl-pkcs8(1), openssl-pkey(1),
openssl-x509(1), ssh-keygen(1), keytool(1), puttygen(1) and iconv(1).
"""

import shlex
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Literal

from bot.domain.problems import Problem, printable

Wanted = Literal["trusted", "server"]


class Format(StrEnum):
    """A kind of content that is recognised but not taken. The value is the problem's code."""

    EMPTY = "empty_file"
    HTML = "html_page"
    UTF16 = "utf16"
    ZIP = "zip_archive"
    DAMAGED = "damaged_block"
    UNREADABLE_CERTIFICATE = "unreadable_certificate"
    UNREADABLE_KEY = "unreadable_key"
    ENCRYPTED_KEY = "encrypted_key"
    ENCRYPTED_KEY_DER = "encrypted_key_der"
    OPENSSH_KEY = "openssh_key"
    PUTTY_KEY = "putty_key"
    PKCS12 = "pkcs12"
    PKCS7_PEM = "pkcs7"
    PKCS7_DER = "pkcs7_der"
    JAVA_KEYSTORE = "java_keystore"
    #: OpenSSL's own "TRUSTED CERTIFICATE": a certificate with trust settings behind it.
    OPENSSL_TRUSTED = "openssl_trusted_certificate"
    REQUEST = "signing_request"
    PUBLIC_KEY = "public_key"
    REVOCATION_LIST = "revocation_list"
    #: PEM that belongs to none of this, such as PGP.
    OTHER_PEM = "other_pem"
    UNKNOWN = "not_recognised"


#: These hold a private key, or are most likely to.
KEY_HOLDERS = frozenset(
    {
        Format.UNREADABLE_KEY,
        Format.ENCRYPTED_KEY,
        Format.ENCRYPTED_KEY_DER,
        Format.OPENSSH_KEY,
        Format.PUTTY_KEY,
        Format.PKCS12,
        Format.JAVA_KEYSTORE,
    }
)

#: A bare private key in any dress. Inside a trusted CA file the answer is not how to convert it, but to leave it out.
BARE_KEYS = KEY_HOLDERS - {Format.PKCS12, Format.JAVA_KEYSTORE}

#: These hold certificates or nothing, so where one of them stands a missing key is missing.
KEYLESS = frozenset(
    {
        Format.UNREADABLE_CERTIFICATE,
        Format.PKCS7_PEM,
        Format.PKCS7_DER,
        Format.OPENSSL_TRUSTED,
        Format.REQUEST,
        Format.PUBLIC_KEY,
        Format.REVOCATION_LIST,
    }
)

#: Beside a certificate and its key these do no harm: they are left out, and that is said.
HARMLESS = frozenset({Format.REQUEST, Format.PUBLIC_KEY, Format.REVOCATION_LIST, Format.OTHER_PEM})

PEM_LABELS = {
    "ENCRYPTED PRIVATE KEY": Format.ENCRYPTED_KEY,
    "OPENSSH PRIVATE KEY": Format.OPENSSH_KEY,
    "PKCS7": Format.PKCS7_PEM,
    "CMS": Format.PKCS7_PEM,
    "TRUSTED CERTIFICATE": Format.OPENSSL_TRUSTED,
    "CERTIFICATE REQUEST": Format.REQUEST,
    "NEW CERTIFICATE REQUEST": Format.REQUEST,
    "PUBLIC KEY": Format.PUBLIC_KEY,
    "RSA PUBLIC KEY": Format.PUBLIC_KEY,
    "X509 CRL": Format.REVOCATION_LIST,
}

_SAY = {
    Format.EMPTY: "The file {file} is empty. Check the original and choose it again.",
    Format.HTML: (
        "The file {file} is a web page, not a certificate. Most likely a login page was saved instead; download the "
        "certificate again and choose that file."
    ),
    Format.UTF16: (
        "The file {file} is text in UTF-16, which a PBX cannot read. Save it as UTF-8 (in Notepad: Save as, Encoding "
        "UTF-8), or convert it: {command}"
    ),
    Format.ZIP: "The file {file} is a ZIP archive. Unpack it and choose the certificate, chain and key inside.",
    Format.DAMAGED: (
        "A block in the file {file} is damaged: its text or its END line is incomplete. Copy it again whole, from the "
        "line with BEGIN to the line with END."
    ),
    Format.UNREADABLE_CERTIFICATE: (
        "A certificate in the file {file} cannot be read: its content is no valid X.509. Export it again from where it "
        "came from."
    ),
    Format.UNREADABLE_KEY: (
        "The private key in the file {file} cannot be read: it is damaged, or of a kind that cannot be used for TLS. "
        "Export it again, as an RSA key of up to 8192 bits or an EC key on a named curve."
    ),
    Format.ENCRYPTED_KEY: (
        "The private key in the file {file} is protected by a password, which a PBX cannot ask for. Remove it, and "
        "choose the result: {command}"
    ),
    Format.OPENSSH_KEY: "The file {file} holds a private key in OpenSSH's own format. Convert a copy of it: {command}",
    Format.PUTTY_KEY: "The file {file} holds a private key in PuTTY's own format. Convert it: {command}",
    Format.PKCS12: (
        "The file {file} is a PKCS#12 container (.pfx, .p12), which the PBX does not take. Convert it: {command} "
        "(if OpenSSL 3 calls the algorithm unsupported, add -legacy)"
    ),
    Format.PKCS7_PEM: "The file {file} is a PKCS#7 container (.p7b, .p7c), not PEM certificates. Convert it: {command}",
    Format.JAVA_KEYSTORE: "The file {file} is a Java key store. Make PKCS#12 of it, then PEM: {command}",
    Format.OPENSSL_TRUSTED: (
        "The file {file} holds a certificate in OpenSSL's own format with trust settings. Make a plain certificate of "
        "it: {command}"
    ),
    Format.REQUEST: (
        "The file {file} is a certificate signing request, not a certificate. Send it to a CA, and choose the "
        "certificate that comes back."
    ),
    Format.PUBLIC_KEY: (
        "The file {file} holds a public key, which is neither a certificate nor a private key. Choose the certificate "
        "and the private key that belong to it."
    ),
    Format.REVOCATION_LIST: "The file {file} is a list of revoked certificates (CRL). Choose the certificate instead.",
    Format.OTHER_PEM: (
        "The file {file} holds PEM text that is neither a certificate nor a private key. Choose the files that hold these."
    ),
    Format.UNKNOWN: (
        "The file {file} holds nothing that is known here: neither PEM text nor DER. Choose the certificate as a .pem, "
        ".crt, .cer or .der file."
    ),
}

_COMMANDS = {
    Format.UTF16: "iconv -f UTF-16 -t UTF-8 {name} > {text}",
    Format.ENCRYPTED_KEY: "openssl pkey -in {name} -out {key}",
    Format.ENCRYPTED_KEY_DER: "openssl pkcs8 -inform DER -in {name} -out {key}",
    Format.OPENSSH_KEY: "cp {name} {key} && chmod 600 {key} && ssh-keygen -p -N '' -m PKCS8 -f {key}",
    Format.PUTTY_KEY: "puttygen {name} -O private-openssh -o {key}",
    Format.PKCS7_PEM: "openssl pkcs7 -print_certs -in {name} -out {pem}",
    Format.PKCS7_DER: "openssl pkcs7 -inform DER -print_certs -in {name} -out {pem}",
    Format.OPENSSL_TRUSTED: "openssl x509 -in {name} -out {pem}",
}

_PKCS12 = {
    "server": "openssl pkcs12 -in {name} -nodes -out {pem}",
    "trusted": "openssl pkcs12 -in {name} -cacerts -nokeys -out {pem}",
}
_KEYSTORE = "keytool -importkeystore -srckeystore {name} -destkeystore {p12} -deststoretype PKCS12"

_SAME_SENTENCE = {Format.ENCRYPTED_KEY_DER: Format.ENCRYPTED_KEY, Format.PKCS7_DER: Format.PKCS7_PEM}


@dataclass(frozen=True)
class Foreign:
    """Something in a file that is recognised but not taken."""

    file: str
    format: Format


def advice(foreign: Foreign, wanted: Wanted) -> Problem:
    """What this is and what to do with it."""
    found = _SAME_SENTENCE.get(foreign.format, foreign.format)
    command = conversion(foreign, wanted)
    return Problem("files", _SAY[found].format(file=printable(foreign.file), command=command), found.value)


def conversion(foreign: Foreign, wanted: Wanted) -> str:
    """The command, with the file's name quoted for a POSIX shell; empty where no command helps."""
    if foreign.format is Format.PKCS12:
        template = _PKCS12[wanted]
    elif foreign.format is Format.JAVA_KEYSTORE:
        template = _KEYSTORE + " && " + _PKCS12[wanted].replace("{name}", "{p12}")
    else:
        template = _COMMANDS.get(foreign.format, "")
    return template.format(**_names(foreign.file))


def _names(file: str) -> dict[str, str]:
    """The file's name and those of what is made of it; a name that cannot be typed safely is replaced by an example."""
    name = file if file.isprintable() and file not in {"", ".", ".."} and "/" not in file and "`" not in file else "FILE"
    stem = PurePosixPath(name).stem
    made = {
        "name": name,
        "pem": f"{stem}-converted.pem",
        "key": f"{stem}-plain.key",
        "text": f"{stem}-utf8.pem",
        "p12": f"{stem}-converted.p12",
    }
    return {role: _quoted(text) for role, text in made.items()}


def _quoted(name: str) -> str:
    """Quoted for a shell, and never an option or "standard input" to the command."""
    return shlex.quote(f"./{name}" if name.startswith("-") else name)
