"""Reminders, the word to others, and what expires: each once, and only as long as nobody has decided."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.events import EventKind
from bot.domain.quorum import Scale
from bot.domain.requests import Decision, Request
from bot.domain.rules import Rule, Seats
from bot.exceptions import LeaseLost
from bot.store import agenda, audit, ledger, reminders
from bot.store.agenda import LEASE, Work
from bot.store.engine import Store
from tests.unit.deciding import Hands, Slack, config_of, context_of
from tests.unit.store_kit import ANA, BEN, EVE, TESS, Clock, count, open_store, pending, read, record

pytestmark = pytest.mark.usefixtures("any_database")

HEAD = "U0HEAD"
RULE = Rule(
    "hq", "policy[0]", all=(Seats((ANA, EVE)), Seats((BEN,))), silent=(EVE,), open_for=timedelta(hours=24),
    remind_after=timedelta(hours=1), escalate_after=timedelta(hours=5), escalate_to=(HEAD, TESS),
)  # fmt: skip
KINDS = (Work.REMIND, Work.ESCALATE, Work.EXPIRE)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    store = open_store(tmp_path, clock)
    yield store
    store.close()


@pytest.fixture
def hands(store: Store) -> Hands:
    return Hands(context_of(store, config_of(hq={"approvers": (ANA,)}), Slack(is_down=True)))


def told(store: Store, request: Request, kind: EventKind) -> list[dict[str, Any]]:
    events = read(store, lambda session: audit.events_of(session, request.id))
    return [dict(event.data) for event in events if event.kind is kind]


def live(store: Store, hands: Hands, clock: Clock, hours: float) -> None:
    """Work off what is due, minute after minute."""
    for _ in range(round(hours * 60)):
        clock.advance(minutes=1)
        hands.work(*KINDS)


def close(store: Store, request: Request) -> None:
    with store.begin() as session:
        ledger.close(session, store.now(), store.vault, request, Decision.WITHDRAWN, TESS)


def test_reminders_come_at_growing_distances(store: Store, hands: Hands, clock: Clock) -> None:
    """After one hour, then two later, then four, then eight; Slack is not asked; and none comes once it has expired."""
    request = pending(store, rule=RULE)
    for hours, number in ((0.9, 0), (0.2, 1), (2, 2), (4, 3), (8, 4), (48, 4)):
        live(store, hands, clock, hours)
        assert [each["number"] for each in told(store, request, EventKind.REMINDED)] == [*range(1, number + 1)]


def test_a_reminder_says_who_is_wanted(store: Store, hands: Hands, clock: Clock) -> None:
    """Whoever has voted, and everybody who is silent, is not among those who are mentioned; the seats left are told."""
    request = pending(store, rule=RULE)
    live(store, hands, clock, 1.1)
    count(store, record(store, request, ANA), by=Scale((RULE,), {}))
    live(store, hands, clock, 2)
    first, second = told(store, request, EventKind.REMINDED)
    assert first["wanted"] == [ANA, BEN]
    assert first["missing"] == [{"subjects": [ANA, EVE], "count": 1}, {"subjects": [BEN], "count": 1}]
    assert second == {"number": 2, "wanted": [BEN], "missing": [{"subjects": [BEN], "count": 1}], "one_of": []}


def test_a_reminder_is_narrated(store: Store, hands: Hands, clock: Clock) -> None:
    """The thread is brought up to date in the same transaction."""
    request = pending(store, rule=RULE)
    entry = hands.claim(Work.NARRATE)
    assert entry is not None
    with store.begin() as session:
        agenda.finish(session, entry)
    live(store, hands, clock, 1.1)
    assert read(store, lambda session: agenda.awaits(session, Work.NARRATE, request.id))


def test_a_bot_that_was_away_reminds_once(store: Store, hands: Hands, clock: Clock) -> None:
    """What came due while nobody worked is made up for by one reminder, and the pauses go on from there."""
    request = pending(store, rule=RULE)
    clock.advance(hours=10)
    hands.work(*KINDS)
    assert len(told(store, request, EventKind.REMINDED)) == 1
    live(store, hands, clock, 1.9)
    assert len(told(store, request, EventKind.REMINDED)) == 1
    live(store, hands, clock, 0.2)
    assert len(told(store, request, EventKind.REMINDED)) == 2


def test_a_bot_that_was_away_for_too_long_reminds_of_nothing(store: Store, hands: Hands, clock: Clock) -> None:
    """What has expired meanwhile is neither reminded of nor escalated, whichever of it is worked off first."""
    request = pending(store, rule=RULE)
    clock.advance(hours=24)
    hands.work(Work.REMIND, Work.ESCALATE)
    hands.work(*KINDS)
    events = read(store, lambda session: audit.events_of(session, request.id))
    assert [event.kind for event in events][-2:] == [EventKind.EXPIRED, EventKind.WIPED]
    assert not told(store, request, EventKind.REMINDED) + told(store, request, EventKind.ESCALATED)


def test_it_is_escalated_once(store: Store, hands: Hands, clock: Clock) -> None:
    """After its time, to those whom the rule names, without the requester."""
    request = pending(store, rule=RULE)
    live(store, hands, clock, 4.9)
    assert told(store, request, EventKind.ESCALATED) == []
    live(store, hands, clock, 18)
    (escalated,) = told(store, request, EventKind.ESCALATED)
    assert (escalated["to"], escalated["wanted"]) == ([HEAD], [ANA, BEN])


@pytest.mark.parametrize("kind", [Work.REMIND, Work.ESCALATE])
def test_what_is_decided_is_left_alone(store: Store, hands: Hands, clock: Clock, kind: Work) -> None:
    """An entry that somebody held when it was decided does nothing and is gone."""
    request = pending(store, rule=RULE)
    clock.advance(hours=6)
    entry = hands.claim(kind)
    assert entry is not None
    close(store, request)
    hands.visits[kind](entry)
    assert not told(store, request, EventKind.REMINDED) + told(store, request, EventKind.ESCALATED)
    assert hands.claim(kind) is None


def test_a_changed_request_is_reminded_of_anew(store: Store, hands: Hands, clock: Clock) -> None:
    """A new version begins with the first reminder and may be escalated again; an entry for the old one does nothing."""
    request = pending(store, rule=RULE)
    live(store, hands, clock, 5.1)
    entry = hands.claim(Work.REMIND)
    assert entry is None
    clock.advance(hours=2)
    entry = hands.claim(Work.REMIND)
    assert entry is not None
    with store.begin() as session:
        audit.append(session, store.now(), EventKind.EDITED, TESS, request.id, version=2)
        reminders.schedule(session, store.now(), request)
    hands.visits[Work.REMIND](entry)
    assert [each["number"] for each in told(store, request, EventKind.REMINDED)] == [1, 2]
    live(store, hands, clock, 5.1)
    assert [each["number"] for each in told(store, request, EventKind.REMINDED)] == [1, 2, 1, 2]
    assert len(told(store, request, EventKind.ESCALATED)) == 2


def test_a_late_hand_reminds_of_nothing(store: Store, hands: Hands, clock: Clock) -> None:
    """Of two replicas, one of which slept past its lease, one reminds."""
    request = pending(store, rule=RULE)
    clock.advance(hours=1)
    sleeper = hands.claim(Work.REMIND)
    assert sleeper is not None
    clock.advance(seconds=LEASE.total_seconds() + 1)
    assert hands.work(Work.REMIND) == 1
    with pytest.raises(LeaseLost):
        hands.visits[Work.REMIND](sleeper)
    assert [each["number"] for each in told(store, request, EventKind.REMINDED)] == [1]


def test_an_expiry_names_everybody_involved(store: Store, hands: Hands, clock: Clock) -> None:
    """What expires says who was still wanted, which seats were empty, and who had been told."""
    request = pending(store, rule=RULE)
    live(store, hands, clock, 24.1)
    (expired,) = told(store, request, EventKind.EXPIRED)
    assert expired == {
        "wanted": [ANA, BEN],
        "missing": [{"subjects": [ANA, EVE], "count": 1}, {"subjects": [BEN], "count": 1}],
        "one_of": [],
        "to": [HEAD],
    }
