"""The certificates that a PBX holds: at most 3 of its own and 20 trusted ones (developer-guide/add-a-certificate)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bot.sandbox.pbx.answers import BAD_PARAMETER, DUPLICATE, LIMIT_REACHED, NOT_FOUND, Refusal
from bot.sandbox.pbx.dns import DnsSettings

SERVER = "server"
TRUSTED = "trusted"
KINDS = (SERVER, TRUSTED)
LIMITS = {SERVER: 3, TRUSTED: 20}

UPLOAD = "upload"
APPLY = "apply"

ISSUING = "issuing"
ISSUED = "issuance_success"
FAILED = "issuance_fail"

SORTABLE = ("id", "name", "issue_to", "expiration", "type")
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass
class StoredCertificate:
    """One entry of the list, with what the PBX keeps behind it."""

    id: int
    name: str
    type: str
    issue_to: str
    ca_type: str = UPLOAD
    apply_status: str = ISSUED
    apply_tip_code: int | None = None
    auto_renewal: int = 0
    dns: DnsSettings | None = None
    expires: datetime | None = None
    #: ``expires`` as this PBX writes it; empty while nothing is issued.
    expiration: str = ""
    pem: bytes = field(default=b"", repr=False)
    key: bytes = field(default=b"", repr=False)
    #: How often this entry will still be seen as ``issuing``.
    polls_left: int = 0

    @property
    def dns_provider(self) -> str:
        return self.dns.provider if self.dns else ""

    def listed(self) -> dict[str, Any]:
        """The entry as ``certificate/list`` shows it; DNS credentials are in the clear, as the vendor lists them."""
        shown: dict[str, Any] = {"id": self.id, "name": self.name, "type": self.type, "issue_to": self.issue_to}
        shown |= {"expiration": self.expiration, "apply_status": self.apply_status}
        if self.type == SERVER:
            shown |= {"ca_type": self.ca_type, "auto_renewal": self.auto_renewal, "dns_provider": self.dns_provider}
        if self.dns is not None:
            shown["auth_info_list"] = self.dns.auth_info_list
        if self.apply_tip_code is not None:
            shown["apply_tip_code"] = self.apply_tip_code
        return shown


@dataclass
class Inventory:
    """All of them, in the order of their ids. The simulator's lock guards it."""

    _kept: dict[int, StoredCertificate] = field(default_factory=dict)
    _last_id: int = 0

    def __iter__(self) -> Iterator[StoredCertificate]:
        return iter(self._kept.values())

    def next_id(self) -> int:
        """An id that was never used before."""
        self._last_id += 1
        return self._last_id

    def check_room(self, kind: str) -> None:
        """60002 when the slots of this kind are taken; an entry that is being issued takes one from the start."""
        if sum(one.type == kind for one in self) >= LIMITS[kind]:
            raise Refusal(LIMIT_REACHED)

    def check_name(self, name: str, besides: StoredCertificate | None = None) -> None:
        """40003 when another entry has this name."""
        if any(one.name == name and one is not besides for one in self):
            raise Refusal(DUPLICATE)

    def add(self, certificate: StoredCertificate) -> StoredCertificate:
        self._kept[certificate.id] = certificate
        return certificate

    def get(self, number: int) -> StoredCertificate:
        if number not in self._kept:
            raise Refusal(NOT_FOUND)
        return self._kept[number]

    def named(self, name: str) -> StoredCertificate:
        for one in self:
            if one.name == name:
                return one
        raise Refusal(NOT_FOUND)

    def remove(self, number: int) -> None:
        del self._kept[self.get(number).id]

    def ordered(self, kind: str | None, sort_by: str, order_by: str) -> list[StoredCertificate]:
        """Those of a kind (or all), sorted; equal ones stay in the order of their ids."""
        if sort_by not in SORTABLE or order_by not in ("asc", "desc"):
            raise Refusal(BAD_PARAMETER)
        chosen = [one for one in self if kind in (None, one.type)]
        return sorted(chosen, key=lambda one: _sort_key(one, sort_by), reverse=order_by == "desc")


def _sort_key(certificate: StoredCertificate, sort_by: str) -> Any:
    """Expiry sorts by time, not by its text."""
    return certificate.expires or NEVER if sort_by == "expiration" else getattr(certificate, sort_by)
