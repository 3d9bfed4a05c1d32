"""What stops certificates and keys from being used: each finding as a problem, with what to do about it."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from bot.domain.contents import Contents, PrivateKey
from bot.domain.facts import Certificate
from bot.domain.formats import BARE_KEYS, HARMLESS, KEY_HOLDERS, KEYLESS, Foreign, Format, Wanted, advice
from bot.domain.problems import Problem, printable


def unusable_content(contents: Contents, wanted: Wanted) -> Iterator[Problem]:
    """What cannot be taken as it is, and what is missing beside it."""
    troubling = [foreign for foreign in contents.foreign if not is_harmless(foreign, contents, wanted)]
    for foreign in troubling:
        if wanted == "server" or foreign.format not in BARE_KEYS:
            yield advice(foreign, wanted)
    if contents.overfull:
        yield too_many_certificates(None)
        return
    formats = {foreign.format for foreign in troubling}
    if not contents.certificates and formats <= BARE_KEYS and not (wanted == "trusted" and contents.key_files):
        message = "There is no certificate in the files. Add the certificate, as PEM or DER."
        yield Problem("files", message, "no_certificate")
    if wanted == "server" and not contents.keys and formats <= KEYLESS:
        message = (
            "There is no private key in the files, and a server certificate is of no use without it. Add the key that the "
            "signing request was made with."
        )
        yield Problem("files", message, "no_key")


def is_harmless(foreign: Foreign, contents: Contents, wanted: Wanted) -> bool:
    """Beside a certificate such things are only left out; a public key in place of the private one is a mistake to name."""
    mistaken = foreign.format is Format.PUBLIC_KEY and wanted == "server" and not contents.keys
    return bool(contents.certificates) and foreign.format in HARMLESS and not mistaken


def keys_in_trusted(contents: Contents) -> Iterator[Problem]:
    """Containers are answered with the command that takes the CA certificate out of them instead."""
    containers = {foreign.file for foreign in contents.foreign if foreign.format in KEY_HOLDERS - BARE_KEYS}
    for file in sorted(contents.key_files - containers):
        message = (
            f"The file {printable(file)} holds a private key. A trusted CA is added by its certificate alone, and its key "
            "must not be sent to anybody. Delete this file in Slack, and choose one with only the certificate."
        )
        yield Problem("files", message, "key_in_trusted")


def no_ca(certificate: Certificate) -> Iterator[Problem]:
    facts = certificate.facts
    if facts.is_ca or certificate.anchor:
        return
    if facts.self_signed:
        what = "a server's self-signed certificate, not a CA certificate"
        todo = "Ask whoever runs that server for the certificate of its CA"
    else:
        what = "not a CA certificate"
        todo = f"Choose the certificate of the CA that issued it: “{facts.issuer}”"
    message = f"“{facts.name}” is {what}: its basic constraints do not say CA. {todo}."
    yield Problem("files", message, "not_a_ca")


def several_cas(certificates: Sequence[Certificate]) -> Problem:
    message = (
        f"There are {len(certificates)} certificates in the files: {_listed(certificates)}. The PBX adds one at a time, so "
        "ask for each by itself."
    )
    return Problem("files", message, "several_certificates")


def several_leaves(ends: Sequence[Certificate]) -> Problem:
    message = (
        f"There are {len(ends)} server certificates in the files: {_listed(ends)}. Choose the one that is meant, with its "
        "chain and key only."
    )
    return Problem("files", message, "several_certificates")


def several_keys(keys: Sequence[PrivateKey]) -> Problem:
    where = ", ".join(sorted({printable(key.file) for key in keys}))
    message = f"There are {len(keys)} different private keys in the files ({where}). Choose only the one of the certificate."
    return Problem("files", message, "several_keys")


def key_mismatch(ends: Sequence[Certificate], key: PrivateKey, owner: Certificate | None) -> Problem:
    kinds = ", ".join(f"“{end.facts.name}” ({end.facts.key})" for end in _ordered(ends)[:5])
    instead = f"; it is the key of the CA “{owner.facts.name}”" if owner else ""
    message = (
        f"The private key in the file {printable(key.file)} ({key.name}) does not belong to the certificate {kinds}{instead}. "
        "Choose the key that its signing request was made with, or have the certificate issued again for this key."
    )
    return Problem("files", message, "key_mismatch")


def too_many_certificates(count: int | None) -> Problem:
    many = f"{count} certificates" if count else "more entries than are read"
    message = f"There are {many} in the files. Choose the server's certificate, the intermediates above it, and the key."
    return Problem("files", message, "too_many_certificates")


def outside_validity(certificate: Certificate, now: datetime) -> Iterator[Problem]:
    """The bounds belong to the validity (RFC 5280, section 4.1.2.5); at its last second a certificate is as good as expired."""
    facts = certificate.facts
    if now >= facts.not_after:
        message = f"“{facts.name}” expired on {facts.not_after:%Y-%m-%d %H:%M} UTC. Ask its CA for a new one."
        yield Problem("files", message, "expired")
    elif now < facts.not_before:
        message = f"“{facts.name}” is not valid before {facts.not_before:%Y-%m-%d %H:%M} UTC. Ask again from then on."
        yield Problem("files", message, "not_yet_valid")


def _listed(certificates: Sequence[Certificate]) -> str:
    """A few of them by name and end of validity."""
    names = [f"“{each.facts.name}” (until {each.facts.not_after:%Y-%m-%d})" for each in _ordered(certificates)[:5]]
    return ", ".join(names) + (" and others" if len(certificates) > 5 else "")


def _ordered(certificates: Sequence[Certificate]) -> list[Certificate]:
    """An order that does not depend on that of the files."""
    return sorted(certificates, key=lambda certificate: (certificate.facts.name, certificate.facts.sha256))
