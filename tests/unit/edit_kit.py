"""Drafts that change a request, brought as far as a test needs them."""

from dataclasses import replace

from bot.domain.plan import plan
from bot.domain.requests import Request, Shown
from bot.domain.rules import Rule
from bot.store import drafts, edits, materials
from bot.store.engine import Store
from tests.unit import block_samples
from tests.unit.store_kit import PENDING_FOR

NEW_SECRET = b"-----BEGIN PRIVATE KEY----- of its next version"


def change(
    store: Store, request: Request, reason: str = "Better said", delivery: str = "e1", *, secret: bytes = NEW_SECRET,
    rule: Rule | None = None, requester: str = "",
) -> Request:  # fmt: skip
    """A checked draft that changes the request as it is now."""
    asked, who = replace(request.ask, reason=reason), requester or request.requester
    with store.begin() as session:
        draft = drafts.draft(
            session, store.now(), requester=who, ask=asked, channel="C1", asked_in="C2", view_id="V2", delivery=delivery,
            approvals_needed=request.approvals_needed, edits=request.id, edits_version=request.version,
        )  # fmt: skip
    evidence = block_samples.evidence(draft.ask.kind)
    with store.begin() as session:
        store.vault.put(session, draft.id, "bundle", secret)
        store.vault.put(session, draft.id, materials.file_secret("F1"), b"uploaded")
        steps = plan(draft.ask, evidence.name)
        return drafts.judged_good(session, store.now(), store.vault, draft, draft.ask, evidence.to_json(), steps, rule)


def confirm_change(store: Store, draft: Request, user: str = "") -> Request:
    with store.begin() as session:
        return edits.replace(session, store.now(), store.vault, Shown.of(draft), user or draft.requester, PENDING_FOR)
