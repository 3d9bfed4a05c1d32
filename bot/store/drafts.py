"""Drafts: what is filled in and checked, and seen by nobody but its requester. Each change is one conditional UPDATE.

What becomes of a draft that is confirmed is in `bot.store.ledger`, and in `bot.store.edits` where it changes a request.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import null, select
from sqlalchemy.orm import Session

from bot.domain.events import BOT, EventKind
from bot.domain.plan import Evidence, hosts_of
from bot.domain.requests import Ask, Decision, Request
from bot.domain.rules import Rule
from bot.store import agenda, audit, ledger
from bot.store.agenda import Work
from bot.store.tables import RequestRow
from bot.store.vault import Vault

#: How long a draft and its secrets are kept after the requester last touched it.
DRAFT_FOR = timedelta(hours=1)

_UNJUDGED: dict[str, Any] = {
    "problems": [], "evidence": None, "plan": [], "digest": "", "key_id": "", "names": "", "rule": null(),
}  # fmt: skip


def delivered(session: Session, delivery: str) -> Request | None:
    """The draft that this delivery of Slack's made already."""
    row = session.scalars(select(RequestRow).filter_by(delivery=delivery)).one_or_none()
    return ledger.request_of(row) if row else None


def draft(
    session: Session,
    now: datetime,
    *,
    requester: str,
    ask: Ask,
    channel: str,
    asked_in: str,
    view_id: str,
    delivery: str,
    approvals_needed: int,
    edits: int | None = None,
    edits_version: int | None = None,
) -> Request:
    """Store a new draft; perhaps one that changes a request, whose version is the one that the requester saw."""
    row = RequestRow(
        version=1, decision=Decision.DRAFT.value, pbx=ask.pbx, requester=requester, ask=ask.to_json(), problems=[], plan=[],
        digest="", approvals_needed=approvals_needed, approvals=0, channel=channel, asked_in=asked_in, view_id=view_id,
        delivery=delivery, created_at=now, edits=edits, edits_version=edits_version,
    )  # fmt: skip
    session.add(row)
    session.flush()
    _drafted(session, now, ledger.request_of(row))
    agenda.put(session, Work.WIPE, f"request:{row.id}", now + DRAFT_FOR, row.id)
    return ledger.request_of(row)


def revise(session: Session, now: datetime, old: Request, *, ask: Ask, view_id: str, delivery: str, **values: Any) -> Request:
    """The draft's next version. Raises Stale when it is no longer the draft that was shown."""
    values |= {"version": old.version + 1, "ask": ask.to_json(), "pbx": ask.pbx, "view_id": view_id, "delivery": delivery}
    ledger.move(session, old.id, Decision.DRAFT, old.version, values | _UNJUDGED)
    new = ledger.expect(ledger.load(session, old.id))
    _drafted(session, now, new)
    agenda.drop(session, Work.WIPE, old.id)
    agenda.put(session, Work.WIPE, f"request:{old.id}", now + DRAFT_FOR, old.id)
    return new


def _drafted(session: Session, now: datetime, draft: Request) -> None:
    edits = {"edits": draft.edits} if draft.edits else {}
    audit.append(session, now, EventKind.DRAFTED, draft.requester, draft.id, pbx=draft.ask.pbx, wanted=draft.ask.kind.value,
                 **edits)  # fmt: skip


def seen_in(session: Session, draft: Request, view_id: str) -> None:
    """The draft is open in this view now."""
    ledger.move(session, draft.id, Decision.DRAFT, draft.version, {"view_id": view_id})


def still_draft(session: Session, draft: Request) -> None:
    """Hold the row until this is committed. Raises Stale when the draft was changed, asked for or closed meanwhile."""
    ledger.move(session, draft.id, Decision.DRAFT, draft.version, {"version": draft.version})


def judged_bad(session: Session, now: datetime, draft: Request, problems: Sequence[Mapping[str, str]]) -> Request:
    """The check found problems. Raises Stale when the draft changed meanwhile."""
    ledger.move(session, draft.id, Decision.DRAFT, draft.version, _UNJUDGED | {"problems": list(problems)})
    audit.append(session, now, EventKind.CHECKED, BOT, draft.id, problems=[problem["code"] for problem in problems])
    return ledger.expect(ledger.load(session, draft.id))


def judged_good(
    session: Session, now: datetime, vault: Vault, draft: Request, ask: Ask, evidence: Mapping[str, Any],
    plan: tuple[Mapping[str, str], ...], rule: Rule | None = None,
) -> Request:  # fmt: skip
    """The check found nothing wrong: bind evidence, plan, rule and secrets under one digest. Raises Stale like `judged_bad`."""
    judged: dict[str, Any] = {"ask": ask.to_json(), "problems": [], "evidence": dict(evidence), "plan": list(plan)}
    judged |= _searched(ask, evidence)
    if rule is not None:
        judged |= {"rule": rule.to_json(), "approvals_needed": rule.approvals}
    ledger.move(session, draft.id, Decision.DRAFT, draft.version, judged)
    bound = ledger.bind(session, vault, ledger.expect(ledger.load(session, draft.id)))
    audit.append(session, now, EventKind.CHECKED, BOT, draft.id, problems=[], digest=bound.digest, contents=bound.contents())
    return bound


def _searched(ask: Ask, evidence: Mapping[str, Any]) -> dict[str, str]:
    """By which key and which host names it is found again."""
    certificate = Evidence.from_json(evidence).certificate
    hosts = hosts_of(ask, certificate)
    return {"key_id": certificate.key_id if certificate else "", "names": f" {' '.join(hosts)} " if hosts else ""}
