"""Files to try the form with, for whoever has no certificate at hand."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.sandbox.pki import Authority


@dataclass(frozen=True)
class Sample:
    """A file that can be attached with a click, and what it is good for."""

    name: str
    about: str
    content: bytes = field(repr=False)


def samples(domain: str = "pbx.example.com") -> list[Sample]:
    """Good ones and bad ones, made anew for this sandbox."""
    root = Authority.make("Example Telecom Root CA")
    leaf = root.intermediate("Example Issuing CA").issue(domain, [domain, "localhost"])
    other = root.issue(domain)
    long_ago = datetime.now(UTC) - timedelta(days=4000)
    old = Authority.make("Example Old Root CA", days=3650, not_before=long_ago)
    return [
        Sample("telecom-root.crt", "A root CA that can be trusted", root.cert_pem),
        Sample(f"{domain}.pem", "A server certificate with chain and key", leaf.bundle_pem),
        Sample("old-root.crt", "A root CA that has expired", old.cert_pem),
        Sample("wrong-key.pem", "A server certificate with another one's key", leaf.cert_pem + other.key_pem),
    ]
