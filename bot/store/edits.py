"""A request that waits for its approvals is changed: what was confirmed in a draft takes the place of what it asked for.

Whoever decides it, withdraws it, lets it expire or changes it in another window at the same time makes the same kind of
conditional UPDATE, so exactly one of them wins.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import null, select
from sqlalchemy.orm import Session

from bot.domain.difference import Content, difference
from bot.domain.events import EventKind
from bot.domain.requests import Ask, Request, Shown
from bot.domain.rules import Rule
from bot.exceptions import Stale
from bot.store import audit, ledger, reminders
from bot.store.tables import RequestRow, VersionRow
from bot.store.vault import Vault

#: What a request keeps of its own when its content is replaced: where its requester is answered privately.
_KEPT = frozenset({"reply_to"})


def replace(session: Session, now: datetime, vault: Vault, shown: Shown, user: str, pending_for: timedelta) -> Request:
    """What was shown of the draft is what its request asks for from now on: all of it, in this transaction, or nothing.

    It is open as long as if it had been asked for now, and votes start again. Confirming twice is confirming once. Raises Stale
    when the draft is no longer what was shown, or its request is not open any more or not what its requester saw.
    """
    draft = ledger.expect(ledger.load(session, shown.request))
    if draft.edits is None or draft.edits_version is None or draft.requester != user:
        raise Stale
    if is_done(draft, shown):
        return ledger.expect(ledger.load(session, draft.edits))
    content, until = _content(session, draft.id), now + (draft.rule.open_for if draft.rule else pending_for)
    ledger.became_next_version(session, now, shown, until)  # the first to write: what is read from here on stays as it is
    old = ledger.expect(ledger.load(session, draft.edits))
    changes, secrets = changes_of(session, vault, old, draft), renewed_secrets(session, vault, old, draft)
    ledger.replace(session, now, draft, content, until)
    _keep_version(session, now, old)
    _move_secrets(session, vault, draft.id, old.id)
    new = ledger.bind(session, vault, ledger.expect(ledger.load(session, old.id)))
    audit.append(session, now, EventKind.EDITED, user, new.id, version=new.version, digest=new.digest,
                 contents=new.contents(), changes=list(changes), secrets=sorted(secrets),
                 voted=[vote.user for vote in old.votes], draft=draft.id)  # fmt: skip
    reminders.schedule(session, now, new)
    ledger.narrate(session, now, new.id)
    return new


def is_done(draft: Request, shown: Shown) -> bool:
    """Whether this draft has taken its request's place already; only then it has a time at which it expires."""
    return draft.expires_at is not None and Shown.of(draft) == shown


def changes_of(session: Session, vault: Vault, old: Request, draft: Request) -> tuple[str, ...]:
    """What the draft changes about the request as it stands."""
    return difference(Content.of(old), Content.of(draft), renewed_secrets(session, vault, old, draft))


def renewed_secrets(session: Session, vault: Vault, old: Request, draft: Request) -> frozenset[str]:
    """The secrets for the PBX that are not the same in both."""
    before = vault.digests(session, old.id, ledger.BOUND_SECRETS)
    after = vault.digests(session, draft.id, ledger.BOUND_SECRETS)
    return frozenset(name for name in ledger.BOUND_SECRETS if before.get(name) != after.get(name))


def changes_since(session: Session, request: Request, version: int) -> tuple[str, ...]:
    """What has changed about the request since that version of it; empty where nobody was ever shown such a version."""
    row = session.get(VersionRow, (request.id, version), populate_existing=True)
    if row is None:
        return ()
    old = Content(Ask.from_json(row.ask), row.evidence or {}, tuple(row.plan), Rule.from_json(row.rule))
    edited = [event.data for event in audit.events_of(session, request.id) if event.kind is EventKind.EDITED]
    secrets = {name for data in edited if data.get("version", 0) > version for name in data.get("secrets", ())}
    return difference(old, Content.of(request), secrets)


def _content(session: Session, number: int) -> Mapping[str, Any]:
    columns = (
        RequestRow.ask, RequestRow.evidence, RequestRow.plan, RequestRow.rule, RequestRow.approvals_needed, RequestRow.key_id,
        RequestRow.names,
    )  # fmt: skip
    found = session.execute(select(*columns).where(RequestRow.id == number)).one()
    return {name: null() if value is None else value for name, value in found._mapping.items()}


def _keep_version(session: Session, now: datetime, old: Request) -> None:
    session.add(VersionRow(
        request=old.id, version=old.version, ask=old.ask.to_json(), evidence=old.evidence, plan=list(old.plan),
        digest=old.digest, rule=old.rule.to_json() if old.rule else null(), replaced_at=now,
    ))  # fmt: skip
    session.flush()


def _move_secrets(session: Session, vault: Vault, draft: int, request: int) -> None:
    """Sealed anew, because a secret opens only where it was sealed for; what was there before is gone."""
    if outdated := [name for name in vault.names(session, request) if name not in _KEPT]:
        vault.wipe(session, request, *outdated)
    for name in vault.names(session, draft):
        if name not in _KEPT:
            vault.put(session, request, name, vault.take(session, draft, name) or b"")
    vault.wipe(session, draft)
