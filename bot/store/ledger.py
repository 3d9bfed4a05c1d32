"""The requests and what became of them. Each change of state is one conditional UPDATE, in one transaction with its event.

Nothing here reads, checks and then writes: on SQLite that lets two approvers both win. A statement names the state and the
version it expects, and the count of rows says whether they were still so.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, null, select, update
from sqlalchemy.orm import Session

from bot.domain.events import BOT, EventKind
from bot.domain.requests import Ask, Decision, Execution, Outcome, Request, Shown, Vote, allowed
from bot.domain.rules import Rule
from bot.domain.schedule import Beginning
from bot.exceptions import Stale
from bot.store import agenda, audit, materials, reminders
from bot.store.agenda import Work
from bot.store.agenda import thread_key as thread_key
from bot.store.tables import RequestRow, VoteRow
from bot.store.vault import Vault

#: The secrets that go to the PBX, and so belong to what an approval is bound to.
BOUND_SECRETS = ("bundle", "dns")


def load(session: Session, number: int) -> Request | None:
    row = session.get(RequestRow, number, populate_existing=True)
    return request_of(row, _votes(session, row)) if row else None


def load_all(session: Session, wanted: Select[RequestRow]) -> list[Request]:
    """The requests that a query finds, in its order: two statements, however many they are."""
    rows = session.scalars(wanted, execution_options={"populate_existing": True}).all()
    cast: defaultdict[tuple[int, int], list[Vote]] = defaultdict(list)
    counted = select(VoteRow).where(VoteRow.request.in_([row.id for row in rows]), VoteRow.state == "counted")
    for vote in session.scalars(counted.order_by(VoteRow.id)) if rows else ():
        cast[vote.request, vote.version].append(_vote(vote))
    return [request_of(row, tuple(cast[row.id, row.version])) for row in rows]


def _votes(session: Session, row: RequestRow) -> tuple[Vote, ...]:
    counted = select(VoteRow).filter_by(request=row.id, version=row.version, state="counted").order_by(VoteRow.id)
    return tuple(_vote(vote) for vote in session.scalars(counted))


def _vote(row: VoteRow) -> Vote:
    return Vote(row.user, row.verdict, row.reason, row.created_at, frozenset(row.seats or ()))


def request_of(row: RequestRow, votes: tuple[Vote, ...] = ()) -> Request:
    """The row as the house knows it, with the votes that count."""
    return Request(
        id=row.id,
        version=row.version,
        decision=Decision(row.decision),
        execution=Execution(row.execution) if row.execution else None,
        requester=row.requester,
        ask=Ask.from_json(row.ask),
        approvals_needed=row.approvals_needed,
        created_at=row.created_at,
        evidence=row.evidence,
        plan=tuple(row.plan),
        digest=row.digest,
        channel=row.channel,
        asked_in=row.asked_in,
        view_id=row.view_id,
        expires_at=row.expires_at,
        decided_at=row.decided_at,
        ended_at=row.ended_at,
        votes=votes,
        outcome=Outcome.from_json(row.outcome),
        problems=tuple(row.problems),
        rule=Rule.from_json(row.rule),
        rule_now=Rule.from_json(row.rule_now),
        edits=row.edits,
        edits_version=row.edits_version,
        starts_at=row.starts_at,
        reduced_at=row.reduced_at,
    )


def still_open(session: Session, request: Request) -> None:
    """The same for what waits for its approval: Stale when it was changed or decided meanwhile."""
    move(session, request.id, Decision.PENDING, request.version, {"version": request.version})


def hold(session: Session, shown: Shown, expected: Decision) -> None:
    """Hold the row until this is committed. Raises Stale when it is in another state, or is not what was shown any more."""
    same = (RequestRow.digest == shown.digest,)
    move(session, shown.request, expected, shown.version, {"version": shown.version}, same)


def bind(session: Session, vault: Vault, request: Request) -> Request:
    """Keep the digest of the row and its secrets as they stand. Raises Stale when the row has moved on."""
    move(session, request.id, request.decision, request.version, {"digest": digest_of(session, vault, request)})
    return expect(load(session, request.id))


def digest_of(session: Session, vault: Vault, request: Request) -> str:
    """The digest of the row as it stands, computed anew."""
    return request.contents(vault.digests(session, request.id, BOUND_SECRETS))


def confirm(session: Session, now: datetime, shown: Shown, user: str, pending_for: timedelta) -> Request:
    """draft -> pending: the requester asks for what was shown to them, for as long as its rule says or else ``pending_for``.

    Confirming twice is confirming once. Raises Stale when it is no longer what was shown, not theirs, or changes another
    request (`bot.store.edits`).
    """
    request = load(session, shown.request)
    pending_for = request.rule.open_for if request and request.rule else pending_for
    was_asked_for = request is not None and request.expires_at is not None  # not so a draft that ended as one
    if request and was_asked_for and request.edits is None and request.requester == user and Shown.of(request) == shown:
        return request
    _decide(session, shown.request, Decision.DRAFT, Decision.PENDING, shown.version, expires_at=now + pending_for,
            where=(RequestRow.digest == shown.digest, RequestRow.digest != "", RequestRow.requester == user,
                   RequestRow.edits.is_(None)))  # fmt: skip
    audit.append(session, now, EventKind.PENDING, user, shown.request, version=shown.version, digest=shown.digest)
    agenda.drop(session, Work.WIPE, shown.request)
    opened(session, shown.request, now + pending_for)
    narrate(session, now, shown.request)
    asked = expect(load(session, shown.request))
    reminders.schedule(session, now, asked)
    return asked


def pending(session: Session) -> list[int]:
    """The numbers of the requests that wait for a decision."""
    return list(session.scalars(select(RequestRow.id).filter_by(decision=Decision.PENDING.value).order_by(RequestRow.id)))


def became_next_version(session: Session, now: datetime, shown: Shown, until: datetime) -> None:
    """A confirmed draft ends, and there is nothing of it to be told: its request tells it. Raises Stale as `confirm` does.

    Of those that ended as drafts it alone has a time at which it expires. Whoever looks for a key or a name finds the request.
    """
    _decide(session, shown.request, Decision.DRAFT, Decision.WITHDRAWN, shown.version, expires_at=until, decided_at=now,
            ended_at=now, key_id="", names="", where=(RequestRow.digest == shown.digest, RequestRow.digest != ""))  # fmt: skip
    agenda.drop(session, Work.WIPE, shown.request)
    agenda.drop(session, Work.CHECK, shown.request)


def replace(session: Session, now: datetime, draft: Request, values: Mapping[str, Any], until: datetime) -> None:
    """The next version of the request that the draft changes. Raises Stale when that is not open any more, or another version
    of it than its requester saw."""
    where = (RequestRow.requester == draft.requester, RequestRow.pbx == draft.ask.pbx, RequestRow.expires_at > now)
    seen = draft.edits_version or 0
    anew = {"version": seen + 1, "rule_now": null(), "approvals": 0, "expires_at": until}
    move(session, draft.edits or 0, Decision.PENDING, seen, {**values, **anew}, where)
    opened(session, draft.edits or 0, until)


def opened(session: Session, number: int, until: datetime) -> None:
    """What an open request waits for begins; anew, when it was changed."""
    agenda.drop(session, Work.EXPIRE, number)
    agenda.put(session, Work.EXPIRE, f"request:{number}", until, number)


def rule_changed(session: Session, now: datetime, request: Request, today: Rule | None) -> None:
    """Note today's rule beside the one that an open request was asked under; None: they are the same again.

    Does nothing when that was noted before. Raises Stale when the request is not open any more, or was changed.
    """
    if request.rule is None or _is_known(request.rule_now, today):
        return
    move(session, request.id, Decision.PENDING, request.version, {"version": request.version})  # nobody else notes it now
    if _is_known(expect(load(session, request.id)).rule_now, today):
        return
    noted = today.to_json() if today else None
    move(session, request.id, Decision.PENDING, request.version, {"rule_now": null() if noted is None else noted})
    audit.append(session, now, EventKind.RULE_CHANGED, BOT, request.id, rule=request.rule.line, today=noted)
    narrate(session, now, request.id)


def _is_known(noted: Rule | None, today: Rule | None) -> bool:
    return noted is None if today is None else noted is not None and noted.is_same(today)


def approve(
    session: Session, now: datetime, vault: Vault, request: Request, begins: Beginning | None = None, *, emergency: bool = False
) -> None:
    """pending -> approved and queued, with the agenda entry that makes it happen: one transaction, or nothing.

    It is due when it ``begins``; left out, at once. It cannot be changed any more, so what it was made from is wiped; what goes
    to the PBX is sealed on its own. An ``emergency`` takes no approvals; `bot.store.emergencies` has written down by then who
    lets it be done.
    """
    enough = () if emergency else (RequestRow.approvals >= RequestRow.approvals_needed,)
    _decide(session, request.id, Decision.PENDING, Decision.APPROVED, request.version, decided_at=now,
            execution=Execution.QUEUED.value, where=enough)  # fmt: skip
    how = {"emergency": True} if emergency else {}
    audit.append(session, now, EventKind.APPROVED, BOT, request.id, by=[vote.user for vote in request.votes], **how)
    agenda.drop(session, Work.EXPIRE, request.id)
    reminders.drop(session, request.id)
    agenda.put(session, Work.FULFIL, pbx_key(request.ask.pbx), begins.at if begins else now, request.id)
    if made_from := materials.names(session, vault, request.id):
        wipe(session, now, vault, request.id, *made_from)
    narrate(session, now, request.id)
    if begins and begins.at > now:
        schedule(session, now, request, begins)


def schedule(session: Session, now: datetime, request: Request, begins: Beginning) -> None:
    """What is approved begins later than now, or later than was told. Raises Stale when it has begun or was withdrawn."""
    where = (RequestRow.execution == Execution.QUEUED.value,)
    move(session, request.id, Decision.APPROVED, request.version, {"starts_at": begins.at}, where)
    audit.append(session, now, EventKind.SCHEDULED, BOT, request.id, start=begins.at.isoformat(), why=begins.why.value)
    narrate(session, now, request.id)


def close(session: Session, now: datetime, vault: Vault, request: Request, new: Decision, actor: str, **data: Any) -> None:
    """What has not begun ends without being carried out, and its secrets go. Raises Stale, too, when it has begun by now.

    Who withdraws what is approved, and the bot that begins it, are both one conditional UPDATE: one of them wins.
    """
    queued = (RequestRow.execution == Execution.QUEUED.value,) if request.decision is Decision.APPROVED else ()
    _decide(session, request.id, request.decision, new, request.version, where=queued, decided_at=now, ended_at=now,
            execution=None)  # fmt: skip
    audit.append(session, now, EventKind(new.value), actor, request.id, **data)
    wipe(session, now, vault, request.id)
    for kind in (Work.EXPIRE, Work.WIPE, Work.CHECK, Work.FULFIL, Work.CONFIRM):
        agenda.drop(session, kind, request.id)
    reminders.drop(session, request.id)
    if request.decision is not Decision.DRAFT:
        narrate(session, now, request.id)


def execute(session: Session, request: Request, new: Execution, **values: Any) -> None:
    """Move the execution. Raises Stale when it is not where the caller last saw it."""
    if request.execution is None or not allowed(request.execution, new):
        raise Stale(f"An execution cannot go from {request.execution} to {new}.")
    where = (RequestRow.execution == request.execution.value,)
    move(session, request.id, Decision.APPROVED, request.version, {**values, "execution": new.value}, where)


def end(session: Session, now: datetime, vault: Vault, request: Request, new: Execution, outcome: Outcome, **data: Any) -> None:
    """The execution ends with its event, and its secrets go."""
    execute(session, request, new, ended_at=now, outcome=outcome.to_json())
    audit.append(session, now, EventKind(new.value), BOT, request.id, **data)
    wipe(session, now, vault, request.id)
    narrate(session, now, request.id)


def wipe(session: Session, now: datetime, vault: Vault, number: int, *only: str) -> None:
    """A request's secrets go: all, or the named ones."""
    names = vault.wipe(session, number, *only)
    if names:
        audit.append(session, now, EventKind.WIPED, BOT, number, names=names)


def narrate(session: Session, now: datetime, number: int) -> None:
    """Something about this request is to be told."""
    agenda.put(session, Work.NARRATE, thread_key(number), now, number)


def pbx_key(pbx: str) -> str:
    """The agenda's key for whatever changes this PBX."""
    return f"pbx:{pbx}"


def open_for(session: Session, pbx: str, other_than: int) -> list[Request]:
    """Requests for a PBX that are asked for, or approved and not yet ended."""
    live = select(RequestRow).where(
        RequestRow.pbx == pbx,
        RequestRow.id != other_than,
        RequestRow.decision.in_([Decision.PENDING.value, Decision.APPROVED.value]),
        RequestRow.ended_at.is_(None),
    )
    return [request_of(row, ()) for row in session.scalars(live.order_by(RequestRow.id))]


def with_key(session: Session, key_id: str, other_than: Collection[int]) -> list[Request]:
    """Requests that were asked for, whatever became of them, with a certificate of this public key; drafts do not count."""
    same = select(RequestRow).where(
        RequestRow.key_id == key_id, RequestRow.id.not_in(other_than), RequestRow.expires_at.is_not(None)
    )
    return [request_of(row, ()) for row in session.scalars(same.order_by(RequestRow.id))]


def unended(session: Session) -> int:
    """How many requests still wait for people or for the bot."""
    live = select(func.count()).where(RequestRow.decision != Decision.DRAFT.value, RequestRow.ended_at.is_(None))
    return session.scalars(live.select_from(RequestRow)).one()


def _decide(
    session: Session, number: int, old: Decision, new: Decision, version: int, where: Sequence[Any] = (), **values: Any
) -> None:
    """Move the decision. Raises Stale when it is not where the caller last saw it."""
    if not allowed(old, new):
        raise Stale(f"A decision cannot go from {old} to {new}.")
    move(session, number, old, version, {**values, "decision": new.value}, where)


def move(
    session: Session, number: int, expected: Decision, version: int, values: Mapping[str, Any], where: Sequence[Any] = ()
) -> None:
    """The one conditional UPDATE that all changes go through. Raises Stale when it finds no such row."""
    move = (
        update(RequestRow)
        .where(RequestRow.id == number, RequestRow.decision == expected.value, RequestRow.version == version, *where)
        .values(**values)
        .returning(RequestRow.id)
        .execution_options(synchronize_session=False)
    )
    if session.execute(move).one_or_none() is None:
        raise Stale


def expect(request: Request | None) -> Request:
    """Raises Stale when there is none."""
    if request is None:
        raise Stale
    return request
