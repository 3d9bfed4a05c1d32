"""Which of the certificates that a PBX lists is ours.

``certificate/create`` answers no id, and an applied certificate is named after its domain, so a name alone proves nothing: ours
is the one matching entry that the PBX did not list when the call was intended.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.domain.requests import Kind, Request
from bot.pbx.models import ListedCertificate


@dataclass(frozen=True)
class Wanted:
    """What ours looks like: its kind, and the name it was uploaded under or the domain it was applied for."""

    kind: Kind
    name: str

    @classmethod
    def by(cls, request: Request, uploaded: str) -> "Wanted":
        return cls(request.ask.kind, request.ask.domain if request.ask.kind is Kind.APPLY else uploaded)

    def matches(self, one: ListedCertificate) -> bool:
        if one.type != self.kind.slot_type:
            return False
        if self.kind is Kind.APPLY:
            return one.ca_type == "apply" and self.name.casefold() in (
                _text(one.issue_to),
                _text(one.name).removesuffix(".pem"),
            )
        return one.name == self.name


def ours(listed: Iterable[ListedCertificate], wanted: Wanted, known: Sequence[int]) -> list[ListedCertificate]:
    """New matching entries: exactly one is ours, none means it is not there, several are for a person."""
    return [one for one in listed if one.id not in known and wanted.matches(one)]


def _text(value: object) -> str:
    return str(value or "").casefold()
