"""The kinds of certificates that are asked for."""

from collections.abc import Mapping
from enum import StrEnum


class Kind(StrEnum):
    """The three ways of the vendor's page "Add a Certificate"."""

    #: A CA certificate that the PBX shall trust, from a file.
    TRUSTED = "trusted"
    #: A certificate of the PBX's own with its private key, from files.
    IMPORT = "import"
    #: A certificate of the PBX's own that it applies for itself through a DNS provider.
    APPLY = "apply"

    @property
    def slot_type(self) -> str:
        """The PBX's ``type``: ``trusted`` or ``server``."""
        return "trusted" if self is Kind.TRUSTED else "server"


#: How many certificates of a type a PBX holds (vendor page "Add a Certificate").
SLOTS: Mapping[str, int] = {"server": 3, "trusted": 20}
