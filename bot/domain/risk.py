"""What makes a request risky: computed from what is known of it, never typed."""

from enum import StrEnum


class Risk(StrEnum):
    """One reason to look twice. A policy's rule may ask for it by its value."""

    #: It is valid for every host below a domain.
    WILDCARD = "wildcard"
    #: Its key or a signature in its chain is weaker than clients accept.
    WEAK_KEY = "weak_key"
    #: Its key was seen in a request for another PBX or for another certificate.
    SHARED_KEY = "shared_key"
    #: It is valid for longer than the configuration's limit.
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
