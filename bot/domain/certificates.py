"""What the files of a request hold, and what is wrong with them.

`read_trusted` and `read_server` take one to three files in any order and any mixture, and give either what the PBX wants or
every problem at once. They read no clock and no disk.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.cautions import is_weak, server_cautions, trusted_cautions
from bot.domain.chain import end_entities, path
from bot.domain.contents import Contents, NamedFile, PrivateKey
from bot.domain.facts import Certificate, CertificateFacts, covers
from bot.domain.faults import (
    key_mismatch,
    keys_in_trusted,
    no_ca,
    outside_validity,
    several_cas,
    several_keys,
    several_leaves,
    too_many_certificates,
    unusable_content,
)
from bot.domain.file_names import SERVER_EXTENSION, TRUSTED_EXTENSION, check_file_name, pbx_file_name
from bot.domain.formats import HARMLESS
from bot.domain.problems import Problem, printable

__all__ = [
    "MAX_BYTES",
    "MAX_FILES",
    "SERVER_EXTENSION",
    "TRUSTED_EXTENSION",
    "CertificateFacts",
    "NamedFile",
    "Problem",
    "ServerBundle",
    "Trusted",
    "check_file_name",
    "covers",
    "files_with_keys",
    "pbx_file_name",
    "read_server",
    "read_trusted",
]

#: Of all files together; more is not even looked at.
MAX_BYTES = 1_000_000
MAX_FILES = 3
#: A server's certificate, its chain, and room for what came along.
MAX_CERTIFICATES = 20


@dataclass(frozen=True)
class Trusted:
    """One CA certificate, as PEM."""

    pem: bytes = field(repr=False)
    facts: CertificateFacts
    warnings: tuple[str, ...] = ()
    #: A trusted CA stands alone; here so that both kinds of request read alike.
    chain: tuple[CertificateFacts, ...] = ()
    #: Whether its key or its signature is weaker than clients accept.
    weak: bool = False


@dataclass(frozen=True)
class ServerBundle:
    """A server's certificate with its chain and key.

    ``pem`` is certificate, intermediates, private key (unencrypted PKCS#8); ``public_pem`` is the same without the key.
    ``chain`` are the intermediates in order. ``key_files`` names the files that held the key, for their owner to delete.
    """

    pem: bytes = field(repr=False)
    public_pem: bytes = field(repr=False)
    facts: CertificateFacts
    chain: tuple[CertificateFacts, ...]
    warnings: tuple[str, ...]
    key_files: tuple[str, ...]
    #: Whether a key or a signature in it is weaker than clients accept.
    weak: bool = False


def read_trusted(files: Sequence[NamedFile], now: datetime) -> Trusted | list[Problem]:
    """The one CA certificate in the files. ``now`` must be aware."""
    refused = _refused(files, now)
    if refused:
        return refused
    contents = Contents(files)
    found = list(contents.certificates.values())
    problems = [*unusable_content(contents, "trusted"), *keys_in_trusted(contents)]
    if len(found) > 1:
        problems.append(several_cas(found))
    if len(found) == 1:
        problems += [*outside_validity(found[0], now), *no_ca(found[0])]
    if problems:
        return _once(problems)
    warnings = (*trusted_cautions(found[0]), *_left_out(contents))
    return Trusted(found[0].pem(), found[0].facts, warnings, weak=is_weak(found[0]))


def read_server(files: Sequence[NamedFile], now: datetime) -> ServerBundle | list[Problem]:
    """The server's certificate, chain and key in the files. ``now`` must be aware."""
    refused = _refused(files, now)
    if refused:
        return refused
    contents = Contents(files)
    problems = [*unusable_content(contents, "server")]
    found, keys = list(contents.certificates.values()), list(contents.keys.values())
    if len(found) > MAX_CERTIFICATES:
        return _once([*problems, too_many_certificates(len(found))])
    if len(keys) > 1:
        problems.append(several_keys(keys))
    leaf = _leaf(found, keys[0] if len(keys) == 1 else None) if found else None
    if isinstance(leaf, Certificate):
        problems += outside_validity(leaf, now)
    elif leaf is not None:
        problems.append(leaf)
    if problems or not isinstance(leaf, Certificate):
        return _once(problems)
    return _bundle(leaf, keys[0], contents, now)


def files_with_keys(files: Sequence[NamedFile]) -> tuple[str, ...]:
    """Names of the files that hold a private key in whatever form, also where the files cannot be taken.

    Empty where they are too large to be read.
    """
    if sum(len(file.content) for file in files) > MAX_BYTES:
        return ()
    return tuple(sorted(Contents(files).key_files))


def _leaf(certificates: Sequence[Certificate], key: PrivateKey | None) -> Certificate | Problem:
    """The server's own certificate: the one that fits the key, and the only one that is no CA."""
    ends = end_entities(certificates)
    if key is None:
        return ends[0] if len(ends) == 1 else several_leaves(ends)
    fitting = [certificate for certificate in certificates if certificate.public_key == key.public_key]
    others = [end for end in ends if end not in fitting]
    if not fitting:
        return key_mismatch(ends, key, None)
    if others and all(certificate.facts.is_ca for certificate in fitting):
        return key_mismatch(others, key, fitting[0])
    return fitting[0] if len(fitting) == 1 and not others else several_leaves([*fitting, *others])


def _bundle(leaf: Certificate, key: PrivateKey, contents: Contents, now: datetime) -> ServerBundle:
    pool = list(contents.certificates.values())
    way = path(leaf, pool, now)
    told = (leaf, *way.issuers, way.root, way.impostor)
    unused = sorted((other for other in pool if other not in told), key=lambda other: other.facts.sha256)
    public = b"".join(certificate.pem() for certificate in (leaf, *way.issuers))
    return ServerBundle(
        pem=public + key.pem,
        public_pem=public,
        facts=leaf.facts,
        chain=tuple(issuer.facts for issuer in way.issuers),
        warnings=(*server_cautions(leaf, way, unused, now), *_left_out(contents)),
        key_files=tuple(sorted(contents.key_files)),
        weak=any(map(is_weak, (leaf, *way.issuers))),
    )


def _refused(files: Sequence[NamedFile], now: datetime) -> list[Problem]:
    """What is wrong before anything is read."""
    if now.utcoffset() is None:
        raise ValueError("now must be aware of its time zone")
    if not files:
        return [Problem("files", "There is no file. Choose the certificate's file.", "no_file")]
    if len(files) > MAX_FILES:
        message = f"There are {len(files)} files; at most {MAX_FILES} are taken. Choose certificate, chain and key."
        return [Problem("files", message, "too_many_files")]
    size = sum(len(file.content) for file in files)
    if size > MAX_BYTES:
        message = f"The files have {size:,} bytes; at most {MAX_BYTES:,} are read. Choose only certificate, chain and key."
        return [Problem("files", message, "files_too_large")]
    return []


def _left_out(contents: Contents) -> Iterator[str]:
    for foreign in contents.foreign:
        if foreign.format in HARMLESS:
            what = foreign.format.value.replace("_", " ")
            yield f"The file {printable(foreign.file)} also holds something that is not needed ({what}); it is left out."


def _once(problems: Sequence[Problem]) -> list[Problem]:
    return list(dict.fromkeys(problems))
