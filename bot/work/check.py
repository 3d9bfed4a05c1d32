"""Check a draft, and show what came out: in the modal if it is still open, by direct message if not."""

from datetime import timedelta

import structlog
from sqlalchemy.orm import Session

from bot.blocks import dialogs
from bot.blocks.form import FormContext, FormState, form
from bot.domain import emergencies
from bot.domain.dns_catalogue import Catalogue
from bot.domain.plan import Evidence, plan
from bot.domain.problems import Problem
from bot.domain.requests import TYPED, Ask, Decision, Request
from bot.domain.rules import Case, Memberships, groups_in
from bot.exceptions import SlackError, SlackRateLimited, SlackRefused, Stale
from bot.store import agenda, audit, drafts, edits, ledger
from bot.store.agenda import Entry
from bot.store.materials import TYPED_PARAMS
from bot.store.vault import Vault
from bot.work import calls, editing
from bot.work.context import Context
from bot.work.examine import Examiner
from bot.work.findings import Findings
from bot.work.loop import later
from bot.work.posting import Poster

log = structlog.get_logger(__name__)

#: How old a membership may be by which the emergency is offered; whether it is allowed is decided by a fresh one.
OFFER_FOR = timedelta(minutes=10)
#: What Slack answers when the modal is not there any more (docs.slack.dev/reference/methods/views.update).
_CLOSED = frozenset({"not_found", "view_not_found", "expired_trigger_id"})


class Checker:
    """One visit examines the draft, if nobody has yet, and shows the outcome. Slack's trouble brings it back later."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._examiner = Examiner(context)
        self._poster = Poster(context.store, context.slack)

    def visit(self, entry: Entry) -> None:
        store = self._context.store
        with store.begin() as session:
            draft = ledger.load(session, entry.request or 0)
        if draft is None or draft.decision is not Decision.DRAFT:
            with store.begin() as session:
                agenda.finish(session, entry)
            return
        try:
            self._show(draft if is_judged(draft) else self._judge(draft))
        except (SlackError, Stale) as error:
            self._come_back(entry, error)
            return
        with store.begin() as session:
            agenda.finish(session, entry)

    def _judge(self, draft: Request) -> Request:
        with calls.of_visit(self._context.store, draft.id, "check"):
            return self._judge_by(draft, *self._examiner.examine(draft))

    def _judge_by(self, draft: Request, findings: Findings, evidence: Evidence | None) -> Request:
        store = self._context.store
        with calls.telling(store, draft.id) as session:
            if evidence is None:
                problems = [vars(problem) for problem in findings.problems]
                if findings.refusal is not None:
                    audit.refused(session, store.now(), draft.requester, "ask", findings.refusal, draft.id)
                return drafts.judged_bad(session, store.now(), draft, problems)
            _keep(store.vault, session, draft.id, findings)
            steps = plan(findings.ask, evidence.name)
            return drafts.judged_good(
                session, store.now(), store.vault, draft, findings.ask, evidence.to_json(), steps, findings.rule
            )

    def _show(self, draft: Request) -> None:
        view = self.view(draft)
        try:
            if draft.view_id:
                self._context.slack.update_view(draft.view_id, view)
                return
        except SlackRefused as error:
            if error.error not in _CLOSED:
                raise
        self._write(draft)

    def _write(self, draft: Request) -> None:
        """The modal is closed: a direct message with Continue."""
        channel = self._context.slack.direct_channel(draft.requester)
        found = draft.problems or Evidence.from_json(draft.evidence or {})
        blocks, text = dialogs.result_message(draft, found)
        self._poster.once(draft.id, f"draft:{draft.version}", channel, blocks, text)

    def view(self, draft: Request) -> dict[str, object]:
        """What the requester sees of a draft as it stands: the wait, the form again, or the evidence to confirm."""
        if not is_judged(draft):
            return dialogs.checking(draft.ask, draft.id, draft.version)
        state, meanwhile = self._up_to_date(draft)
        if draft.problems or meanwhile:
            return self._form(state, draft.requester, *meanwhile, *(Problem(**problem) for problem in draft.problems))
        changes = self._changes(draft)
        if draft.edits and not changes:
            return self._form(state, draft.requester, _nothing_changes(draft.edits))
        return dialogs.confirm(draft, Evidence.from_json(draft.evidence or {}), changes)

    def _changes(self, draft: Request) -> tuple[str, ...]:
        if not draft.edits:
            return ()
        store = self._context.store
        with store.begin() as session:
            request = ledger.load(session, draft.edits)
            return edits.changes_of(session, store.vault, request, draft) if request else ()

    def form(self, draft: Request) -> dict[str, object]:
        """The form with the draft's values, under block ids that Slack has not seen, so that it takes them."""
        state, meanwhile = self._up_to_date(draft)
        return self._form(state, draft.requester, *meanwhile, *(Problem(**problem) for problem in draft.problems))

    def _form(self, state: FormState, user: str, *told: Problem) -> dict[str, object]:
        return form(state, self.form_context(state.ask, state.holder, user), told)

    def _up_to_date(self, draft: Request) -> tuple[FormState, tuple[Problem, ...]]:
        """The form's state for a draft, with what has become meanwhile of the request that it changes."""
        state = FormState(draft.ask, draft.id, draft.version, draft.version, draft.asked_in, edits=draft.edits,
                          edits_version=draft.edits_version)  # fmt: skip
        with self._context.store.begin() as session:
            return editing.up_to_date(session, self._context.now(), state)

    def form_context(self, ask: Ask, holder: int | None, user: str) -> FormContext:
        """``holder`` is the draft or request whose typed credentials are kept."""
        config, store = self._context.config, self._context.store
        kept: frozenset[str] = frozenset()
        if holder is not None and ask.dns == TYPED:
            with store.begin() as session:
                kept = frozenset(store.vault.take_json(session, holder, TYPED_PARAMS))
        known = self._known_groups()
        offered = emergencies.is_offered(config.rules, Case(ask.pbx, ask.kind, user, None), known)
        return FormContext(
            emergency=offered or (offered is None and ask.emergency),
            pbx_matters=emergencies.depends_on_pbx(config.rules, user, known),
            dns_profiles=tuple((profile.name, profile.provider) for profile in config.dns),
            typed_allowed=config.slack.allow_typed_dns_credentials,
            provider=Catalogue.load().get(ask.provider) if ask.dns == TYPED else None,
            kept=kept,
        )

    def might_be_offered(self, ask: Ask, user: str) -> bool:
        """Whether Slack has to be asked before it is known if this person is offered the emergency; then it has been."""
        rules, case = self._context.config.rules, Case(ask.pbx, ask.kind, user, None)
        if emergencies.is_offered(rules, case, self._known_groups()) is not None:
            return False
        self._context.people.members(self._emergency_groups())
        return True

    def _known_groups(self) -> Memberships:
        return self._context.people.known(self._emergency_groups(), OFFER_FOR)

    def _emergency_groups(self) -> frozenset[str]:
        urgent = (clause.rule.emergency for clause in self._context.config.rules.clauses)
        return groups_in(subject for each in urgent if each for subject in each.by)

    def _come_back(self, entry: Entry, error: SlackError | Stale) -> None:
        store = self._context.store
        due = later(store.now(), entry.attempt)
        if isinstance(error, SlackRateLimited):
            due = store.now() + timedelta(seconds=error.retry_after)
        log.info("check.later", request=entry.request, error=type(error).__name__, code=error.code)
        with store.begin() as session:
            agenda.again(session, entry, due)


def _nothing_changes(number: int) -> Problem:
    text = f"This is what #{number} asks for already, so there is nothing to change. Change something, or close this window."
    return Problem("", text, "no_change")


def is_judged(draft: Request) -> bool:
    return bool(draft.problems) or draft.evidence is not None


def _keep(vault: Vault, session: Session, number: int, findings: Findings) -> None:
    if findings.bundle is not None:
        vault.put(session, number, "bundle", findings.bundle)
    if findings.params is not None:
        vault.put_json(session, number, "dns", findings.params)
