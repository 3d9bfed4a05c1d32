"""When reminders are due: made with the request, begun anew with a new version, gone with the decision."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.domain.requests import Decision, Request
from bot.domain.rules import Rule, Seats
from bot.store import agenda, history, ledger, reminders
from bot.store.agenda import Work
from bot.store.engine import Store
from bot.store.tables import AgendaRow
from tests.unit.store_kit import ANA, NOW, TESS, Clock, count, open_store, pending, read, record

pytestmark = pytest.mark.usefixtures("any_database")

HOUR = timedelta(hours=1)
RULE = Rule("hq", "policy[0]", all=(Seats((ANA,)),), remind_after=2 * HOUR, escalate_after=3 * HOUR, escalate_to=("U0HEAD",))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    store = open_store(tmp_path, clock)
    yield store
    store.close()


def due(store: Store, *kinds: Work) -> dict[str, datetime]:
    wanted = select(AgendaRow).where(AgendaRow.kind.in_([kind.value for kind in kinds or (Work.REMIND, Work.ESCALATE)]))
    return {row.kind: row.due_at for row in read(store, lambda session: list(session.scalars(wanted)))}


def test_they_are_made_when_it_is_asked_for(store: Store) -> None:
    """Reminder and escalation lie on the agenda as soon as the request is pending, beside its card's other work."""
    request = pending(store, rule=RULE)
    assert due(store) == {"remind": NOW + 2 * HOUR, "escalate": NOW + 3 * HOUR}
    keys = select(AgendaRow.key).where(AgendaRow.kind == "remind")
    assert read(store, lambda session: session.scalars(keys).all()) == [ledger.thread_key(request.id)]


def test_a_rule_that_says_nothing_reminds_of_nothing(store: Store) -> None:
    """Without remind_after and escalate_after, and with those that come too late, nothing is put."""
    pending(store, delivery="d1")
    pending(store, delivery="d2", rule=Rule("hq", "pbx[0]", all=(Seats((ANA,)),)))
    late = Rule("hq", "pbx[0]", all=(Seats((ANA,)),), open_for=HOUR, remind_after=HOUR, escalate_after=2 * HOUR)
    pending(store, delivery="d3", rule=late)
    assert due(store) == {}


@pytest.mark.parametrize("how", [Decision.REJECTED, Decision.WITHDRAWN, Decision.EXPIRED, Decision.VOID])
def test_they_go_with_the_end(store: Store, how: Decision) -> None:
    """What has ended is not reminded of."""
    request = pending(store, rule=RULE)
    with store.begin() as session:
        ledger.close(session, store.now(), store.vault, request, how, TESS)
    assert due(store) == {}


def test_they_go_with_the_approval(store: Store) -> None:
    """What is approved is not reminded of."""
    request = pending(store, rule=RULE)
    count(store, record(store, request, ANA))
    assert due(store) == {}


def test_a_new_version_begins_anew(store: Store, clock: Clock) -> None:
    """Whatever was due before, the pauses count from now."""
    request = pending(store, rule=RULE)
    clock.advance(minutes=90)
    with store.begin() as session:
        reminders.schedule(session, store.now(), request)
    assert due(store) == {"remind": clock.now + 2 * HOUR, "escalate": clock.now + 3 * HOUR}


def test_the_pauses_grow() -> None:
    """Each is twice as long as the one before, and from the third reminder on never shorter than an hour."""
    minute = timedelta(minutes=1)
    assert [reminders.pause(20 * minute, number) for number in range(1, 5)] == [
        40 * minute,
        80 * minute,
        160 * minute,
        320 * minute,
    ]
    assert [reminders.pause(minute, number) for number in range(1, 8)] == [
        2 * minute, 4 * minute, HOUR, HOUR, HOUR, 64 * minute, 128 * minute,
    ]  # fmt: skip


def test_a_schedule_keeps_to_its_new_hour(store: Store) -> None:
    """What lies ahead is moved, later too; what is late stays due; and whoever holds it does not lose it."""

    def replan(due_at: datetime) -> None:
        with store.begin() as session:
            agenda.replan(session, Work.DIGEST, "digest", store.now(), due_at)

    replan(NOW + HOUR)
    replan(NOW + 5 * HOUR)
    assert due(store, Work.DIGEST) == {"digest": NOW + 5 * HOUR}
    replan(NOW - HOUR)
    replan(NOW + 5 * HOUR)
    assert due(store, Work.DIGEST) == {"digest": NOW - HOUR}
    with store.begin() as session:
        entry = agenda.claim(session, "me", NOW, [Work.DIGEST])
    replan(NOW + 2 * HOUR)
    assert entry is not None
    with store.begin() as session:
        agenda.again(session, entry, NOW + 24 * HOUR)
    assert due(store, Work.DIGEST) == {"digest": NOW + 2 * HOUR}


def test_what_waits(store: Store, clock: Clock) -> None:
    """Open requests in order, with their votes; without drafts, decided ones and those whose time is over."""

    def numbers() -> list[int]:
        found: list[Request] = read(store, lambda session: history.undecided(session, clock.now))
        return [request.id for request in found]

    first, second = (pending(store, delivery=name, rule=RULE, needed=2) for name in ("d1", "d2"))
    assert numbers() == [first.id, second.id]
    with store.begin() as session:
        ledger.close(session, store.now(), store.vault, first, Decision.WITHDRAWN, TESS)
    assert numbers() == [second.id]
    clock.advance(hours=8)
    assert numbers() == []
