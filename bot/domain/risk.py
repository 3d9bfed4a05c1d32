"""What makes a request risky: computed from what is known of it, never typed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from bot.domain.facts import CertificateFacts, is_among_names
from bot.domain.kinds import Kind


class Risk(StrEnum):
    """One reason to look twice. A policy's rule may ask for it by its value."""

    #: It is valid for every host below a domain.
    WILDCARD = "wildcard"
    #: Its key or a signature in its chain is weaker than clients accept.
    WEAK_KEY = "weak_key"
    #: Its key was seen in a request for another PBX or for another certificate.
    SHARED_KEY = "shared_key"
    #: It is a server's, and valid for longer than the configuration's limit.
    LONG_VALIDITY = "long_validity"
    #: It does not cover the host under which the bot reaches the PBX.
    NOT_COVERING = "not_covering"
    #: It takes the last free slot of its type.
    LAST_SLOT = "last_slot"
    #: It is to be applied outside the PBX's maintenance windows.
    OUTSIDE_WINDOW = "outside_window"


#: What each means, for people.
MEANINGS: dict[Risk, str] = {
    Risk.WILDCARD: "it is valid for every host below a domain",
    Risk.WEAK_KEY: "a key or signature is weaker than clients accept",
    Risk.SHARED_KEY: "its private key is in use for something else, too",
    Risk.LONG_VALIDITY: "it is valid for longer than the limit",
    Risk.NOT_COVERING: "it does not cover the PBX's own host",
    Risk.LAST_SLOT: "it takes the last free slot",
    Risk.OUTSIDE_WINDOW: "it is to be applied outside the maintenance windows",
}


@dataclass(frozen=True)
class Known:
    """What is known of a request when it is checked.

    ``names`` are the hosts that the certificate is for; ``host`` is the one under which the bot reaches the PBX, "" if that is
    not known. ``free`` counts the free slots of its type; None where the PBX could not be asked.
    """

    kind: Kind
    names: tuple[str, ...]
    host: str
    certificate: CertificateFacts | None = None
    has_weak_key: bool = False
    has_shared_key: bool = False
    free: int | None = None
    is_in_window: bool = True
    longest_validity: timedelta = timedelta(days=398)

    @property
    def is_for_server(self) -> bool:
        return self.kind is not Kind.TRUSTED

    @property
    def leaves_out_the_host(self) -> bool:
        """A server's certificate that the bot itself could not be connected to."""
        return self.is_for_server and bool(self.host) and not is_among_names(self.host, self.names)

    @property
    def is_valid_for_long(self) -> bool:
        """CAs are meant to be; for how long a server's certificate may be is limited (CA/B Forum, Ballot SC-081)."""
        found = self.certificate
        return self.is_for_server and found is not None and found.not_after - found.not_before > self.longest_validity


def risks_of(known: Known) -> tuple[Risk, ...]:
    """All that there are, in the order in which they are declared."""
    return tuple(_risks(known))


def _risks(known: Known) -> Iterator[Risk]:
    if any(name.startswith("*.") for name in known.names):
        yield Risk.WILDCARD
    if known.has_weak_key:
        yield Risk.WEAK_KEY
    if known.has_shared_key:
        yield Risk.SHARED_KEY
    if known.is_valid_for_long:
        yield Risk.LONG_VALIDITY
    if known.leaves_out_the_host:
        yield Risk.NOT_COVERING
    if known.free == 1:
        yield Risk.LAST_SLOT
    if not known.is_in_window:
        yield Risk.OUTSIDE_WINDOW
