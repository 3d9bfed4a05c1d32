"""Personal data of ended requests is reduced to what the audit chain needs, and the chain still verifies."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import exc, select, text

from bot.domain.events import BOT, EventKind
from bot.domain.requests import Decision, Execution, Installed, Outcome
from bot.store import agenda, audit, ledger, posts, reducing
from bot.store.agenda import Work
from bot.store.engine import Store
from bot.store.posts import CARD, LINK_DIRECT
from bot.store.tables import AgendaRow, EventRow, VersionRow
from tests.flow.meddling import everything_in
from tests.unit.store_kit import (
    ANA,
    BEN,
    NOW,
    TESS,
    Clock,
    approved,
    ask,
    count,
    load,
    new_draft,
    open_store,
    pending,
    read,
    record,
)

pytestmark = pytest.mark.usefixtures("any_database")

LATER = timedelta(days=400)
INSTALLED = Installed(7, "corp-root-r1.crt", "trusted", "Corp Root", "2036-01-01")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path)
    yield store
    store.close()


def clock_of(store: Store) -> Clock:
    assert isinstance(store.now, Clock)
    return store.now


def finish(store: Store, number: int) -> None:
    with store.begin() as session:
        request = load(store, number)
        ledger.execute(session, request, Execution.APPLYING)
    with store.begin() as session:
        ledger.end(session, store.now(), store.vault, load(store, number), Execution.DONE, Outcome(INSTALLED), id=7)


def done(store: Store, **how: Any) -> int:
    request = approved(store, **how)
    finish(store, request.id)
    return request.id


def reduce(store: Store, number: int) -> None:
    with store.begin() as session:
        reducing.reduce_request(session, store.now(), number)


def due(store: Store, after: timedelta = LATER) -> int | None:
    return read(store, lambda session: reducing.next_request(session, NOW + after))  # type: ignore[no-any-return]


def test_nobody_is_left(store: Store) -> None:
    """Neither who asked, who voted nor what they wrote is anywhere in the database; which PBX, what and when is."""
    number = done(store, asked=ask(reason="Because of Mrs. Miller"))
    with store.begin() as session:
        posts.arrived(session, NOW, number, CARD, "C1", "1.1")
        posts.arrived(session, NOW, number, LINK_DIRECT, "D0TESS", "1.2")
        old = load(store, number)
        session.add(VersionRow(request=number, version=9, ask=old.ask.to_json(), evidence=dict(old.evidence or {}),
                               plan=list(old.plan), digest="d", rule=None, replaced_at=NOW))  # fmt: skip
    reduce(store, number)
    store.engine.dispose()
    everything = everything_in(store.engine.url.render_as_string(hide_password=False))
    for gone in (TESS, ANA, "Miller", "D0TESS", old.ask.files[0].name if old.ask.files else TESS, "BEGIN CERTIFICATE"):
        assert gone.encode() not in everything, gone
    left = load(store, number)
    assert (left.ask.pbx, left.ask.kind, left.decision, left.execution) == ("hq", old.ask.kind, old.decision, old.execution)
    assert left.outcome == Outcome(INSTALLED)
    assert (left.created_at, left.ended_at, left.reduced_at) == (old.created_at, old.ended_at, store.now())
    assert [post.purpose for post in read(store, lambda session: posts.of(session, number)).values()] == [CARD]


def test_the_chain_verifies(store: Store) -> None:
    """Each of its events is empty, and one event names them all."""
    number = done(store)
    before = read(store, audit.verify)
    reduce(store, number)
    after = read(store, audit.verify)
    assert after.length == before.length + 1
    assert read(store, lambda session: audit.verify(session, before.head)).at == before.length
    told = read(store, lambda session: audit.last_of(session, EventKind.REDUCED))
    assert told.data["events"] == [event.id for event in read(store, lambda session: audit.events_of(session, number))[:-1]]
    rows = read(store, lambda session: session.scalars(select(EventRow).where(EventRow.id.in_(told.data["events"]))).all())
    assert {(row.actor, row.data, row.salt, row.reduced_at) for row in rows} == {("", "{}", "", store.now())}


def test_twice_is_once(store: Store) -> None:
    """A request that is reduced is not reduced again."""
    number = done(store)
    reduce(store, number)
    length = read(store, audit.verify).length
    reduce(store, number)
    assert read(store, audit.verify).length == length
    assert due(store) is None


def test_several_voters_stay_apart(store: Store) -> None:
    """Who they were is gone, and how many there were is not."""
    request = pending(store, needed=2)
    for user in (ANA, BEN):
        count(store, record(store, request, user))
    finish(store, request.id)
    reduce(store, request.id)
    assert len({vote.user for vote in load(store, request.id).votes}) == 2


def test_what_is_due(store: Store) -> None:
    """What ended before the time, drafts too; nothing that goes on, and no emergency that nobody has confirmed."""
    open_one = pending(store, delivery="open")
    ended = done(store, delivery="ended")
    closed = new_draft(store, delivery="closed")
    emergency = done(store, delivery="emergency")
    with store.begin() as session:
        ledger.close(session, NOW, store.vault, closed, Decision.WITHDRAWN, TESS)
        agenda.put(session, Work.CONFIRM, f"request:{emergency}", NOW + LATER, emergency)
    assert due(store, timedelta()) is None
    found = []
    while (number := due(store)) is not None:
        found.append(number)
        reduce(store, number)
    assert found == [ended, closed.id]
    assert load(store, open_one.id).requester == load(store, emergency).requester == TESS


def test_an_open_one_is_never_reduced(store: Store) -> None:
    """Also if somebody says so."""
    request = pending(store)
    reduce(store, request.id)
    assert load(store, request.id).requester == TESS


def test_nothing_waits_for_it(store: Store) -> None:
    """What was still to be told of it is told no more."""
    number = done(store)
    assert read(store, lambda session: agenda.awaits(session, Work.NARRATE, number))
    reduce(store, number)
    assert read(store, lambda session: session.scalars(select(AgendaRow).filter_by(request=number)).all()) == []


def test_more_events_than_one_names(store: Store) -> None:
    """Many events are named by several."""
    number = done(store)
    with store.begin() as session:
        for _ in range(reducing.TOGETHER + 1):
            audit.append(session, NOW, EventKind.CALLED, BOT, number)
    reduce(store, number)
    kinds = [event.kind for event in read(store, lambda session: audit.events_of(session, number))]
    assert kinds.count(EventKind.REDUCED) == 2
    assert read(store, audit.verify)


def test_events_of_no_request(store: Store) -> None:
    """They are reduced by their age; what names nobody, and what the chain needs, stays."""
    clock = clock_of(store)
    with store.begin() as session:
        audit.append(session, NOW, EventKind.DIGEST, BOT, users=[ANA], requests=[1])
        audit.append(session, NOW, EventKind.PBX_SILENT, BOT, pbx="hq")
        audit.append(session, NOW, EventKind.WITNESSED, BOT, length=2, head="x", day="2026-03-01")
        audit.append(session, NOW + LATER, EventKind.DIGEST, BOT, users=[BEN], requests=[1])
        posts.arrived(session, NOW, posts.of_event(1), f"direct:{ANA}", "D1", "1.1")
    clock.advance(days=400)
    with store.begin() as session:
        assert reducing.reduce_loose(session, clock(), NOW + LATER)
        assert not reducing.reduce_loose(session, clock(), NOW + LATER)
    rows = read(store, lambda session: session.scalars(select(EventRow).order_by(EventRow.id)).all())
    assert [row.reduced_at is not None for row in rows] == [True, False, False, False, False]
    assert read(store, lambda session: posts.of(session, posts.of_event(1))) == {}
    assert [event.data["pbx"] for event in read(store, lambda session: audit.of_pbx(session, "hq", 5))] == ["hq"]
    assert read(store, audit.verify).length == 5


REDUCTION = "UPDATE events SET actor = '', data = '{}', salt = '', reduced_at = '2026-03-01 12:00:00.000000'"


@pytest.mark.parametrize(
    "change",
    [
        f"{REDUCTION}, kind = 'voted' WHERE id = 1",
        f"{REDUCTION}, request = 9 WHERE id = 1",
        f"{REDUCTION}, personal = '' WHERE id = 1",
        f"{REDUCTION}, id = 9 WHERE id = 1",
        "UPDATE events SET actor = '', data = '{}', salt = '' WHERE id = 1",
        "UPDATE events SET data = '{}', salt = '', reduced_at = '2026-03-01 12:00:00.000000' WHERE id = 1",
        f"{REDUCTION} WHERE kind = 'reduced'",
        "UPDATE events SET reduced_at = NULL WHERE id = 1",
        "DELETE FROM events WHERE id = 1",
    ],
)
def test_the_database_refuses_everything_else(store: Store, change: str) -> None:
    """A trigger lets an event be emptied, once and wholly; whatever is more or less than that is refused."""
    number = done(store)
    if "NULL" in change or "'reduced'" in change:
        reduce(store, number)
    with pytest.raises(exc.DBAPIError, match="append-only"), store.begin() as session:
        session.execute(text(change))
    assert read(store, audit.verify)
