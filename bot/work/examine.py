"""Examine a draft: fetch its files, read them, ask the PBX. What comes out is evidence, or every problem at once."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

import structlog

from bot.domain import emergencies, policy
from bot.domain.certificates import (
    MAX_BYTES,
    SERVER_EXTENSION,
    TRUSTED_EXTENSION,
    CertificateFacts,
    NamedFile,
    Trusted,
    check_file_name,
    files_with_keys,
    pbx_file_name,
    read_server,
    read_trusted,
)
from bot.domain.dns_catalogue import Catalogue
from bot.domain.dns_providers import check_params
from bot.domain.domains import domain_problem, normalise_domain
from bot.domain.plan import Evidence
from bot.domain.problems import Problem
from bot.domain.requests import TYPED, Ask, Kind, Request
from bot.domain.rules import Memberships, Rule, groups_in
from bot.domain.schedule import start_problem
from bot.exceptions import FileUnavailable, PbxAway, SlackRateLimited, SlackRefused
from bot.store import drafts
from bot.store.materials import TYPED_PARAMS, file_secret
from bot.work.context import Context
from bot.work.findings import Findings
from bot.work.gather import Gatherer
from bot.work.ruling import case_of, groups_for, ruling

log = structlog.get_logger(__name__)

#: What was read of a user group so lately tells well enough whether there is anybody who could approve.
OF_LATE = timedelta(minutes=10)
#: Seconds until a requester is looked at again for whom Slack had no time.
_A_MOMENT = 2.0


class Examiner:
    """Reads and asks; changes nothing but the vault's copies of the draft's files."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._gatherer = Gatherer(context)

    def examine(self, draft: Request) -> tuple[Findings, Evidence | None]:
        """Raises SlackError and StoreError (Stale: the draft is gone) when it cannot be told now.

        A PBX that does not answer is part of the evidence.
        """
        findings = Findings(draft.ask)
        self._may_take_part(draft, findings)
        self._may_ask(draft, findings)
        if draft.ask.needs_files:
            self._files(draft, findings)
        else:
            self._domain(draft, findings)
        if draft.ask.needs_dns:
            self._dns(draft, findings)
        if problem := start_problem(draft.ask, self._context.now()):
            findings.problems.append(problem)
        self._answers(draft, findings)
        if findings.problems:
            return findings, None
        evidence = self._gatherer.evidence(draft, findings)
        self._rule(draft, findings, evidence)
        return findings, None if findings.problems else evidence

    def _may_take_part(self, draft: Request, findings: Findings) -> None:
        """Where only Slack's limits are in the way, the check comes back."""
        who, people = draft.requester, self._context.people
        verdict = self._context.may_take_part(who)
        if verdict.code == policy.PROFILE_UNKNOWN and people.profile_trouble(who) == SlackRateLimited.code:
            raise SlackRateLimited(_A_MOMENT)
        if not verdict.permitted:
            findings.refusal = verdict
            findings.problems.append(Problem("pbx", verdict.reason, verdict.code))

    def _may_ask(self, draft: Request, findings: Findings) -> None:
        """As far as can be said before it is known what is risky about it."""
        if not self._context.knows(draft.ask.pbx):
            findings.problems.append(
                Problem("pbx", f"There is no PBX named {draft.ask.pbx}. Choose one of the list.", "no_pbx")
            )
            return
        case, rules = case_of(draft), self._context.config.rules
        asked = groups_in(subject for clause in rules.possible(case) for subject in clause.rule.requesters)
        members = self._members(asked | rules.groups_for(case))
        verdict = policy.may_ask_at_all(rules, case, members)
        if not verdict.permitted:
            findings.problems.append(Problem("pbx", verdict.reason, verdict.code))

    def _rule(self, draft: Request, findings: Findings, evidence: Evidence) -> None:
        """The rule that it is asked under, now that everything is known by which it is chosen."""
        judged, rules = replace(draft, ask=findings.ask, evidence=evidence.to_json()), self._context.config.rules
        members = self._members(groups_for(rules, judged))
        ruled = ruling(rules, replace(judged, rule=None), members)
        if ruled.refusal is not None:
            findings.problems.append(Problem("pbx", ruled.refusal.reason, ruled.refusal.code))
            return
        (findings.rule,) = ruled.rules
        urgent = findings.rule.emergency.by if findings.ask.emergency and findings.rule.emergency else ()
        members |= self._members(groups_in((*findings.rule.requesters, *urgent)))
        verdict = policy.may_ask(findings.rule, draft.requester, members)
        if not verdict.permitted:
            findings.problems.append(Problem("pbx", verdict.reason, verdict.code))
        elif why := self._nobody_left(findings.rule, draft.requester, members):
            findings.problems.append(Problem("pbx", f"{why} ({findings.rule.line})", "nobody_could_approve"))
        if findings.ask.emergency:
            verdict = emergencies.may_declare((findings.rule,), draft.requester, members)
            if not verdict.permitted:
                findings.problems.append(Problem("emergency", verdict.reason, verdict.code))

    def _nobody_left(self, rule: Rule, requester: str, members: Memberships) -> str:
        """By what is known of the approvers anyway: Slack answers few such questions a minute, and clicks need them more."""
        known = self._context.people.known(groups_in(rule.approvers), OF_LATE)
        return policy.nobody_left(rule, requester, {**known, **members})

    def _members(self, groups: Iterable[str]) -> dict[str, frozenset[str]]:
        wanted = frozenset(groups)
        return self._context.people.members(wanted) if wanted else {}

    def _answers(self, draft: Request, findings: Findings) -> None:
        """A PBX that has not answered for a while is not waited for once more; the form says so at once."""
        if not self._context.knows(draft.ask.pbx):
            return
        try:
            self._context.pbx(draft.ask.pbx).ready()
        except PbxAway as error:
            findings.problems.append(Problem("pbx", error.message, error.code))

    def _files(self, draft: Request, findings: Findings) -> None:
        findings.problems += [problem for file in draft.ask.files if (problem := check_file_name(file.name))]
        files = [] if findings.problems else self._fetch(draft, findings)
        if findings.problems:
            return
        held = set(files_with_keys(files))
        received = tuple(replace(file, held_key=file.name in held) for file in draft.ask.files)
        findings.ask = replace(findings.ask, files=received)
        findings.key_files = tuple(sorted(held))
        self._read(draft, findings, files)

    def _fetch(self, draft: Request, findings: Findings) -> list[NamedFile]:
        files = []
        for file in draft.ask.files:
            try:
                files.append(NamedFile(file.name, self._content(draft, file.id)))
            except (FileUnavailable, SlackRefused) as error:
                message = f"{file.name} could not be fetched: {error.message} Upload it again. [{error.code}]"
                findings.problems.append(Problem("files", message, error.code))
        return files

    def _content(self, draft: Request, file_id: str) -> bytes:
        """From the vault, or from Slack into the vault, so that a restart or a second look fetches nothing twice."""
        store = self._context.store
        with store.begin() as session:
            kept = store.vault.take(session, draft.id, file_secret(file_id))
        if kept is not None:
            return kept
        info = self._context.slack.file(file_id)
        if info.user != draft.requester:
            raise FileUnavailable("It was uploaded by somebody else.", code="foreign_file")
        content = self._context.slack.download(info, MAX_BYTES)
        with store.begin() as session:
            drafts.still_draft(session, draft)  # the download took its time; nobody would wipe what came too late
            store.vault.put(session, draft.id, file_secret(file_id), content)
        return content

    def _read(self, draft: Request, findings: Findings, files: Sequence[NamedFile]) -> None:
        now = self._context.now()
        read = read_trusted(files, now) if draft.ask.kind is Kind.TRUSTED else read_server(files, now)
        if isinstance(read, list):
            findings.problems += read
            return
        findings.bundle, findings.certificate, findings.chain = read.pem, read.facts, read.chain
        findings.has_weak_key = read.weak
        findings.public_pem = (read.pem if isinstance(read, Trusted) else read.public_pem).decode()
        findings.warnings += read.warnings
        extension = TRUSTED_EXTENSION if isinstance(read, Trusted) else SERVER_EXTENSION
        findings.name = pbx_file_name(_given_name(draft.ask, read.facts), draft.number, extension)

    def _domain(self, draft: Request, findings: Findings) -> None:
        problem = domain_problem(draft.ask.domain)
        if problem is not None:
            findings.problems.append(problem)
            return
        domain = normalise_domain(draft.ask.domain)
        findings.ask = replace(findings.ask, domain=domain)
        findings.name = f"{domain}.pem"  # the PBX names it so (vendor page "Add a Certificate")

    def _dns(self, draft: Request, findings: Findings) -> None:
        provider, raw = self._credentials(draft, findings)
        if not provider:
            return
        checked = check_params(provider, raw, Catalogue.load())
        findings.problems += checked.problems
        findings.warnings += checked.warnings
        findings.params = dict(checked.values)
        findings.ask = replace(findings.ask, provider=provider, params=tuple(checked.values))

    def _credentials(self, draft: Request, findings: Findings) -> tuple[str, dict[str, str | int | bool]]:
        store, ask = self._context.store, draft.ask
        if ask.dns == TYPED:
            if not self._context.config.slack.allow_typed_dns_credentials:
                findings.problems.append(
                    Problem("dns", "Typed DNS credentials are not allowed here. Choose a profile.", "typed_dns")
                )
                return "", {}
            if not ask.provider:
                findings.problems.append(Problem("provider", "Choose the DNS provider that serves the domain.", "no_provider"))
            with store.begin() as session:
                return ask.provider, store.vault.take_json(session, draft.id, TYPED_PARAMS)
        profile = self._context.config.dns_named(ask.dns)
        if profile is None:
            findings.problems.append(Problem("dns", "Choose the DNS credentials that the PBX shall use.", "no_dns"))
            return "", {}
        return profile.provider, profile.values()


def _given_name(ask: Ask, facts: CertificateFacts) -> str:
    """The file's own name; where certificate, chain and key came apart, what the certificate is for."""
    return ask.files[0].name if len(ask.files) == 1 else next(iter(facts.sans), facts.name)
