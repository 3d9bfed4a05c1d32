"""Emergencies: declared by one person, looked at by a second one afterwards. Each is one transaction with its event."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import exists, update
from sqlalchemy.orm import Session, aliased

from bot.domain.emergencies import CONFIRM, LOOKS, awaits_look
from bot.domain.events import BOT, EventKind
from bot.domain.requests import Decision, Request, Shown
from bot.domain.rules import is_among
from bot.exceptions import Stale
from bot.store import agenda, audit, ledger
from bot.store.agenda import Work
from bot.store.tables import VoteRow
from bot.store.vault import Vault


def declare(
    session: Session, now: datetime, vault: Vault, shown: Shown, user: str, pending_for: timedelta, to: Sequence[str]
) -> Request:
    """draft -> pending -> approved and queued, at once and without approvals; ``to`` are those who are told.

    Whoever calls has made sure that the rules let this person. Doing it twice is doing it once. Raises Stale when it is no
    longer what was shown, or not theirs, or no emergency.
    """
    request = ledger.confirm(session, now, shown, user, pending_for)
    if not request.is_open:
        return request
    emergency = request.rule.emergency if request.rule else None
    if emergency is None or not request.ask.emergency or request.edits:
        raise Stale
    if ledger.digest_of(session, vault, request) != shown.digest:
        raise Stale
    confirm_by = now + emergency.confirm_within
    audit.append(session, now, EventKind.EMERGENCY, user, request.id, reason=request.ask.reason, version=shown.version,
                 digest=shown.digest, rule=request.rule.line if request.rule else "", confirm_by=confirm_by.isoformat(),
                 to=list(to))  # fmt: skip
    ledger.approve(session, now, vault, request, emergency=True)
    agenda.put(session, Work.CONFIRM, _key(request.id), confirm_by, request.id)
    agenda.put(session, Work.ALARM, _alarm_key(request.id), now, request.id)
    return ledger.expect(ledger.load(session, request.id))


def stands(session: Session, request: Request, bound: str) -> bool:
    """Whether its requester has declared exactly this, ``bound`` by its digest, under a rule that lets them."""
    emergency = request.rule.emergency if request.rule else None
    if emergency is None or is_among(request.requester, emergency.by, {}) is False:
        return False
    return any(
        event.kind is EventKind.EMERGENCY
        and (event.actor, event.data.get("version"), event.data.get("digest")) == (request.requester, request.version, bound)
        for event in audit.events_of(session, request.id)
    )


def look(session: Session, now: datetime, shown: Shown, click: int, user: str, verdict: str, reason: str, rule: str) -> None:
    """A second person confirms it afterwards, or objects; either settles it. ``click`` is the recorded click's number.

    Raises Stale when it is not what was shown, or somebody was first.
    """
    ledger.hold(session, shown, Decision.APPROVED)
    other = aliased(VoteRow)
    said = exists().where(
        other.request == shown.request, other.version == shown.version, other.state == "counted", other.verdict.in_(LOOKS)
    )
    counted = update(VoteRow).where(VoteRow.id == click, VoteRow.state == "recorded", VoteRow.user == user, ~said)
    settled = counted.values(state="counted", decided_at=now, reply_to=None).returning(VoteRow.id)
    if not awaits_look(ledger.expect(ledger.load(session, shown.request))):
        raise Stale
    if session.execute(settled.execution_options(synchronize_session=False)).one_or_none() is None:
        raise Stale
    if verdict == CONFIRM:
        audit.append(session, now, EventKind.CONFIRMED, user, shown.request, comment=reason, rule=rule)
    else:
        audit.append(session, now, EventKind.OBJECTED, user, shown.request, reason=reason, rule=rule)
        agenda.put(session, Work.ALARM, _alarm_key(shown.request), now, shown.request)
    agenda.drop(session, Work.CONFIRM, shown.request)
    ledger.narrate(session, now, shown.request)


def raise_again(session: Session, now: datetime, request: Request, confirm_by: datetime, to: Sequence[str]) -> None:
    """Nobody has looked at it in time. Raises Stale when somebody has by now, or it ended as none."""
    ledger.hold(session, Shown.of(request), Decision.APPROVED)
    if not awaits_look(ledger.expect(ledger.load(session, request.id))):
        raise Stale
    before = sum(event.kind is EventKind.UNCONFIRMED for event in audit.events_of(session, request.id))
    audit.append(session, now, EventKind.UNCONFIRMED, BOT, request.id, number=before + 1, confirm_by=confirm_by.isoformat(),
                 to=list(to))  # fmt: skip
    agenda.put(session, Work.ALARM, _alarm_key(request.id), now, request.id)
    ledger.narrate(session, now, request.id)


def _key(number: int) -> str:
    return f"confirm:{number}"


def _alarm_key(number: int) -> str:
    return f"alarm:{number}"
