"""Emergencies in the ledger: declared wholly or not at all, looked at once, and approved for exactly what was declared."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from bot.domain.emergencies import CONFIRM, DECLARE, OBJECT, awaits_look, confirm_by, looked_at
from bot.domain.events import EventKind
from bot.domain.plan import plan
from bot.domain.requests import Decision, Execution, Request, Shown
from bot.domain.rules import Emergency, Rule, Seats
from bot.exceptions import Stale
from bot.store import agenda, audit, drafts, emergencies, history, ledger, posts, votes
from bot.store.agenda import Work
from bot.store.engine import Store
from bot.store.tables import AgendaRow, RequestRow
from tests.unit import block_samples
from tests.unit.store_kit import (
    ANA,
    BEN,
    PENDING_FOR,
    SECRET,
    TESS,
    Clock,
    ask,
    at_once,
    load,
    new_draft,
    open_store,
    read,
    record,
)

pytestmark = pytest.mark.usefixtures("any_database")

RULE = Rule("hq", "policy[0]", all=(Seats((ANA, BEN)),), emergency=Emergency((TESS,), timedelta(hours=24)))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    store = open_store(tmp_path, clock)
    yield store
    store.close()


def draft(store: Store, rule: Rule | None = RULE, *, emergency: bool = True, **how: Any) -> Request:
    """Checked, and shown to its requester."""
    made = new_draft(store, asked=replace(ask(), emergency=emergency), **how)
    evidence = block_samples.evidence()
    with store.begin() as session:
        store.vault.put(session, made.id, "bundle", SECRET)
        steps = plan(made.ask, evidence.name)
        return drafts.judged_good(session, store.now(), store.vault, made, made.ask, evidence.to_json(), steps, rule)


def declare(store: Store, shown: Request, user: str = TESS) -> Request:
    with store.begin() as session:
        return emergencies.declare(session, store.now(), store.vault, Shown.of(shown), user, PENDING_FOR, [ANA, BEN])


def look(store: Store, request: Request, user: str, verdict: str = CONFIRM) -> None:
    click = record(store, request, user, verdict)
    settle(store, click)


def settle(store: Store, click: votes.Click) -> None:
    with store.begin() as session:
        emergencies.look(session, store.now(), click.shown, click.id, click.user, click.verdict, "Because", "policy[0]")


def kinds(store: Store, number: int) -> list[EventKind]:
    return [event.kind for event in read(store, lambda session: audit.events_of(session, number))]


def waiting(store: Store, kind: Work) -> int:
    return int(read(store, lambda s: s.scalar(select(func.count()).select_from(AgendaRow).filter_by(kind=kind.value))))


def stands(store: Store, request: Request) -> bool:
    return bool(read(store, lambda session: votes.has_quorum(session, store.vault, load_in(session, request))))


def load_in(session: Any, request: Request) -> Request:
    return ledger.expect(ledger.load(session, request.id))


def test_declared_in_one_transaction(store: Store, clock: Clock) -> None:
    """Pending, emergency and approved, with the work, the alarm and the time until which somebody has to look."""
    request = declare(store, draft(store))
    assert (request.decision, request.execution) == (Decision.APPROVED, Execution.QUEUED)
    assert request.votes == ()
    assert kinds(store, request.id)[-3:] == [EventKind.PENDING, EventKind.EMERGENCY, EventKind.APPROVED]
    event = read(store, lambda session: audit.events_of(session, request.id))[-2]
    assert (event.actor, event.data["reason"], event.data["rule"], event.data["to"]) == (
        TESS, "New corporate root", "policy[0]", [ANA, BEN]
    )  # fmt: skip
    assert confirm_by(request) == clock.now + timedelta(hours=24)
    assert [waiting(store, kind) for kind in (Work.FULFIL, Work.ALARM, Work.CONFIRM, Work.EXPIRE)] == [1, 1, 1, 0]
    assert stands(store, request)


def test_declared_twice_is_declared_once(store: Store) -> None:
    """The second click finds it done."""
    shown = draft(store)
    declare(store, shown)
    declare(store, shown)
    assert kinds(store, shown.id).count(EventKind.EMERGENCY) == 1


def test_nothing_by_halves(store: Store, clock: Clock) -> None:
    """If the process ends before it is committed, it is a draft as before, and can be declared by the next one."""
    shown = draft(store)
    with store.begin() as session:
        emergencies.declare(session, clock.now, store.vault, Shown.of(shown), TESS, PENDING_FOR, [])
        session.rollback()
    assert load(store, shown.id).decision is Decision.DRAFT
    assert waiting(store, Work.FULFIL) == 0
    assert declare(store, shown).decision is Decision.APPROVED


@pytest.mark.parametrize(
    ("made", "user"),
    [
        ({"rule": replace(RULE, emergency=None)}, TESS),
        ({"rule": None}, TESS),
        ({"emergency": False}, TESS),
        ({}, ANA),
    ],
)
def test_only_by_its_requester_under_a_rule_that_has_one(store: Store, made: dict[str, Any], user: str) -> None:
    """A rule without an emergency, an ordinary draft, and somebody else's: nothing is done."""
    shown = draft(store, **made)
    with pytest.raises(Stale):
        declare(store, shown, user)
    assert load(store, shown.id).decision is Decision.DRAFT


def test_a_change_of_a_request_is_none(store: Store) -> None:
    """A draft that changes what waits for its approval is not declared beside it."""
    shown = draft(store)
    with store.begin() as session:
        session.execute(update(RequestRow).where(RequestRow.id == shown.id).values(edits=shown.id))
    with pytest.raises(Stale):
        declare(store, shown)


def test_only_what_was_shown(store: Store) -> None:
    """Whoever saw another digest declares nothing; nor does anybody after the row or a secret was changed."""
    shown = draft(store)
    with pytest.raises(Stale):
        declare(store, replace(shown, digest="0" * 64))
    with store.begin() as session:
        store.vault.put(session, shown.id, "bundle", b"another key")
    with pytest.raises(Stale):
        declare(store, shown)


# What the bot asks before it sends anything


@pytest.mark.parametrize(
    "behind_our_back",
    [
        {"rule": replace(RULE, emergency=None).to_json()},
        {"rule": replace(RULE, emergency=Emergency((ANA,), timedelta(hours=24))).to_json()},
        {"requester": ANA},
        {"version": 2},
        {"evidence": {"name": "another.crt"}},
        {"ask": replace(ask(reason="Another"), emergency=True).to_json()},
        {"ask": ask().to_json()},
    ],
)
def test_it_stands_for_what_was_declared_alone(store: Store, behind_our_back: dict[str, Any]) -> None:
    """Whatever is changed in the row afterwards, it is not what was declared, and nothing is sent."""
    request = declare(store, draft(store))
    with store.begin() as session:
        session.execute(update(RequestRow).values(**behind_our_back))
    assert not stands(store, request)


def test_a_row_that_says_so_is_not_enough(store: Store) -> None:
    """Without the event of its requester nobody has declared it, also where votes would be enough."""
    shown = draft(store)
    with store.begin() as session:
        ledger.confirm(session, store.now(), Shown.of(shown), TESS, PENDING_FOR)
        ledger.approve(session, store.now(), store.vault, load_in(session, shown), emergency=True)
    assert not stands(store, shown)


def test_somebody_elses_event_is_not_enough(store: Store) -> None:
    """It is the requester who declares it."""
    shown = draft(store)
    with store.begin() as session:
        ledger.confirm(session, store.now(), Shown.of(shown), TESS, PENDING_FOR)
        audit.append(session, store.now(), EventKind.EMERGENCY, ANA, shown.id, version=shown.version, digest=shown.digest)
        ledger.approve(session, store.now(), store.vault, load_in(session, shown), emergency=True)
    assert not stands(store, shown)


# Afterwards


@pytest.mark.parametrize(("verdict", "kind"), [(CONFIRM, EventKind.CONFIRMED), (OBJECT, EventKind.OBJECTED)])
def test_looked_at(store: Store, verdict: str, kind: EventKind) -> None:
    """It is an event, nobody is waited for any more, and an objection alarms those whom it concerns."""
    request = declare(store, draft(store))
    with store.begin() as session:
        agenda.drop(session, Work.ALARM, request.id)
    look(store, request, ANA, verdict)
    after = load(store, request.id)
    said = looked_at(after)
    assert said is not None
    assert (said.user, said.verdict, awaits_look(after)) == (ANA, verdict, False)
    assert kinds(store, request.id)[-1] is kind
    assert waiting(store, Work.CONFIRM) == 0
    assert waiting(store, Work.ALARM) == (kind is EventKind.OBJECTED)
    assert stands(store, request), "what was said afterwards changes nothing of what may be sent"


def test_race_of_those_who_look(tmp_path: Path) -> None:
    """However many confirm and object at once, the first one counts, and the others are told."""
    for turn in range(4):
        folder = tmp_path / str(turn)
        folder.mkdir()
        store = open_store(folder)
        request = declare(store, draft(store))
        clicks = [record(store, request, f"U{number}", (CONFIRM, OBJECT)[number % 2]) for number in range(6)]
        answers = at_once([partial(settle, store, click) for click in clicks])
        assert answers.count(None) == 1
        assert all(isinstance(answer, Stale | None) for answer in answers)
        assert len({EventKind.CONFIRMED, EventKind.OBJECTED} & {*kinds(store, request.id)}) == 1
        read(store, audit.verify)
        store.close()


def test_only_an_emergency_is_looked_at(store: Store) -> None:
    """Neither a draft, nor what is shown by another digest."""
    shown = draft(store)
    with pytest.raises(Stale):
        look(store, shown, ANA)
    request = declare(store, shown)
    click = record(store, request, BEN, CONFIRM)
    with pytest.raises(Stale):
        settle(store, replace(click, shown=Shown(request.id, request.version, "0" * 64)))


def test_raised_and_counted(store: Store, clock: Clock) -> None:
    """Each time has its number; once somebody has looked nothing is raised any more."""
    request = declare(store, draft(store))
    clock.advance(hours=25)
    for _ in range(2):
        raise_again(store, request)
    events = read(store, lambda session: audit.events_of(session, request.id))
    assert [event.data["number"] for event in events if event.kind is EventKind.UNCONFIRMED] == [1, 2]
    look(store, request, BEN)
    with pytest.raises(Stale):
        raise_again(store, request)


def raise_again(store: Store, request: Request) -> None:
    with store.begin() as session:
        emergencies.raise_again(session, store.now(), request, store.now(), [ANA])


def test_race_of_who_looks_and_who_raises(tmp_path: Path) -> None:
    """Nobody is told that nobody has looked after somebody has."""
    for turn in range(6):
        folder = tmp_path / str(turn)
        folder.mkdir()
        store = open_store(folder)
        request = declare(store, draft(store))
        click = record(store, request, ANA, CONFIRM)
        at_once([partial(settle, store, click), partial(raise_again, store, request)])
        happened = kinds(store, request.id)
        assert happened.count(EventKind.CONFIRMED) == 1
        assert EventKind.UNCONFIRMED not in happened[happened.index(EventKind.CONFIRMED) :]
        store.close()


def test_cards_are_looked_after_until_somebody_has_looked(store: Store, clock: Clock) -> None:
    """Also long after the request has ended."""
    request = declare(store, draft(store))
    with store.begin() as session:
        posts.arrived(session, clock.now, request.id, posts.CARD, "C1", "1.0")
        session.execute(update(RequestRow).values(ended_at=clock.now))
    clock.advance(hours=5)
    assert read(store, lambda session: posts.with_card(session, clock.now)) == [request.id]
    look(store, request, ANA)
    assert read(store, lambda session: posts.with_card(session, clock.now)) == []


def test_what_nobody_has_looked_at_is_a_list(store: Store) -> None:
    """Oldest first, also when it has ended, and without what somebody has looked at."""
    first, second = (declare(store, draft(store, delivery=f"d{number}")) for number in range(2))
    with store.begin() as session:
        session.execute(update(RequestRow).values(ended_at=store.now()))
        assert [one.id for one in history.unconfirmed(session, 0, 10)] == [first.id, second.id]
        assert [one.id for one in history.unconfirmed(session, first.id, 10)] == [second.id]
    look(store, first, ANA)
    with store.begin() as session:
        assert [one.id for one in history.unconfirmed(session, 0, 10)] == [second.id]


def test_declaring_is_no_vote(store: Store) -> None:
    """Nobody's voice is in the row: not the requester's, who has none."""
    shown = draft(store)
    record(store, shown, TESS, DECLARE)
    assert load(store, shown.id).votes == ()
