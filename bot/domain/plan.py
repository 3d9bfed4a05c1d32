"""The calls a request will make on its PBX, and the evidence an approver sees beside them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from bot.domain.certificates import CertificateFacts
from bot.domain.requests import SLOTS, Ask, Kind


class Step(StrEnum):
    """One visit's work. The order of the members is the order of a plan."""

    #: Read the list: is there room, and what is there already?
    LOOK = "look"
    #: Put the file into the PBX's temporary storage.
    UPLOAD = "upload"
    #: Add the uploaded file, or let the PBX apply.
    CREATE = "create"
    #: Read the list until the PBX has the certificate or gives up.
    FOLLOW = "follow"
    #: Read what the PBX lists now.
    CONFIRM = "confirm"


#: The call that each step is about.
CALLS: Mapping[Step, str] = {
    Step.LOOK: "GET certificate/list",
    Step.UPLOAD: "POST certificate/upload",
    Step.CREATE: "POST certificate/create",
    Step.FOLLOW: "GET certificate/list",
    Step.CONFIRM: "GET certificate/list",
}


def plan(ask: Ask, file_name: str) -> tuple[Mapping[str, str], ...]:
    """The steps in order, each with the call it makes and what that does, for people and for the digest."""
    about = {
        Step.LOOK: "see what is there and whether a slot is free",
        Step.UPLOAD: f"put {file_name} into temporary storage",
        Step.CREATE: _creating(ask, file_name),
        Step.FOLLOW: "follow the application until it is issued or fails",
        Step.CONFIRM: "read back what is listed now",
    }
    return tuple({"step": step.value, "call": CALLS[step], "about": about[step]} for step in steps_of(ask.kind))


def steps_of(kind: Kind) -> tuple[Step, ...]:
    """An applied certificate has nothing to upload; an imported one has nothing to follow."""
    left_out = Step.UPLOAD if kind is Kind.APPLY else Step.FOLLOW
    return tuple(step for step in Step if step is not left_out)


def _creating(ask: Ask, file_name: str) -> str:
    if ask.kind is Kind.TRUSTED:
        return f"add {file_name} as a trusted CA certificate"
    if ask.kind is Kind.APPLY:
        return f"let the PBX apply for {ask.domain} through {ask.provider}"
    renewal = f"with automatic renewal through {ask.provider}" if ask.auto_renewal else "without automatic renewal"
    return f"add {file_name} as a server certificate {renewal}"


@dataclass(frozen=True)
class Neighbour:
    """A certificate that the PBX listed when the request was checked."""

    id: int
    name: str
    type: str
    issue_to: str
    expires: str


@dataclass(frozen=True)
class Evidence:
    """What is known about a request when it is shown.

    ``slots_used`` is None when the PBX could not be asked; ``pbx_note`` then says why. ``name`` is the file's name on the
    PBX. ``public_pem`` holds certificates only, for whoever wants to check them later.
    """

    name: str
    slots_used: int | None
    slots: int
    pbx_note: str = ""
    certificate: CertificateFacts | None = None
    chain: tuple[CertificateFacts, ...] = ()
    warnings: tuple[str, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    asked_already: tuple[int, ...] = ()
    key_files: tuple[str, ...] = ()
    params: tuple[str, ...] = ()
    public_pem: str = ""
    #: What makes it risky (`bot.domain.risk.Risk`), by value.
    risks: tuple[str, ...] = ()
    #: The PBX's maintenance windows, for people; "" if it has none.
    windows: str = ""

    @property
    def is_full(self) -> bool:
        return self.slots_used is not None and self.slots_used >= self.slots

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "slots_used": self.slots_used,
            "slots": self.slots,
            "pbx_note": self.pbx_note,
            "certificate": self.certificate and self.certificate.to_json(),
            "chain": [facts.to_json() for facts in self.chain],
            "warnings": list(self.warnings),
            "neighbours": [vars(neighbour) for neighbour in self.neighbours],
            "asked_already": list(self.asked_already),
            "key_files": list(self.key_files),
            "params": list(self.params),
            "public_pem": self.public_pem,
            "risks": list(self.risks),
            "windows": self.windows,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        lists = {name: tuple(data[name]) for name in ("warnings", "asked_already", "key_files", "params")}
        certificate = data["certificate"]
        return cls(
            name=data["name"],
            slots_used=data["slots_used"],
            slots=data["slots"],
            pbx_note=data["pbx_note"],
            certificate=CertificateFacts.from_json(certificate) if certificate else None,
            chain=tuple(CertificateFacts.from_json(facts) for facts in data["chain"]),
            neighbours=tuple(Neighbour(**neighbour) for neighbour in data["neighbours"]),
            public_pem=data["public_pem"],
            risks=tuple(data.get("risks", ())),
            windows=data.get("windows", ""),
            **lists,
        )


def hosts_of(ask: Ask, certificate: CertificateFacts | None) -> tuple[str, ...]:
    """The hosts that the certificate is or will be for, in lower case."""
    if ask.kind is Kind.APPLY:
        return (ask.domain.lower(),) if ask.domain else ()
    return certificate.hosts if certificate else ()


def slots_of(kind: Kind) -> int:
    return SLOTS[kind.slot_type]
