"""The form's submission becomes a draft; the confirmed draft becomes a request.

What can be judged without leaving the house is answered next to its field. The rest is stored first and then checked:
Slack does not send a submission again, so it is acknowledged only after its row is committed.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from slack_bolt import Ack, App
from sqlalchemy.orm import Session

from bot.blocks import dialogs
from bot.blocks import form as forms
from bot.blocks.form import FormState
from bot.blocks.reading import read_files, read_state, read_typed, received
from bot.domain import policy
from bot.domain.certificates import MAX_BYTES, check_file_name
from bot.domain.dns_catalogue import Catalogue
from bot.domain.dns_providers import check_params
from bot.domain.domains import domain_problem
from bot.domain.problems import Problem
from bot.domain.requests import TYPED, Ask, Kind, Request, Shown
from bot.exceptions import Stale, StoreError
from bot.listeners.afterwards import defer
from bot.listeners.desk import Body, Desk, delivery, not_taken
from bot.store import agenda, ledger
from bot.store.agenda import Work
from bot.store.engine import LISTENER_WAIT
from bot.work.examine import TYPED_PARAMS, file_secret
from bot.work.narrate import REPLY_TO

#: When the check starts although nobody said that the answer has left: the process died in between.
AT_LATEST = timedelta(seconds=3)
#: Our answer and the update after it take different ways to Slack; this keeps the second from overtaking the first.
GRACE = timedelta(seconds=0.25)


def register(app: App, desk: Desk) -> None:
    app.view(forms.CALLBACK)(_submitted(desk))
    app.view("confirm")(_confirmed(desk))


def _submitted(desk: Desk) -> Callable[..., None]:
    def submitted(ack: Ack, body: Body) -> None:
        view, user = body["view"], body["user"]["id"]
        state = read_state(view)
        new = read_files(view)
        ask = replace(state.ask, files=received(new)) if new else state.ask
        try:
            typed = _typed(desk, state, read_typed(view))
            problems = _problems(desk, ask, typed, user)
            if problems:
                ack(response_action="errors", errors=_errors(desk, state, ask, problems))
                return
            draft = _store(desk, body, replace(state, ask=ask), typed, bool(new))
        except Stale:
            ack(response_action="update", view=dialogs.gone())
            return
        except StoreError as error:
            ack(response_action="errors", errors=_errors(desk, state, ask, [Problem("reason", not_taken(error), error.code)]))
            return
        ack(response_action="update", view=dialogs.checking(draft.ask, draft.id, draft.version))
        defer(lambda: _release(desk, draft.id))

    return submitted


def _typed(desk: Desk, state: FormState, typed: Mapping[str, str]) -> dict[str, str | int | bool]:
    """The newly typed DNS parameters over those that were kept for the same provider."""
    kept: dict[str, str | int | bool] = {}
    if state.draft is not None and state.ask.dns == TYPED:
        with desk.context.store.begin(LISTENER_WAIT) as session:
            before = ledger.load(session, state.draft)
            if before is not None and before.ask.provider == state.ask.provider:
                kept = desk.context.store.vault.take_json(session, state.draft, TYPED_PARAMS)
    return {**kept, **typed}


def _problems(desk: Desk, ask: Ask, typed: Mapping[str, str | int | bool], user: str) -> list[Problem]:
    """What can be said without asking Slack or the PBX."""
    problems = [*_where(desk, ask, user)]
    if ask.needs_files:
        problems += _files(ask)
    elif problem := domain_problem(ask.domain):
        problems.append(problem)
    if ask.needs_dns:
        problems += _dns(desk, ask, typed)
    if not ask.reason.strip():
        problems.append(Problem("reason", "Say why: the approvers decide by it.", "no_reason"))
    return problems


def _where(desk: Desk, ask: Ask, user: str) -> list[Problem]:
    rule = desk.context.rule(ask.pbx)
    if rule is None:
        return [Problem("pbx", "Choose one of the PBXs in the list.", "no_pbx")]
    if policy.groups_to_read(user, rule.requesters):
        return []  # Slack has to be asked; the check does that
    verdict = policy.may_ask(rule, user, {})
    return [] if verdict.permitted else [Problem("pbx", verdict.reason, verdict.code)]


def _files(ask: Ask) -> list[Problem]:
    if not ask.files:
        what = "the CA certificate's file" if ask.kind is Kind.TRUSTED else "the files: certificate, chain and private key"
        return [Problem("files", f"Choose {what}.", "no_file")]
    problems = [problem for file in ask.files if (problem := check_file_name(file.name))]
    if sum(file.size for file in ask.files) > MAX_BYTES:
        problems.append(Problem("files", f"The files are too large: at most {MAX_BYTES:,} bytes are read.", "files_too_large"))
    return problems


def _dns(desk: Desk, ask: Ask, typed: Mapping[str, str | int | bool]) -> list[Problem]:
    config = desk.context.config
    if ask.dns == TYPED and config.slack.allow_typed_dns_credentials:
        if not ask.provider:
            return [Problem("provider", "Choose the DNS provider that serves the domain.", "no_provider")]
        return list(check_params(ask.provider, typed, Catalogue.load()).problems)
    profile = config.dns_named(ask.dns)
    if profile is None:
        return [Problem("dns", "Choose the DNS credentials that the PBX shall use.", "no_dns")]
    faults = check_params(profile.provider, profile.values(), Catalogue.load()).problems
    return [Problem("dns", f"The profile {profile.name} is incomplete: {fault.message}", fault.code) for fault in faults]


def _errors(desk: Desk, state: FormState, ask: Ask, problems: list[Problem]) -> dict[str, str]:
    return forms.errors(problems, state.revision, ask, desk.form_context(ask, None))


def _store(desk: Desk, body: Body, state: FormState, typed: Mapping[str, Any], new_files: bool) -> Request:
    """One transaction: the draft or its next version, its secrets, and the check that it calls for."""
    store, user, what = desk.context.store, body["user"]["id"], delivery(body)
    with store.begin(LISTENER_WAIT) as session:
        known = ledger.delivered(session, what)
        if known is not None:
            return known
        draft = _draft(desk, session, user, state, what, body["view"]["id"])
        names = store.vault.names(session, draft.id)
        keep = {file_secret(file.id) for file in draft.ask.files}
        outdated = [name for name in names if name in ("bundle", "dns") or (name.startswith("file:") and name not in keep)]
        if outdated:
            store.vault.wipe(session, draft.id, *outdated)
        if typed and draft.ask.dns == TYPED:
            store.vault.put_json(session, draft.id, TYPED_PARAMS, typed)
        if state.reply_to:
            store.vault.put(session, draft.id, REPLY_TO, state.reply_to.encode())
        agenda.put(session, Work.CHECK, f"draft:{draft.id}", store.now() + AT_LATEST, draft.id)
        return draft


def _draft(desk: Desk, session: Session, user: str, state: FormState, what: str, view_id: str) -> Request:
    store, rule = desk.context.store, desk.context.rule(state.ask.pbx)
    settings = desk.context.config.pbx_named(state.ask.pbx)
    assert rule is not None, "an unknown PBX is a problem of the form"
    assert settings is not None, "an unknown PBX is a problem of the form"
    place = {"channel": settings.channel, "approvals_needed": rule.approvals}
    if state.draft is None:
        return ledger.draft(session, store.now(), requester=user, ask=state.ask, asked_in=state.asked_in, view_id=view_id,
                            delivery=what, channel=settings.channel, approvals_needed=rule.approvals)  # fmt: skip
    old = ledger.load(session, state.draft)
    if old is None or old.requester != user or old.version != state.version:
        raise Stale
    return ledger.revise(session, store.now(), old, ask=state.ask, view_id=view_id, delivery=what, **place)


def _release(desk: Desk, number: int) -> None:
    store = desk.context.store
    with store.begin() as session:
        agenda.release(session, Work.CHECK, number, store.now() + GRACE)


def _confirmed(desk: Desk) -> Callable[..., None]:
    def confirmed(ack: Ack, body: Body) -> None:
        store, shown = desk.context.store, Shown.load(body["view"]["private_metadata"])
        try:
            with store.begin(LISTENER_WAIT) as session:
                pending_for = desk.context.config.slack.pending_for
                request = ledger.confirm(session, store.now(), shown, body["user"]["id"], pending_for)
                _forget_drafts_secrets(desk, session, request)
        except Stale:
            ack(response_action="update", view=dialogs.gone())
            return
        except StoreError as error:
            ack(response_action="update", view=dialogs.notice("Not taken", not_taken(error)))
            return
        ack(response_action="update", view=dialogs.asked(request))

    return confirmed


def _forget_drafts_secrets(desk: Desk, session: Session, request: Request) -> None:
    """What the draft was made from is not needed any more: what goes to the PBX is sealed on its own."""
    vault = desk.context.store.vault
    names = [name for name in vault.names(session, request.id) if name == TYPED_PARAMS or name.startswith("file:")]
    if names:
        vault.wipe(session, request.id, *names)
