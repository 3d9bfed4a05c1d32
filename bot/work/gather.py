"""Gather the evidence about a draft in which nothing is wrong: what its PBX lists, what was asked before, what is risky."""

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

import structlog

from bot.domain.certificates import CertificateFacts
from bot.domain.plan import Evidence, Neighbour, hosts_of, slots_of
from bot.domain.requests import Ask, Kind, Request
from bot.domain.risk import Known, risks_of
from bot.domain.schedule import asked_start
from bot.domain.windows import Windows
from bot.exceptions import PbxError
from bot.pbx.models import ListedCertificate
from bot.store import ledger
from bot.work.context import Context
from bot.work.findings import Findings

#: How many requests with the same key are named, the latest ones.
MOST_SHARING = 5

log = structlog.get_logger(__name__)


class Gatherer:
    """Asks the PBX and the ledger. A PBX that does not answer is part of the evidence."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def evidence(self, draft: Request, findings: Findings) -> Evidence:
        listed, note = self._listed(draft.ask.pbx)
        slots, used = slots_of(draft.ask.kind), _used(listed, draft.ask.kind)
        sharing = self._sharing(draft, findings)
        known = self._known(findings, None if used is None else slots - used, sharing)
        windows = self._context.windows(draft.ask.pbx)
        return Evidence(
            name=findings.name,
            slots_used=used,
            slots=slots,
            pbx_note=note,
            certificate=findings.certificate,
            chain=findings.chain,
            warnings=(*findings.warnings, *_cautions(known, sharing, windows)),
            neighbours=tuple(_neighbour(one) for one in listed or () if _alike(one, findings, draft.number)),
            asked_already=self._asked_already(draft, findings),
            key_files=findings.key_files,
            params=findings.ask.params,
            public_pem=findings.public_pem,
            risks=tuple(risk.value for risk in risks_of(known)),
            windows=str(windows) if windows else "",
        )

    def _listed(self, pbx: str) -> tuple[list[ListedCertificate] | None, str]:
        """What the PBX lists, or why it could not be asked: shown as unknown, never guessed."""
        try:
            return self._context.pbx(pbx).list_certificates(), ""
        except PbxError as error:
            log.info("pbx.not_asked", pbx=pbx, error=type(error).__name__, code=error.code)
            return None, f"{error.message} [{error.code}]" if error.code not in error.message else error.message

    def _known(self, findings: Findings, free: int | None, sharing: Sequence[Request]) -> Known:
        ask, config = findings.ask, self._context.config
        settings = config.pbx_named(ask.pbx)
        return Known(
            kind=ask.kind,
            names=hosts_of(ask, findings.certificate),
            host=urlsplit(settings.url).hostname or "" if settings else "",
            certificate=findings.certificate,
            has_weak_key=findings.has_weak_key,
            has_shared_key=bool(sharing),
            free=free,
            is_in_window=self._is_in_window(ask),
            longest_validity=config.risk.longest_validity,
        )

    def _is_in_window(self, ask: Ask) -> bool:
        """Without a start of its own it waits for a window; an emergency waits for nothing."""
        start, now = asked_start(ask), self._context.now()
        if ask.emergency:
            return self._context.windows(ask.pbx).is_open(now)
        return start is None or self._context.windows(ask.pbx).is_open(max(start, now))

    def _sharing(self, draft: Request, findings: Findings) -> list[Request]:
        """Requests that brought the same private key, for another PBX or with another certificate."""
        found = findings.certificate
        if findings.ask.kind is not Kind.IMPORT or found is None:
            return []
        with self._context.store.begin() as session:
            others = ledger.with_key(session, found.key_id, {draft.id, draft.number})
        return [other for other in others if other.ask.kind is Kind.IMPORT and _is_elsewhere(other, findings.ask.pbx, found)]

    def _asked_already(self, draft: Request, findings: Findings) -> tuple[int, ...]:
        with self._context.store.begin() as session:
            others = ledger.open_for(session, draft.ask.pbx, draft.number)
        return tuple(other.id for other in others if _same_wish(other, findings))


def _used(listed: Sequence[ListedCertificate] | None, kind: Kind) -> int | None:
    return None if listed is None else sum(one.type == kind.slot_type for one in listed)


def _is_elsewhere(other: Request, pbx: str, found: CertificateFacts) -> bool:
    brought = Evidence.from_json(other.evidence).certificate if other.evidence else None
    return other.ask.pbx.casefold() != pbx.casefold() or brought is None or brought.sha256 != found.sha256


def _cautions(known: Known, sharing: Sequence[Request], windows: Windows) -> Iterator[str]:
    """What only we can know of a risk: by which name we reach the PBX, what was asked before, when it may be changed."""
    if known.leaves_out_the_host:
        yield (
            f"It does not cover {known.host}, the name under which the bot reaches this PBX. Choosing it for the PBX's own web "
            "server would lock the bot out until the configuration changes."
        )
    if sharing:
        told = ", ".join(f"#{other.id} for {other.ask.pbx}" for other in sharing[-MOST_SHARING:])
        yield (
            f"Its private key came with {told} as well. Whoever takes it from one place can pretend to be all of them; make a "
            "key for each certificate."
        )
    if not known.is_in_window:
        yield f"It is to be applied when no maintenance window is open: {windows}."


def _neighbour(one: ListedCertificate) -> Neighbour:
    return Neighbour(one.id, one.name, one.type or "", one.issue_to or "", one.expiration_text)


def _alike(one: ListedCertificate, findings: Findings, number: int) -> bool:
    """The same name without our mark, or issued to a name that this certificate is for."""
    mark = f"-r{number}."
    stem = findings.name.replace(mark, ".").rsplit(".", 1)[0].casefold()
    return _stem(one.name) == stem or (bool(one.issue_to) and (one.issue_to or "").casefold() in _names(findings))


def _stem(name: str) -> str:
    base, _, marked = name.rsplit(".", 1)[0].rpartition("-r")
    return (base if marked.isdigit() else name.rsplit(".", 1)[0]).casefold()


def _names(findings: Findings) -> set[str]:
    names = {findings.ask.domain} if findings.ask.kind is Kind.APPLY else set()
    if findings.certificate is not None and findings.ask.kind is Kind.IMPORT:
        names |= set(findings.certificate.sans)
    return {name.casefold() for name in names if name}


def _same_wish(other: Request, findings: Findings) -> bool:
    if not other.evidence or other.ask.kind.slot_type != findings.ask.kind.slot_type:
        return False
    evidence = Evidence.from_json(other.evidence)
    if evidence.certificate and findings.certificate:
        return evidence.certificate.sha256 == findings.certificate.sha256
    return bool(findings.ask.domain) and other.ask.domain == findings.ask.domain
