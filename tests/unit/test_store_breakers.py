"""The circuit breakers: what opens and closes them, for how long, what goes with it, and that of several only one does it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from bot.domain.events import EventKind
from bot.exceptions import PbxAway, StoreError
from bot.store import agenda, audit, breakers
from bot.store.agenda import Work
from bot.store.breakers import FIRST, FLAPPING, LONGEST, THRESHOLD, Breakers
from bot.store.engine import Store
from bot.store.tables import AgendaRow
from tests.unit.breaker_kit import away, due, opened, silent, told
from tests.unit.store_kit import KEY, Clock, Statements, approved, open_store, read


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, database: str, clock: Clock) -> Iterator[Store]:
    if database.startswith("sqlite"):
        open_store(tmp_path, clock).close()
    store = Store(database, KEY, clock)
    yield store
    store.close()


@pytest.fixture
def other(store: Store, clock: Clock) -> Iterator[Store]:
    """Another process on the same database."""
    other = Store(store.url, KEY, clock)
    yield other
    other.close()


def test_it_opens_after_three_in_a_row(store: Store, clock: Clock) -> None:
    """Two silent calls change nothing for the third; after the third nothing leaves, and the error says since when."""
    breaker = Breakers(store)
    since = clock.now
    for _ in range(THRESHOLD):
        breaker.check("hq")
        silent(breaker)
        clock.advance(seconds=5)
    error = away(breaker)
    assert error.message == (
        f"hq has not answered since {since:%H:%M} UTC, so it was not asked again. "
        f"The bot tries again at {error.retry_at:%H:%M} UTC. [pbx_away]"
    )
    assert error.retry_at == clock.now - timedelta(seconds=5) + FIRST
    breaker.check("branch")


def test_an_answer_between_begins_anew(store: Store) -> None:
    """Silent calls that are not in a row do not add up."""
    breaker = Breakers(store)
    for _ in range(5):
        silent(breaker, times=THRESHOLD - 1)
        breaker.answered("hq")
    breaker.check("hq")
    assert told(store) == []


def test_what_goes_with_opening(store: Store, clock: Clock) -> None:
    """One transaction holds the event, the notice, which is due now, and the probe, which is due after the first pause."""
    opened(store)
    event = read(store, lambda session: audit.of_pbx(session, "hq", 1))[0]
    assert event.kind is EventKind.PBX_SILENT
    assert event.data == {"pbx": "hq", "since": clock.now.isoformat(), "waiting": 0, "sentence": "Nothing answers there."}
    assert due(store, "notice:hq") == [clock.now]
    assert due(store, "probe:hq") == [clock.now + FIRST]


def test_what_goes_with_closing(store: Store, clock: Clock) -> None:
    """The first answer says how long it took, and everything goes on as if nothing had been."""
    breaker = opened(store)
    clock.advance(minutes=12)
    breaker.probe("hq")
    breaker.answered("hq")
    breaker.check("hq")
    event = read(store, lambda session: audit.of_pbx(session, "hq", 1))[0]
    assert event.kind is EventKind.PBX_ANSWERS
    assert event.data == {"pbx": "hq", "seconds": 720, "waiting": 0}
    silent(breaker, times=THRESHOLD - 1)
    breaker.check("hq")


def test_what_waits_goes_on_in_the_order_of_approvals(store: Store, clock: Clock) -> None:
    """However late each of them was to be looked at next, the first approved comes first; other PBXs' work stays put."""
    requests = []
    for number in range(3):
        requests.append(approved(store, delivery=f"d{number}"))
        clock.advance(seconds=1)
    breaker = opened(store)
    with store.begin() as session:
        for place, request in enumerate(reversed(requests)):
            later = clock.now + timedelta(minutes=1 + place)
            session.execute(
                update(AgendaRow).where(AgendaRow.request == request.id, AgendaRow.key == "pbx:hq").values(due_at=later)
            )
        agenda.put(session, Work.FULFIL, "pbx:branch", clock.now + timedelta(hours=1), requests[0].id)
    breaker.answered("hq")
    taken = []
    for _ in requests:
        with store.begin() as session:
            entry = agenda.claim(session, "me", clock.now, [Work.FULFIL])
            assert entry is not None
            taken.append(entry.request)
            agenda.finish(session, entry)
    assert taken == [request.id for request in requests]
    assert due(store, "pbx:branch") == [clock.now + timedelta(hours=1)]


def test_the_count_of_what_waits(store: Store) -> None:
    """The event says how many approved requests wait for the PBX, and no others."""
    approved(store, delivery="d1")
    approved(store, delivery="d2")
    opened(store)
    opened(store, "branch")
    assert read(store, lambda session: audit.of_pbx(session, "hq", 1))[0].data["waiting"] == 2
    assert read(store, lambda session: audit.of_pbx(session, "branch", 1))[0].data["waiting"] == 0


def test_only_a_probe_passes(store: Store, clock: Clock) -> None:
    """Also when it is time for a probe, nobody else is let through; and before it is time, no probe."""
    breaker = opened(store)
    with pytest.raises(PbxAway):
        breaker.probe("hq")
    clock.advance(seconds=30)
    away(breaker)
    breaker.probe("hq")
    with pytest.raises(PbxAway):
        breaker.probe("hq")


def test_pauses_grow(store: Store, clock: Clock) -> None:
    """Probes without an answer come after 30 s, 1 min, 2, 4, 8 and then every 10 min."""
    breaker = opened(store)
    pauses = []
    for _ in range(8):
        pause = away(breaker).retry_at - clock.now
        pauses.append(pause.total_seconds())
        clock.now += pause
        breaker.probe("hq")
        silent(breaker)
    assert pauses == [30, 60, 120, 240, 480, 600, 600, 600]


def test_late_silence_does_not_lengthen_the_pause(store: Store, clock: Clock) -> None:
    """Calls that had left before the breaker opened come in one after the other; the first probe is due all the same."""
    breaker = opened(store)
    before = away(breaker).retry_at
    clock.advance(seconds=20)
    silent(breaker, times=10)
    assert away(breaker).retry_at == before
    assert told(store) == [EventKind.PBX_SILENT]


def test_lost_logins_are_few(store: Store, clock: Clock) -> None:
    """However eager everybody is, no half an hour has more than four logins whose answers are lost: five could block us."""
    breaker, logins = Breakers(store), []
    for second in range(0, 3 * 3600, 10):
        try:
            breaker.check("hq")
        except PbxAway:
            try:
                breaker.probe("hq")
            except PbxAway:
                clock.advance(seconds=10)
                continue
        logins.append(second)
        silent(breaker, lost_login=True)
        clock.advance(seconds=10)
    assert len(logins) > 10
    assert max(sum(0 <= each - first <= 1800 for each in logins) for first in logins) <= 4


def test_a_lost_login_among_other_silence_waits_longest(store: Store, clock: Clock) -> None:
    """A probe whose login is lost is not repeated before the longest pause, however young the outage is."""
    breaker = opened(store)
    clock.now = away(breaker).retry_at
    breaker.probe("hq")
    silent(breaker, lost_login=True)
    assert away(breaker).retry_at == clock.now + LONGEST


def test_flapping_is_told_less_often(store: Store, clock: Clock) -> None:
    """Silent again soon after it was back: the notice waits until ten minutes after that, so that it tells what lasts."""
    breaker = opened(store)
    breaker.answered("hq")
    back = clock.now
    clock.advance(minutes=1)
    with store.begin() as session:
        session.execute(update(AgendaRow).where(AgendaRow.key == "notice:hq").values(owner="told", lease_until=clock.now))
    silent(breaker, times=THRESHOLD)
    assert max(due(store, "notice:hq")) == back + FLAPPING


def test_a_restart_keeps_it(store: Store, other: Store, clock: Clock) -> None:
    """Another process leaves the PBX alone, too, and its first answer closes it for all."""
    breaker, replica = opened(store), Breakers(other)
    away(replica)
    clock.advance(seconds=30)
    replica.probe("hq")
    replica.answered("hq")
    breaker.check("hq")


def test_a_lost_entry_is_made_anew(store: Store, clock: Clock) -> None:
    """At the start a PBX that is left alone gets its probe, whatever became of the agenda; another one gets none."""
    opened(store)
    with store.begin() as session:
        for row in session.scalars(select(AgendaRow)):
            session.delete(row)
    for pbx in ("hq", "branch"):
        with store.begin() as session:
            breakers.adopt(session, pbx)
    assert due(store, "probe:hq") == [clock.now + FIRST]
    assert due(store, "probe:branch") == []


def test_all_well_costs_one_look(store: Store) -> None:
    """A PBX that answers costs one SELECT a call, and nothing is written."""
    breaker = opened(store, "branch")
    sent = Statements(store).sent
    breaker.check("hq")
    breaker.answered("hq")
    assert [statement.split()[0] for statement in sent if "breakers" in statement] == ["SELECT"]
    assert not any(statement.startswith(("INSERT", "UPDATE", "DELETE")) for statement in sent)


def test_a_database_that_fails_hides_no_answer(store: Store) -> None:
    """What cannot be noted does not become the caller's error; but without the database nothing leaves."""
    breaker = opened(store)
    store.close()
    silent(breaker)
    breaker.answered("hq")
    with pytest.raises(StoreError):
        breaker.check("hq")
    with pytest.raises(StoreError):
        breaker.probe("hq")
