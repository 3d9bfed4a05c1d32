"""Which certificate is the server's, and in which order those that vouch for it follow (RFC 8446, section 4.4.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.facts import Certificate, issued_by


@dataclass(frozen=True)
class Path:
    """The way up from a certificate.

    ``issuers`` are the intermediates, nearest first. ``root`` is the self-signed end, where the files held it; servers leave
    it out, because who trusts it already has it. ``impostor`` bears the missing issuer's name but did not sign.
    """

    issuers: tuple[Certificate, ...]
    root: Certificate | None
    impostor: Certificate | None


def path(leaf: Certificate, pool: Sequence[Certificate], now: datetime) -> Path:
    """Follows verified signatures; each certificate is used once, so loops of cross-signing end."""
    way, rest = [leaf], [certificate for certificate in pool if certificate is not leaf]
    while not way[-1].facts.self_signed and (parent := _parent(way[-1], rest, now)):
        rest.remove(parent)
        way.append(parent)
    root = way.pop() if len(way) > 1 and way[-1].facts.self_signed else None
    top = root or way[-1]
    return Path(tuple(way[1:]), root, None if top.facts.self_signed else _impostor(top, rest))


def end_entities(certificates: Sequence[Certificate]) -> list[Certificate]:
    """Those that are no CA; where all are, those that issued none of the others."""
    plain = [certificate for certificate in certificates if not (certificate.facts.is_ca or certificate.anchor)]
    tips = [certificate for certificate in certificates if not _issued_any(certificate, certificates)]
    return plain or tips or list(certificates)


def _issued_any(certificate: Certificate, others: Sequence[Certificate]) -> bool:
    return any(other is not certificate and issued_by(other.cert, certificate.cert) for other in others)


def _parent(child: Certificate, pool: Sequence[Certificate], now: datetime) -> Certificate | None:
    """Of several issuers, one that is valid now, then an intermediate (it serves those who do not know the newer root), then
    the one that lasts longest; the fingerprint only makes the choice repeatable."""
    parents = [certificate for certificate in pool if issued_by(child.cert, certificate.cert)]
    return max(
        parents,
        key=lambda parent: (
            parent.facts.not_before <= now < parent.facts.not_after,
            not parent.facts.self_signed,
            parent.facts.not_after,
            parent.facts.sha256,
        ),
        default=None,
    )


def _impostor(child: Certificate, pool: Sequence[Certificate]) -> Certificate | None:
    return next((other for other in pool if other.cert.subject == child.cert.issuer), None)
