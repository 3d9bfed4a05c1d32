"""Clicks: recorded once, counted only for what was shown, and one decision however many come at once."""

import dataclasses
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from bot.domain.events import EventKind
from bot.domain.policy import Verdict
from bot.domain.requests import Decision, Execution, Request, Shown
from bot.exceptions import Stale, VaultError
from bot.store import agenda, audit, ledger, votes
from bot.store.engine import Store
from bot.store.tables import AgendaRow, RequestRow, VoteRow
from tests.unit.store_kit import (
    ANA,
    BEN,
    EVE,
    KEY,
    TESS,
    Clock,
    at_once,
    count,
    judge,
    load,
    new_draft,
    open_store,
    pending,
    read,
    record,
    scale,
)

pytestmark = pytest.mark.usefixtures("any_database")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    store = open_store(tmp_path, clock)
    yield store
    store.close()


def entries(store: Store, kind: agenda.Work, number: int | None = None) -> int:
    return int(read(store, lambda session: session.scalar(
        select(func.count()).select_from(AgendaRow).filter_by(kind=kind.value, request=number)
    )))  # fmt: skip


def kinds(store: Store, number: int) -> list[EventKind]:
    return [event.kind for event in read(store, lambda session: audit.events_of(session, number))]


def test_recorded_once(store: Store) -> None:
    """The same delivery twice is one click, and one visit decides all that wait."""
    request = pending(store)
    record(store, request, ANA, delivery="same")
    record(store, request, ANA, delivery="same")
    record(store, request, BEN)
    waiting = read(store, lambda session: votes.waiting(session, store.vault))
    assert [click.user for click in waiting] == [ANA, BEN]
    assert entries(store, agenda.Work.DECIDE) == 1


def test_reply_is_sealed(store: Store, tmp_path: Path) -> None:
    """Where a clicker can be answered comes back from the vault, lies nowhere in clear, and is gone once it is decided."""
    url = "https://hooks.slack.com/actions/T1/2/secret-of-the-reply"
    request = pending(store)
    click = record(store, request, ANA, reply_to=url)
    assert click.reply_to == url
    assert all(b"secret-of-the-reply" not in path.read_bytes() for path in tmp_path.iterdir())
    count(store, click)
    assert read(store, lambda session: session.scalars(select(VoteRow.reply_to)).all()) == [None]


def test_reply_is_of_one_click(store: Store) -> None:
    """An address that was sealed for one click does not open in another's row."""
    request = pending(store)
    record(store, request, ANA, reply_to="https://hooks.slack.com/a")
    record(store, request, BEN, reply_to="https://hooks.slack.com/b")
    with store.begin() as session:
        other = session.scalars(select(VoteRow.reply_to).filter_by(user=ANA)).one()
        session.execute(update(VoteRow).where(VoteRow.user == BEN).values(reply_to=other))
    with store.begin() as session, pytest.raises(VaultError):
        votes.waiting(session, store.vault)


def test_quorum_approves(store: Store) -> None:
    """The last vote that is needed approves, queues, and puts the work on the agenda in the same transaction."""
    request = pending(store, needed=2)
    count(store, record(store, request, ANA))
    assert load(store, request.id).decision is Decision.PENDING
    assert entries(store, agenda.Work.FULFIL, request.id) == 0
    count(store, record(store, request, BEN))
    after = load(store, request.id)
    assert (after.decision, after.execution) == (Decision.APPROVED, Execution.QUEUED)
    assert [vote.user for vote in after.votes] == [ANA, BEN]
    assert entries(store, agenda.Work.FULFIL, request.id) == 1
    assert kinds(store, request.id)[-3:] == [EventKind.VOTED, EventKind.VOTED, EventKind.APPROVED]


def test_nothing_by_halves(store: Store, clock: Clock) -> None:
    """If the process ends before the last vote is committed, neither the vote nor the approval is there."""
    request = pending(store)
    click = record(store, request, ANA)
    with store.begin() as session:
        votes.count(session, clock.now, store.vault, click, verdict(), scale())
        session.rollback()
    after = load(store, request.id)
    assert (after.decision, after.votes) == (Decision.PENDING, ())
    count(store, click)
    assert load(store, request.id).decision is Decision.APPROVED


def verdict() -> Verdict:
    return Verdict(True, "named", "Named.", "pbx[0]")


def test_one_no_is_enough(store: Store) -> None:
    """A rejection ends the request, whatever was approved before, and its secrets go."""
    request = pending(store, needed=2)
    count(store, record(store, request, ANA))
    count(store, record(store, request, BEN, "reject", reason="Wrong CA"))
    after = load(store, request.id)
    assert (after.decision, after.execution, after.has_ended) == (Decision.REJECTED, None, True)
    assert read(store, lambda session: store.vault.names(session, request.id)) == []
    assert entries(store, agenda.Work.FULFIL, request.id) == 0


@pytest.mark.parametrize("voted", ["approve", "reject"])
def test_own_vote(store: Store, voted: str) -> None:
    """The requester's own vote does not count, even if whoever asks says that they are permitted."""
    request = pending(store)
    with pytest.raises(Stale):
        count(store, record(store, request, TESS, voted))
    assert load(store, request.id).decision is Decision.PENDING


def test_twice_is_once(store: Store) -> None:
    """One person's two clicks are one vote of the two that are needed."""
    request = pending(store, needed=2)
    count(store, record(store, request, ANA, delivery="first"))
    with pytest.raises(Stale):
        count(store, record(store, request, ANA, delivery="second"))
    assert len(load(store, request.id).votes) == 1


def test_same_click_twice(store: Store) -> None:
    """A click that was decided already is not decided again, whoever still holds it."""
    request = pending(store, needed=2)
    click = record(store, request, ANA)
    count(store, click)
    with pytest.raises(Stale):
        count(store, click)
    assert read(store, lambda session: session.scalars(select(RequestRow.approvals)).one()) == 1


@pytest.mark.parametrize("change", [{"version": 2}, {"digest": "0" * 64}, {"digest": ""}])
def test_only_what_was_shown(store: Store, change: dict[str, Any]) -> None:
    """A click on another version, or with another digest, does not count."""
    request = pending(store)
    click = record(store, request, ANA)
    with pytest.raises(Stale):
        count(store, dataclasses.replace(click, shown=dataclasses.replace(click.shown, **change)))


def test_draft_has_no_votes(store: Store) -> None:
    """Nobody can approve a draft, before its check or after."""
    draft = new_draft(store)
    for seen in (draft, judge(store, draft)):
        with pytest.raises(Stale):
            count(store, record(store, seen, ANA, delivery=f"v{seen.digest}"))


def test_late(store: Store, clock: Clock) -> None:
    """A click on a request whose time is up does not count, although nobody has closed it yet."""
    request = pending(store)
    click = record(store, request, ANA)
    clock.advance(hours=8)
    with pytest.raises(Stale):
        count(store, click)


@pytest.mark.parametrize(
    "behind_our_back",
    [
        {"ask": {"pbx": "branch", "kind": "trusted"}},
        {"requester": EVE},
        {"approvals_needed": 0},
        {"evidence": {"name": "another.crt"}},
        {"plan": []},
    ],
)
def test_changed_row(store: Store, behind_our_back: dict[str, object]) -> None:
    """Whatever of the shown is changed in the row itself, the digest tells, and no vote counts any more."""
    request = pending(store)
    click = record(store, request, ANA)
    with store.begin() as session:
        session.execute(update(RequestRow).values(**behind_our_back))
    with pytest.raises(Stale):
        count(store, click)
    assert load(store, request.id).decision is Decision.PENDING


def test_changed_secret(store: Store) -> None:
    """An approval is bound to the secrets, too: with another key in the vault it does not count."""
    request = pending(store)
    with store.begin() as session:
        store.vault.put(session, request.id, "bundle", b"another key")
    with pytest.raises(Stale):
        count(store, record(store, request, ANA))


def test_refused_is_told_once(store: Store) -> None:
    """That a click does not count is an event, once."""
    request = pending(store)
    click = record(store, request, EVE)
    for _ in range(2):
        with store.begin() as session:
            votes.refuse(session, store.now(), click, "not_named", "You may not.", "pbx[0]")
    assert kinds(store, request.id).count(EventKind.REFUSED) == 1


def _approvals(store: Store, request: Request) -> int:
    return kinds(store, request.id).count(EventKind.APPROVED)


@pytest.mark.parametrize("needed", [1, 2, 5])
def test_race(tmp_path: Path, needed: int) -> None:
    """However many approve at once, each in a transaction of their own, it is approved exactly once."""
    for turn in range(8):
        folder = tmp_path / str(turn)
        folder.mkdir()
        store = open_store(folder, key=KEY)
        request = pending(store, needed=needed)
        clicks = [record(store, request, f"U{number}") for number in range(8)]
        answers = at_once([partial(count, store, click) for click in clicks])
        assert [answer for answer in answers if not isinstance(answer, Stale | None)] == []
        assert answers.count(None) == needed
        after = load(store, request.id)
        assert (after.decision, len({vote.user for vote in after.votes}), _approvals(store, request)) == (
            Decision.APPROVED,
            needed,
            1,
        )
        assert entries(store, agenda.Work.FULFIL, request.id) == 1
        read(store, audit.verify)
        store.close()


def test_race_of_one_person(store: Store) -> None:
    """One person pressing on many devices at once has one vote."""
    request = pending(store, needed=2)
    clicks = [record(store, request, ANA, delivery=f"{number}") for number in range(6)]
    with store.begin() as session:
        clicks = votes.waiting(session, store.vault)
    answers = at_once([partial(count, store, click) for click in clicks])
    assert answers.count(None) == 1
    assert load(store, request.id).decision is Decision.PENDING


def withdraw(store: Store, request: Request) -> None:
    with store.begin() as session:
        ledger.close(session, store.now(), store.vault, request, Decision.WITHDRAWN, TESS)


def test_race_of_yes_no_and_withdrawal(tmp_path: Path) -> None:
    """Approve, reject and withdraw at once: one of them wins, and the others change nothing."""
    for turn in range(8):
        folder = tmp_path / str(turn)
        folder.mkdir()
        store = open_store(folder)
        request = pending(store)
        yes, no = record(store, request, ANA), record(store, request, BEN, "reject")
        answers = at_once([partial(count, store, yes), partial(count, store, no), partial(withdraw, store, request)])
        assert answers.count(None) == 1
        ends = {EventKind.APPROVED, EventKind.REJECTED, EventKind.WITHDRAWN} & {*kinds(store, request.id)}
        assert ends == {EventKind(load(store, request.id).decision.value)}
        store.close()


def test_shown_of_another(store: Store) -> None:
    """The digest of one request does not approve another one that asks for the same."""
    first, second = pending(store, delivery="d1"), pending(store, delivery="d2")
    assert first.digest != second.digest
    click = record(store, second, ANA)
    with pytest.raises(Stale):
        count(store, dataclasses.replace(click, shown=Shown(second.id, second.version, first.digest)))
