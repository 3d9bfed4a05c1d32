"""What is known about a request, as facts with a label: short on the card, in full behind Details."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.blocks.text import at, code, escape, listed, many, pieces
from bot.domain.certificates import CertificateFacts
from bot.domain.plan import Evidence
from bot.domain.requests import TYPED, Ask, Kind
from bot.domain.risk import MEANINGS, Risk
from bot.domain.schedule import asked_start

#: How much of one fact a card shows.
SHORT_ITEMS, SHORT_ITEM = 6, 160
SHORT_WARNINGS = 5
MORE = ": Details"


@dataclass(frozen=True)
class Fact:
    """One line of evidence. The values are as they came, unescaped; ``as_code`` is for what is compared by eye."""

    label: str
    values: tuple[str, ...]
    as_code: bool = True
    warns: bool = False
    most: int = SHORT_ITEMS

    def short(self) -> str:
        """One line, a long list cut with a word on how much is missing."""
        if self.warns:
            return self._heading(" ".join(escape(value, 700) for value in self.values[:1]))
        shown = [code(value, SHORT_ITEM) if self.as_code else escape(value, SHORT_ITEM) for value in self.values]
        return self._heading(listed(shown, self.most, more=MORE))

    def full(self) -> Iterator[str]:
        """Everything, in lines that each fit into one text."""
        values = [part for value in self.values for part in pieces(value, 2700)]
        shown = [code(part, 2800) if self.as_code else escape(part, 2800) for part in values]
        if len(shown) == 1:
            yield self._heading(shown[0])
            return
        yield self._heading(f"({len(self.values)})")
        yield from (f"• {line}" for line in shown)

    def _heading(self, rest: str) -> str:
        return f"⚠️ {rest}" if self.warns else f"*{self.label}*: {rest}"


def facts(ask: Ask, evidence: Evidence, checked_at: datetime) -> list[Fact]:
    """What an approver should know, the most telling first. ``checked_at`` is what days are counted from."""
    return [
        *_risks(evidence),
        *_certificate(evidence, checked_at),
        *_applied(ask),
        *_credentials(ask, evidence),
        *_place(ask, evidence),
        *_files(ask, evidence),
        *(_warning(sentence) for sentence in (*renewal_warning(ask), *evidence.warnings)),
    ]


def renewal_warning(ask: Ask) -> list[str]:
    """The vendor's page "Add a Certificate" lets the PBX renew an imported certificate, which only its own CA can do."""
    if ask.kind is not Kind.IMPORT or not ask.auto_renewal:
        return []
    return [
        "Automatic renewal is on: before this certificate expires, the PBX will likely replace it by one from its own CA."
        " Devices that trust only this issuer would then refuse it."
    ]


def chain_facts(evidence: Evidence) -> list[Fact]:
    """The certificates behind the first one, each in a line; too much for a card."""
    return [
        Fact(f"Chain {number}", (_one_line(link), f"SHA-256 {link.sha256}"))
        for number, link in enumerate(evidence.chain, start=1)
    ]


def _risks(evidence: Evidence) -> Iterator[Fact]:
    """All of them, however short the card is: a rule was chosen by them."""
    if evidence.risks:
        told = tuple(f"{Risk(risk).value.replace('_', ' ')} ({MEANINGS[Risk(risk)]})" for risk in evidence.risks)
        yield Fact("⚠️ Risks", told, as_code=False, most=len(Risk))


def _certificate(evidence: Evidence, checked_at: datetime) -> Iterator[Fact]:
    found = evidence.certificate
    if found is None:
        return
    yield Fact("Subject", (found.subject or "none",))
    yield Fact("Names (SAN)", found.sans or ("none",))
    yield Fact("Issuer", ("itself (self-signed)",) if found.self_signed else (found.issuer or "none",))
    yield Fact("Valid", (validity(found, checked_at),), as_code=False)
    yield Fact("SHA-256", (found.sha256,))
    yield Fact("Key", (found.key + (", may sign certificates (CA)" if found.is_ca else ""),), as_code=False)
    yield Fact("Chain", tuple(link.subject or link.sha256 for link in evidence.chain) or ("none",))


def validity(found: CertificateFacts, checked_at: datetime) -> str:
    """Dates in UTC, as certificates have them, and the days that were left when it was checked."""
    days = (found.not_after - checked_at).days
    return f"{found.not_before:%Y-%m-%d} to {found.not_after:%Y-%m-%d} UTC, {many(days, 'day')} left when checked"


def _applied(ask: Ask) -> Iterator[Fact]:
    if ask.kind is Kind.APPLY:
        yield Fact("Domain", (ask.domain,))


def _credentials(ask: Ask, evidence: Evidence) -> Iterator[Fact]:
    if not ask.needs_dns:
        return
    yield Fact("DNS provider", (ask.provider or "none",))
    where = "typed by the requester" if ask.dns == TYPED else f"profile “{ask.dns}” of the configuration"
    yield Fact("DNS credentials", (where,), as_code=False)
    yield Fact("Parameters given", evidence.params or ("none",))


def _place(ask: Ask, evidence: Evidence) -> Iterator[Fact]:
    kind = ask.kind.slot_type
    used, slots = evidence.slots_used, evidence.slots
    if used is None:
        note = evidence.pbx_note or "The PBX was not asked."
        yield _warning(f"It is not known how many of the {slots} {kind} slots are used. {note}")
    elif evidence.is_full:
        yield _warning(f"{used} of {slots} {kind} slots are used: the PBX is full. Delete one there first, or it refuses this.")
    else:
        last = "; this takes the last one" if used == slots - 1 else ""
        yield Fact("Room", (f"{used} of {slots} {kind} slots used{last}",), as_code=False)
    if evidence.neighbours:
        told = (f"{n.name} ({n.type}, issued to {n.issue_to or '-'}, expires {n.expires or '-'})" for n in evidence.neighbours)
        yield Fact("⚠️ Already on the PBX", tuple(told))
    if evidence.asked_already:
        yield Fact("⚠️ Already asked for", tuple(f"#{number}" for number in evidence.asked_already), as_code=False)


def _files(ask: Ask, evidence: Evidence) -> Iterator[Fact]:
    yield Fact("Name on the PBX", (evidence.name,))
    if not ask.needs_files:
        return
    yield Fact("Made from", tuple(file.name for file in ask.files) or ("no file",))
    if ask.kind is Kind.IMPORT:
        links = f", {many(len(evidence.chain), 'chain certificate')}" if evidence.chain else ", no chain"
        yield Fact("Joined in this order", (f"certificate{links}, private key",), as_code=False)
    if evidence.key_files:
        yield Fact("Private key was in", evidence.key_files)


def _warning(sentence: str) -> Fact:
    return Fact("Warning", (sentence,), as_code=False, warns=True)


def _one_line(found: CertificateFacts) -> str:
    return f"{found.subject}, issued by {found.issuer}, until {found.not_after:%Y-%m-%d}, {found.key}"


def short_lines(told: Sequence[Fact]) -> list[str]:
    """The facts as a card has them: a line each, warnings last, and how many of those are missing."""
    warnings = [fact.short() for fact in told if fact.warns]
    left = len(warnings) - SHORT_WARNINGS
    rest = [f"⚠️ + {many(left, 'more warning')}{MORE}"] if left > 0 else []
    return [*(fact.short() for fact in told if not fact.warns), *warnings[:SHORT_WARNINGS], *rest]


def when_lines(ask: Ask, evidence: Evidence) -> list[str]:
    """When it begins, unless that is as soon as it is approved."""
    start = asked_start(ask)
    if ask.emergency:
        return []
    if start is not None:
        return [f"It begins {at(start)}, or, if it is approved later, as soon as it may."]
    if evidence.windows:
        return [f"It begins once it is approved and a maintenance window is open: {escape(evidence.windows, 1000)}."]
    return []


def plan_lines(plan: Sequence[Mapping[str, str]]) -> list[str]:
    """The calls in order, as people count them."""
    return [
        f"{number}. {code(step.get('call', ''), 100)} {escape(step.get('about', ''), 600)}"
        for number, step in enumerate(plan, start=1)
    ]
