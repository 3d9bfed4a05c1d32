"""What is allowed, but what an approver should know about a certificate."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from bot.domain.chain import Path
from bot.domain.facts import BROKEN_HASHES, Certificate

#: The longest that browsers accepted from public CAs since 2020; newer limits are shorter still (CA/B Forum, Ballot SC-081).
LONGEST_SERVER_LIFE = timedelta(days=398)
SMALLEST_RSA = 2048


def server_cautions(leaf: Certificate, way: Path, unused: Sequence[Certificate], now: datetime) -> Iterator[str]:
    yield from _leaf(leaf)
    yield from _above(leaf, way)
    for certificate in (leaf, *way.issuers):
        yield from _strength(certificate)
    for certificate in way.issuers:
        yield from _age(certificate, now)
    for certificate in unused:
        yield f"“{certificate.facts.name}” does not belong to this certificate's chain and is left out."


def trusted_cautions(certificate: Certificate) -> Iterator[str]:
    if certificate.anchor:
        yield (
            "This is a root of the old kind (version 1), which cannot say that it is a CA. It is taken as one because it "
            "is signed by itself."
        )
    if certificate.may_sign is False:
        yield "Its key usage does not allow signing certificates, so what it issued may not be accepted."
    if not certificate.facts.self_signed:
        yield (
            f"This is an intermediate CA, issued by “{certificate.facts.issuer}”. The PBX may need that one as a "
            "trusted CA too."
        )
    yield from _strength(certificate)


def is_weak(certificate: Certificate) -> bool:
    """Whether its key or its signature is weaker than clients accept; they accept no DSA at all (RFC 8446, section 4.2.3)."""
    return certificate.facts.key.startswith("DSA") or any(_strength(certificate))


def _leaf(leaf: Certificate) -> Iterator[str]:
    facts = leaf.facts
    if facts.is_ca:
        yield "The server's certificate is itself a CA certificate. Whoever has its key can issue others."
    if not facts.sans:
        yield "It has no SAN, so browsers and most phones will not accept it for any name."
    if facts.not_after - facts.not_before > LONGEST_SERVER_LIFE:
        days = (facts.not_after - facts.not_before).days
        yield f"It is valid for {days} days; clients refuse more than 398 days from a public CA."
    if leaf.may_serve is False:
        yield "Its extended key usage does not name TLS servers, so clients may refuse it."
    if not facts.key.startswith(("RSA", "EC ")):
        yield f"Its key is {facts.key}, which many phones and browsers do not know; RSA and EC are understood everywhere."


def _above(leaf: Certificate, way: Path) -> Iterator[str]:
    if leaf.facts.self_signed:
        yield "It is self-signed: clients accept it only where it was installed as trusted."
    elif way.impostor is not None:
        yield (
            f"“{way.impostor.facts.name}” has the name of the issuer of “{(way.issuers or (leaf,))[-1].facts.name}”, but "
            "did not sign it. It may be an older or newer one of the same name; ask the CA for the right chain."
        )
    elif way.root is None and not way.issuers:
        yield (
            f"The issuer “{leaf.facts.issuer}” is not among the files. If it is an intermediate CA, add its certificate; "
            "without it phones may refuse the connection."
        )
    if way.root is not None:
        yield f"The root “{way.root.facts.name}” is left out: servers do not send it, and clients trust only their own copy."


def _strength(certificate: Certificate) -> Iterator[str]:
    name = certificate.facts.name
    if certificate.rsa_bits is not None and certificate.rsa_bits < SMALLEST_RSA:
        yield f"The key of “{name}” is weak ({certificate.facts.key}); clients want at least {SMALLEST_RSA} bits."
    # Nobody checks the signature of a root: it is trusted for being there.
    root = certificate.facts.self_signed and (certificate.facts.is_ca or certificate.anchor)
    if certificate.hash in BROKEN_HASHES and not root:
        yield f"“{name}” is signed with {certificate.hash.upper()}, which is broken; clients refuse it."


def _age(certificate: Certificate, now: datetime) -> Iterator[str]:
    facts = certificate.facts
    if now >= facts.not_after:
        yield f"The intermediate CA “{facts.name}” expired on {facts.not_after:%Y-%m-%d}; ask the CA for the current one."
    if now < facts.not_before:
        yield f"The intermediate CA “{facts.name}” is not valid before {facts.not_before:%Y-%m-%d}."
