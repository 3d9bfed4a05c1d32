"""The form's submission becomes a draft; the confirmed draft becomes a request.

What can be judged without leaving the house is answered next to its field. The rest is stored first and then checked:
Slack does not send a submission again, so it is acknowledged only after its row is committed.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from slack_bolt import Ack, App
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.blocks import changes, dialogs
from bot.blocks import emergencies as texts
from bot.blocks import form as forms
from bot.blocks.form import FormState, block_id
from bot.blocks.reading import read_emergency_pbx, read_files, read_state, read_typed, received
from bot.blocks.text import escape
from bot.domain import emergencies
from bot.domain.certificates import MAX_BYTES, check_file_name
from bot.domain.dns_catalogue import Catalogue
from bot.domain.dns_providers import check_params
from bot.domain.domains import domain_problem
from bot.domain.policy import may_ask_at_all
from bot.domain.problems import Problem
from bot.domain.requests import TYPED, Ask, Decision, Kind, Request, Shown
from bot.domain.rules import Case
from bot.domain.schedule import start_problem
from bot.exceptions import Stale, StoreError
from bot.listeners import sources
from bot.listeners.afterwards import defer
from bot.listeners.desk import Body, Desk, delivery, not_taken
from bot.listeners.emergencies import declare
from bot.store import agenda, drafts, edits, ledger, materials
from bot.store.agenda import Work
from bot.store.engine import LISTENER_WAIT
from bot.store.materials import TYPED_PARAMS, file_secret
from bot.store.vault import Vault
from bot.work.editing import up_to_date
from bot.work.narrate import REPLY_TO

#: When the check starts although nobody said that the answer has left: the process died in between.
AT_LATEST = timedelta(seconds=3)


def register(app: App, desk: Desk) -> None:
    app.view(forms.CALLBACK)(_submitted(desk))
    app.view("confirm")(_confirmed(desk))


def _submitted(desk: Desk) -> Callable[..., None]:
    def submitted(ack: Ack, body: Body) -> None:
        view, user = body["view"], body["user"]["id"]
        state, new = read_state(view), read_files(view)
        ask = replace(state.ask, files=received(new)) if new else state.ask
        try:
            old, source = _old(desk, state, user), sources.source_of(desk, state, user)
            before = old or source
            if before is not None and not new:  # the form's metadata may be too short for their names and links
                ask = replace(ask, files=before.ask.files)
            if answer := _meanwhile(desk, replace(state, ask=ask), user):
                ack(**answer)
                return
            typed = {**_kept(desk, before, ask), **read_typed(view)}
            ask = replace(ask, start="") if ask.emergency else ask  # its field is not on display then
            problems = [*_problems(desk, ask, typed, user), *sources.problems(ask, state, source)]
            problems += _emergency(desk, ask, state, user, read_emergency_pbx(view))
            if problems:
                ack(**_refusal(desk, view, replace(state, ask=ask), problems, user))
                return
            draft = _store(desk, body, replace(state, ask=ask), old, typed)
        except (Stale, IntegrityError):  # the second: another delivery of this was stored in the same moment
            ack(response_action="update", view=_overtaken(desk, body))
            return
        except StoreError as error:
            ack(**_refusal(desk, view, replace(state, ask=ask), [Problem("reason", not_taken(error), error.code)], user))
            return
        ack(response_action="update", view=dialogs.checking(draft.ask, draft.id, draft.version))
        defer(lambda: _release(desk, draft.id))

    return submitted


def _meanwhile(desk: Desk, state: FormState, user: str) -> dict[str, Any] | None:
    """The request that the form changes went on without it: the form again, with what was typed and with what happened."""
    with desk.context.store.begin(LISTENER_WAIT) as session:
        now, news = up_to_date(session, desk.context.now(), state)
    if not news:
        return None
    return {"response_action": "update", "view": forms.form(now, desk.form_context(now.ask, now.holder, user), news)}


def _overtaken(desk: Desk, body: Body) -> dict[str, Any]:
    """The form is outdated: by its own first delivery, or the draft is gone or went on elsewhere."""
    with desk.context.store.begin(LISTENER_WAIT) as session:
        known = drafts.delivered(session, delivery(body))
    return dialogs.checking(known.ask, known.id, known.version) if known else dialogs.gone()


def _old(desk: Desk, state: FormState, user: str) -> Request | None:
    """The draft that the form continues. Raises Stale when it is gone, changed, or somebody else's."""
    if state.draft is None:
        return None
    old = desk.own_draft(state.draft, user)
    if old is None or old.version != state.version:
        raise Stale
    return old


def _kept(desk: Desk, old: Request | None, ask: Ask) -> dict[str, str | int | bool]:
    """The DNS parameters that were typed before, if they are still there and for the same provider."""
    if old is None or ask.dns != TYPED or old.ask.provider != ask.provider:
        return {}
    with desk.context.store.begin(LISTENER_WAIT) as session:
        return desk.context.store.vault.take_json(session, old.id, TYPED_PARAMS)


def _problems(desk: Desk, ask: Ask, typed: Mapping[str, str | int | bool], user: str) -> list[Problem]:
    """What can be said without asking Slack or the PBX."""
    problems = [*_where(desk, ask, user)]
    if ask.needs_files:
        problems += _files(ask)
    elif problem := domain_problem(ask.domain):
        problems.append(problem)
    if ask.needs_dns:
        problems += _dns(desk, ask, typed)
    if problem := start_problem(ask, desk.context.now()):
        problems.append(problem)
    if not ask.reason.strip():
        problems.append(Problem("reason", "Say why: the approvers decide by it.", "no_reason"))
    return problems


def _where(desk: Desk, ask: Ask, user: str) -> list[Problem]:
    if not desk.context.knows(ask.pbx):
        return [Problem("pbx", "Choose one of the PBXs in the list.", "no_pbx")]
    verdict = may_ask_at_all(desk.context.config.rules, Case(ask.pbx, ask.kind, user, None), {})
    if verdict.permitted or verdict.code == "membership_unknown":
        return []  # if Slack has to be asked, the check does that
    return [Problem("pbx", verdict.reason, verdict.code)]


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


def _emergency(desk: Desk, ask: Ask, state: FormState, user: str, typed: str) -> list[Problem]:
    """For whom a group decides whether they may, the check asks Slack."""
    if not ask.emergency:
        return []
    if state.edits is not None:
        text = "What waits for its approval does not become an emergency. Withdraw it, and ask for this as one."
        return [Problem("emergency", text, "no_emergency")]
    if desk.form_context(ask, None, user).emergency:
        return emergencies.problems(ask, typed)
    text = "No rule of the configuration lets you have this done at once. Untick the emergency and ask for the approvals."
    return [Problem("emergency", text, "no_emergency")]


def _refusal(desk: Desk, view: Mapping[str, Any], state: FormState, problems: list[Problem], user: str) -> dict[str, Any]:
    """Each problem next to its field; where somebody was faster than our repaint and lacks the field, the form with it."""
    context, displayed = desk.form_context(state.ask, None, user), {block["block_id"] for block in view["blocks"]}
    if block_id("emergency", state.revision) in displayed:  # it was offered, and whoever ticked it is told there
        context = replace(context, emergency=True)
    errors = forms.errors(problems, state.revision, state.ask, context)
    if errors.keys() <= displayed:
        return {"response_action": "errors", "errors": errors}
    return {"response_action": "update", "view": forms.form(state, desk.form_context(state.ask, state.holder, user), problems)}


def _store(desk: Desk, body: Body, state: FormState, old: Request | None, typed: Mapping[str, Any]) -> Request:
    """One transaction: the draft or its next version, its secrets, and the check that it calls for."""
    store, what = desk.context.store, delivery(body)
    with store.begin(LISTENER_WAIT) as session:
        known = drafts.delivered(session, what)
        if known is not None:
            return known
        draft = _draft(desk, session, body, state, old)
        _forget_outdated(store.vault, session, draft)
        if old is None and state.edits:
            materials.hand_on(session, store.vault, state.edits, draft.id, [file.id for file in draft.ask.files])
        if typed and draft.ask.dns == TYPED:
            store.vault.put_json(session, draft.id, TYPED_PARAMS, typed)
        if state.reply_to:
            store.vault.put(session, draft.id, REPLY_TO, state.reply_to.encode())
        agenda.put(session, Work.CHECK, f"draft:{draft.id}", store.now() + AT_LATEST, draft.id)
        return draft


def _draft(desk: Desk, session: Session, body: Body, state: FormState, old: Request | None) -> Request:
    settings = desk.context.config.pbx_named(state.ask.pbx)
    assert settings is not None, "an unknown PBX is a problem of the form"
    now, view_id = desk.context.now(), body["view"]["id"]
    rule = {"channel": settings.channel, "approvals_needed": settings.approvals, **sources.links(state)}
    if old is not None:
        return drafts.revise(session, now, old, ask=state.ask, view_id=view_id, delivery=delivery(body), **rule)
    return drafts.draft(session, now, requester=body["user"]["id"], ask=state.ask, asked_in=state.asked_in, view_id=view_id,
                        delivery=delivery(body), **rule)  # fmt: skip


def _forget_outdated(vault: Vault, session: Session, draft: Request) -> None:
    """What was made of the version before, and files that were replaced."""
    keep = {file_secret(file.id) for file in draft.ask.files} | {TYPED_PARAMS, REPLY_TO}
    outdated = [name for name in vault.names(session, draft.id) if name not in keep]
    if outdated:
        vault.wipe(session, draft.id, *outdated)


def _release(desk: Desk, number: int) -> None:
    store = desk.context.store
    with store.begin() as session:
        agenda.release(session, Work.CHECK, number, store.now() + desk.context.grace)


def _confirmed(desk: Desk) -> Callable[..., None]:
    def confirmed(ack: Ack, body: Body) -> None:
        shown, user = Shown.load(body["view"]["private_metadata"]), body["user"]["id"]
        try:
            view = _confirm(desk, body, shown, user)
        except Stale:
            view = _too_late(desk, shown, user)
        except StoreError as error:
            # on top of the evidence, so that there is something to press again
            ack(response_action="push", view=dialogs.notice("Not taken", not_taken(error)))
            return
        ack(response_action="update", view=view)

    return confirmed


def _confirm(desk: Desk, body: Body, shown: Shown, user: str) -> dict[str, Any]:
    """What was shown is asked for: by a request of its own, or by the one that it changes; an emergency is a click."""
    own = desk.own_draft(shown.request, user)
    if own is not None and own.ask.emergency and own.edits is None:
        declare(desk, body, shown)
        return texts.declared(own)
    store, pending_for = desk.context.store, desk.context.config.slack.pending_for
    with store.begin(LISTENER_WAIT) as session:
        draft = ledger.expect(ledger.load(session, shown.request))
        if draft.edits:
            request = edits.replace(session, store.now(), store.vault, shown, user, pending_for)
        else:
            request = ledger.confirm(session, store.now(), shown, user, pending_for)
        if not desk.context.knows(request.ask.pbx):  # nobody could approve it
            raise Stale
    if request.ask.emergency:
        return texts.declared(request)
    return changes.asked(request) if draft.edits else dialogs.asked(request)


def _too_late(desk: Desk, shown: Shown, user: str) -> dict[str, Any]:
    """The draft is gone; or it is there, and its request is not any more what it was to change."""
    store = desk.context.store
    with store.begin(LISTENER_WAIT) as session:
        draft = ledger.load(session, shown.request)
        request = ledger.load(session, draft.edits) if draft and draft.edits else None
        if draft is None or request is None or draft.requester != user or Shown.of(draft) != shown:
            return dialogs.gone()
        if edits.is_done(draft, shown):  # by another delivery of the same, in the same moment
            return changes.asked(request)
        state = FormState(draft.ask, edits=draft.edits, edits_version=draft.edits_version)
        _, news = up_to_date(session, store.now(), state)
    happened = changes.decided(request, store.now()) or escape(" ".join(problem.message for problem in news), 2800)
    return changes.too_late(draft, happened) if draft.decision is Decision.DRAFT else dialogs.gone()
