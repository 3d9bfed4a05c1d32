"""Clicks: recorded when Slack sends them, decided when it is known whether they count."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from bot.domain.events import BOT, EventKind
from bot.domain.policy import OUTSIDERS, Verdict
from bot.domain.quorum import Scale, Standing, standing
from bot.domain.requests import Decision, Request, Shown
from bot.domain.schedule import Beginning
from bot.exceptions import Stale
from bot.store import agenda, audit, emergencies, ledger
from bot.store.agenda import Work
from bot.store.tables import RequestRow, VoteRow
from bot.store.vault import Vault

#: All waiting clicks are decided in one visit, so that one membership call serves them all.
DECIDE_KEY = "decide"

APPROVE, REJECT, TRY_AGAIN = "approve", "reject", "try_again"


@dataclass(frozen=True)
class Click:
    """One recorded click that waits to be decided."""

    id: int
    shown: Shown
    user: str
    verdict: str
    reason: str
    at: datetime
    reply_to: str


def record(
    session: Session, now: datetime, vault: Vault, shown: Shown, user: str, verdict: str, *, delivery: str,
    reason: str = "", reply_to: str = "",
) -> None:  # fmt: skip
    """Store what Slack sent. The same delivery twice is one click."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    sealed = vault.seal(reply_to.encode(), delivery) if reply_to else None
    new = dialect.insert(VoteRow).values(
        request=shown.request, version=shown.version, digest=shown.digest, user=user, verdict=verdict, reason=reason,
        state="recorded", delivery=delivery, reply_to=sealed, created_at=now,
    )  # fmt: skip
    session.execute(new.on_conflict_do_nothing(index_elements=[VoteRow.delivery]))
    agenda.put(session, Work.DECIDE, DECIDE_KEY, now)


def waiting(session: Session, vault: Vault) -> list[Click]:
    """The recorded clicks, oldest first."""
    rows = session.scalars(select(VoteRow).filter_by(state="recorded").order_by(VoteRow.id))
    return [_click(row, vault) for row in rows]


def _click(row: VoteRow, vault: Vault) -> Click:
    reply_to = vault.open(row.reply_to, row.delivery).decode() if row.reply_to else ""
    shown = Shown(row.request, row.version, row.digest)
    return Click(row.id, shown, row.user, row.verdict, row.reason, row.created_at, reply_to)


def count(
    session: Session, now: datetime, vault: Vault, click: Click, verdict: Verdict, scale: Scale, begins: Beginning | None = None
) -> None:
    """Let the click count, and weigh it with those before it. What is approved by it is due when it ``begins``.

    Raises Stale when the request is no longer what was shown, or is decided, or they voted already. The first statement moves
    the count and so takes the request's row: on PostgreSQL the next vote waits for this one and sees it. Whoever has voted
    already changes nothing.
    """
    mine = aliased(VoteRow)
    voted = exists().where(
        mine.request == click.shown.request, mine.version == click.shown.version, mine.user == click.user,
        mine.state == "counted",
    )  # fmt: skip
    counted = (
        update(RequestRow)
        .where(
            RequestRow.id == click.shown.request,
            RequestRow.version == click.shown.version,
            RequestRow.digest == click.shown.digest,
            RequestRow.decision == Decision.PENDING.value,
            RequestRow.requester != click.user,
            RequestRow.expires_at > now,
            ~voted,
        )
        .values(approvals=RequestRow.approvals + (1 if click.verdict == APPROVE else 0))
        .returning(RequestRow.id)
        .execution_options(synchronize_session=False)
    )
    seats = sorted(scale.seats(click.user)) if click.verdict == APPROVE else None
    if session.execute(counted).one_or_none() is None or not settle(session, now, click, "counted", seats=seats):
        raise Stale
    request = ledger.load(session, click.shown.request)
    if request is None or ledger.digest_of(session, vault, request) != click.shown.digest:
        raise Stale
    request = _without_lapsed(session, now, request, scale)
    _tell(session, now, vault, request, click, verdict, scale, begins)


def _without_lapsed(session: Session, now: datetime, request: Request, scale: Scale) -> Request:
    """Who approved and is not named any more, has left the group that was, or is from outside now, counts no longer; that is an
    event too."""
    lapsed = [vote.user for vote in request.votes if vote.verdict == APPROVE and not scale.carries(vote.user)]
    for user in lapsed:
        gone = update(VoteRow).where(
            VoteRow.request == request.id, VoteRow.version == request.version, VoteRow.user == user, VoteRow.state == "counted"
        )
        session.execute(gone.values(state="lapsed").execution_options(synchronize_session=False))
        code, rule = (scale.outside[user], OUTSIDERS) if user in scale.outside else ("not_named", scale.rules[-1].line)
        audit.append(session, now, EventKind.LAPSED, BOT, request.id, user=user, code=code, rule=rule)
    if not lapsed:
        return request
    fewer = update(RequestRow).where(RequestRow.id == request.id).values(approvals=RequestRow.approvals - len(lapsed))
    session.execute(fewer.execution_options(synchronize_session=False))
    return ledger.expect(ledger.load(session, request.id))


def _tell(
    session: Session, now: datetime, vault: Vault, request: Request, click: Click, verdict: Verdict, scale: Scale,
    begins: Beginning | None,
) -> None:  # fmt: skip
    approved = [vote.user for vote in request.votes if vote.verdict == APPROVE]
    besides = {request.requester, *approved}
    standings = [standing.besides(besides) for standing in scale.standings(approved)]
    need = max(rule.approvals for rule in scale.rules)
    have = max(0, need - max(standing.lacking for standing in standings))
    audit.append(session, now, EventKind.VOTED, click.user, request.id, verdict=click.verdict, reason=click.reason,
                 have=have, need=need, rule=verdict.rule, **still_wanted(standings))  # fmt: skip
    if click.verdict == REJECT:
        ledger.close(session, now, vault, request, Decision.REJECTED, click.user, reason=click.reason)
    elif all(standing.reached for standing in standings):
        _seat(session, request, scale)
        ledger.approve(session, now, vault, request, begins)
    else:
        ledger.narrate(session, now, request.id)


def _seat(session: Session, request: Request, scale: Scale) -> None:
    """Keep by what the quorum is reached: people may have joined another group since they voted."""
    for vote in request.votes:
        if vote.verdict == APPROVE and vote.seats != scale.seats(vote.user):
            mine = update(VoteRow).filter_by(request=request.id, version=request.version, user=vote.user, state="counted")
            session.execute(mine.values(seats=sorted(scale.seats(vote.user))).execution_options(synchronize_session=False))


def still_wanted(standings: Iterable[Standing]) -> dict[str, Any]:
    """For an event: the seats still to be taken under any of the rules, and the lists of which one is enough; each once."""
    found = tuple(standings)
    missing = dict.fromkeys(seats for standing in found for seats in standing.missing)
    options = dict.fromkeys(standing.one_of for standing in found if standing.one_of)
    return {
        "missing": [seats.to_json() for seats in missing],
        "one_of": [[seats.to_json() for seats in each] for each in options],
    }


def has_quorum(session: Session, vault: Vault, request: Request) -> bool:
    """Whether enough people other than the requester approved exactly this: what the row and the vault hold now.

    Each stands for the groups that they were in when it was approved. An emergency is judged by what was declared.
    """
    bound = ledger.digest_of(session, vault, request)
    if request.ask.emergency:
        return emergencies.stands(session, request, bound)
    approved = select(VoteRow.user, VoteRow.seats).filter_by(
        request=request.id, version=request.version, state="counted", verdict=APPROVE, digest=bound
    )
    people = {user: frozenset(seats or ()) for user, seats in session.execute(approved) if user != request.requester}
    is_seated = request.rule is None or standing(request.rule, people).reached
    return len(people) >= request.approvals_needed and is_seated


def refuse(session: Session, now: datetime, click: Click, code: str, reason: str, rule: str, **more: Any) -> bool:
    """The click does not count; that it was made, and why it does not count, is an event. False when it was decided before."""
    if not settle(session, now, click, "refused"):
        return False
    audit.append(session, now, EventKind.REFUSED, click.user, click.shown.request, verdict=click.verdict, code=code,
                 reason=reason, rule=rule, **more)  # fmt: skip
    return True


def settle(session: Session, now: datetime, click: Click, state: str, **values: Any) -> bool:
    """Recorded -> counted, refused or acted; False when that happened before."""
    settled = (
        update(VoteRow)
        .where(VoteRow.id == click.id, VoteRow.state == "recorded")
        .values(state=state, decided_at=now, reply_to=None, **values)
        .returning(VoteRow.id)
        .execution_options(synchronize_session=False)
    )
    return session.execute(settled).one_or_none() is not None
