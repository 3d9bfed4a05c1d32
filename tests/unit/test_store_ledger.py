"""The ledger: each change of state is one conditional statement with its event, or nothing."""

import dataclasses
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from bot.domain.events import BOT, EventKind
from bot.domain.requests import Decision, Execution, Kind, Outcome, Request, Shown
from bot.exceptions import Stale
from bot.store import audit, drafts, ledger
from bot.store.engine import Store
from bot.store.tables import AgendaRow, RequestRow
from tests.unit import block_samples
from tests.unit.store_kit import (
    ANA,
    PENDING_FOR,
    TESS,
    Clock,
    approved,
    ask,
    at_once,
    confirm,
    count,
    judge,
    load,
    new_draft,
    open_store,
    pending,
    read,
    record,
)

pytestmark = pytest.mark.usefixtures("any_database")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path, Clock())
    yield store
    store.close()


def revise(store: Store, old: Request, delivery: str = "d2", **changes: object) -> Request:
    with store.begin() as session:
        return drafts.revise(session, store.now(), old, ask=ask(reason="Another reason"), view_id="V2", delivery=delivery,
                             **changes)  # fmt: skip


def close(store: Store, request: Request, new: Decision = Decision.WITHDRAWN) -> None:
    with store.begin() as session:
        ledger.close(session, store.now(), store.vault, request, new, TESS)


def kinds(store: Store, number: int) -> list[EventKind]:
    return [event.kind for event in read(store, lambda session: audit.events_of(session, number))]


def agenda_of(store: Store, number: int) -> set[str]:
    return set(read(store, lambda session: session.scalars(select(AgendaRow.kind).filter_by(request=number)).all()))


def test_a_draft_comes_back(store: Store) -> None:
    """What was asked for comes back as it was, and nothing about it is decided."""
    draft = load(store, new_draft(store, needed=2).id)
    assert (draft.ask, draft.requester, draft.version, draft.approvals_needed) == (ask(), TESS, 1, 2)
    assert (draft.decision, draft.execution, draft.digest, draft.votes) == (Decision.DRAFT, None, "", ())
    assert (draft.created_at, draft.has_ended) == (store.now(), False)
    assert agenda_of(store, draft.id) == {"wipe"}


def test_delivered(store: Store) -> None:
    """A submission that Slack delivers again is known by what Slack sent with it."""
    draft = new_draft(store, delivery="once")
    assert read(store, lambda session: drafts.delivered(session, "once")).id == draft.id
    assert read(store, lambda session: drafts.delivered(session, "never")) is None


def test_revised(store: Store) -> None:
    """A new version forgets what was found out about the one before."""
    judged = judge(store, new_draft(store))
    revised = revise(store, judged)
    assert (revised.version, revised.digest, revised.evidence, revised.plan) == (2, "", None, ())
    with pytest.raises(Stale):
        confirm(store, judged)
    with pytest.raises(Stale):
        confirm(store, dataclasses.replace(judged, version=2, digest=""))


def test_a_check_that_comes_late(store: Store) -> None:
    """What the check found about an older version is not accepted, be it good or bad."""
    old = new_draft(store)
    revise(store, old)
    with pytest.raises(Stale):
        judge(store, old)
    with store.begin() as session, pytest.raises(Stale):
        drafts.judged_bad(session, store.now(), old, [{"code": "expired"}])
    assert read(store, lambda session: store.vault.names(session, old.id)) == []


def test_bad_after_good(store: Store) -> None:
    """What was found bad cannot be confirmed, although it was found good before."""
    judged = judge(store, new_draft(store))
    with store.begin() as session:
        bad = drafts.judged_bad(session, store.now(), judged, [{"code": "expired"}])
    assert (bad.digest, bad.evidence) == ("", None)
    for seen in (judged, bad):
        with pytest.raises(Stale):
            confirm(store, seen)


def test_confirmed(store: Store) -> None:
    """The requester's confirmation opens the request for as long as it may wait."""
    request = pending(store)
    assert (request.decision, request.is_open, request.expires_at) == (Decision.PENDING, True, store.now() + PENDING_FOR)
    assert agenda_of(store, request.id) == {"expire", "narrate"}


def test_confirmed_twice(store: Store) -> None:
    """Confirming twice is confirming once, also when it was decided in between."""
    request = pending(store)
    count(store, record(store, request, ANA))
    assert confirm(store, request).decision is Decision.APPROVED
    assert kinds(store, request.id).count(EventKind.PENDING) == 1


@pytest.mark.parametrize("end", [Decision.WITHDRAWN, Decision.EXPIRED])
def test_confirmed_too_late(store: Store, end: Decision) -> None:
    """A draft that was discarded, or whose hour is over, is not asked for by confirming it, and nobody is told that it was."""
    judged = judge(store, new_draft(store))
    close(store, judged, end)
    with pytest.raises(Stale):
        confirm(store, judged)


@pytest.mark.parametrize(
    "forge",
    [
        lambda shown: dataclasses.replace(shown, digest="0" * 64),
        lambda shown: dataclasses.replace(shown, version=shown.version + 1),
        lambda shown: dataclasses.replace(shown, request=shown.request + 1),
    ],
)
def test_only_what_was_shown(store: Store, forge: Callable[[Shown], Shown]) -> None:
    """Only what was shown can be confirmed, and only by its requester."""
    judged = judge(store, new_draft(store))
    with store.begin() as session, pytest.raises(Stale):
        ledger.confirm(session, store.now(), forge(Shown.of(judged)), TESS, PENDING_FOR)
    with store.begin() as session, pytest.raises(Stale):
        ledger.confirm(session, store.now(), Shown.of(judged), ANA, PENDING_FOR)
    assert load(store, judged.id).decision is Decision.DRAFT


def test_unchecked_cannot_be_confirmed(store: Store) -> None:
    """A draft that nobody has checked has no digest, and the empty one does not open it."""
    with pytest.raises(Stale):
        confirm(store, new_draft(store))


def test_closed(store: Store) -> None:
    """What ends leaves no secret, and nothing on the agenda but the telling."""
    request = pending(store)
    close(store, request)
    after = load(store, request.id)
    assert (after.decision, after.has_ended, after.ended_at) == (Decision.WITHDRAWN, True, store.now())
    assert read(store, lambda session: store.vault.names(session, request.id)) == []
    assert agenda_of(store, request.id) == {"narrate"}
    assert kinds(store, request.id)[-2:] == [EventKind.WITHDRAWN, EventKind.WIPED]


def test_closed_once(store: Store) -> None:
    """What has ended, or is approved, cannot be closed."""
    request = pending(store)
    close(store, request)
    ends = (request, load(store, request.id), approved(store, delivery="d2"))
    for seen in ends:
        with pytest.raises(Stale):
            close(store, seen, Decision.EXPIRED)


def test_approval_needs_its_votes(store: Store) -> None:
    """The statement that approves looks at the votes itself."""
    request = pending(store)
    with store.begin() as session, pytest.raises(Stale):
        ledger.approve(session, store.now(), store.vault, request)
    assert load(store, request.id).decision is Decision.PENDING


@pytest.mark.parametrize("new", [Execution.DONE, Execution.FAILED])
def test_ended(store: Store, new: Execution) -> None:
    """However the execution ends, the request's secrets go, and a second end is refused."""
    request = approved(store)
    with store.begin() as session:
        ledger.execute(session, request, Execution.APPLYING)
    applying = load(store, request.id)
    with store.begin() as session:
        ledger.end(session, store.now(), store.vault, applying, new, Outcome(sentence="So it ended."), sentence="So it ended.")
    after = load(store, request.id)
    assert (after.execution, after.has_ended, after.outcome) == (new, True, Outcome(sentence="So it ended."))
    assert read(store, lambda session: store.vault.names(session, request.id)) == []
    for other in Execution:
        with store.begin() as session, pytest.raises(Stale):
            ledger.execute(session, applying, other)


def test_execution_only_when_approved(store: Store) -> None:
    """What is not approved is not executed, whatever the caller believes to know."""
    request = dataclasses.replace(pending(store), execution=Execution.QUEUED)
    with store.begin() as session, pytest.raises(Stale):
        ledger.execute(session, request, Execution.APPLYING)


def test_one_begins(store: Store) -> None:
    """Of several workers that begin at once, one does."""
    request = approved(store)

    def begin() -> None:
        with store.begin() as session:
            ledger.execute(session, request, Execution.APPLYING)

    answers = at_once([begin] * 6)
    assert answers.count(None) == 1
    assert all(isinstance(answer, Stale | None) for answer in answers)


def test_confirm_against_revise(tmp_path: Path) -> None:
    """Confirmed and changed at once: what is asked for is what was confirmed, or the change is still a draft."""
    for turn in range(10):
        folder = tmp_path / str(turn)
        folder.mkdir()
        store = open_store(folder, Clock())
        judged = judge(store, new_draft(store))
        answers = at_once([partial(confirm, store, judged), partial(revise, store, judged)])
        assert sum(isinstance(answer, Request) for answer in answers) == 1
        after = load(store, judged.id)
        assert (after.decision, after.version) in {(Decision.PENDING, 1), (Decision.DRAFT, 2)}
        assert bool(after.digest) == after.is_open
        store.close()


def test_open_for(store: Store) -> None:
    """Others that ask for the same PBX are found while they wait or are carried out, and no longer."""
    waiting, queued = pending(store, delivery="a"), approved(store, delivery="b")
    new_draft(store, delivery="c")
    pending(store, delivery="d", asked=ask(pbx="branch"))
    close(store, pending(store, delivery="e"))
    found = read(store, lambda session: ledger.open_for(session, "hq", waiting.id))
    assert [other.id for other in found] == [queued.id]
    assert read(store, ledger.unended) == 3


def test_numbers_are_not_used_again(store: Store) -> None:
    """A request's number names one request for ever, also if its row were deleted."""
    first = new_draft(store)
    with store.begin() as session:
        for table in (AgendaRow, RequestRow):
            session.query(table).delete()
    assert new_draft(store, delivery="d2").id > first.id


def test_wiped_is_told(store: Store) -> None:
    """That secrets went is an event with their names; where there were none, nothing is told."""
    draft = judge(store, new_draft(store))
    for _ in range(2):
        with store.begin() as session:
            ledger.wipe(session, store.now(), store.vault, draft.id)
    events = read(store, lambda session: audit.events_of(session, draft.id))
    assert [(event.actor, event.data) for event in events if event.kind is EventKind.WIPED] == [(BOT, {"names": ["bundle"]})]


def test_agenda_is_one_with_it(store: Store) -> None:
    """What is rolled back is not on the agenda either."""
    with store.begin() as session:
        ledger.narrate(session, store.now(), 7)
        session.rollback()
    assert read(store, lambda session: session.scalar(select(func.count()).select_from(AgendaRow))) == 0


def _with(store: Store, draft: Request, **evidence: Any) -> Request:
    """Checked, with this evidence."""
    with store.begin() as session:
        known = block_samples.evidence(draft.ask.kind, **evidence).to_json()
        return drafts.judged_good(session, store.now(), store.vault, draft, draft.ask, known, ())


def _searched(store: Store, number: int) -> tuple[str, str]:
    key_id, names = read(store, lambda session: session.execute(
        select(RequestRow.key_id, RequestRow.names).filter_by(id=number)
    ).one())  # fmt: skip
    return key_id, names


def test_found_by_key_and_name(store: Store) -> None:
    """A request that was checked is found by its key and its host names, and by neither once it is changed."""
    facts = block_samples.facts(sans=("PBX.example.com", "*.b.example.com", "email:x@example.com"), key_id="ab" * 32)
    checked = _with(store, new_draft(store), certificate=facts)
    assert _searched(store, checked.id) == ("ab" * 32, " pbx.example.com *.b.example.com ")
    revise(store, checked)
    assert _searched(store, checked.id) == ("", "")
    applied = new_draft(store, delivery="d3", asked=block_samples.ask(Kind.APPLY, domain="Pbx.Example.com"))
    assert _searched(store, _with(store, applied).id) == ("", " pbx.example.com ")
    rooted = _with(store, new_draft(store, delivery="d4"), certificate=block_samples.facts(sans=()))
    assert _searched(store, rooted.id) == ("", "")


def test_same_key(store: Store) -> None:
    """Of the requests with a key all that were asked for are found, whatever became of them; drafts are not."""
    facts = block_samples.facts(key_id="ab" * 32)
    first, second, draft = (_with(store, new_draft(store, delivery=f"k{n}"), certificate=facts) for n in range(3))
    confirm(store, first)
    asked = confirm(store, second)
    with store.begin() as session:
        ledger.close(session, store.now(), store.vault, asked, Decision.WITHDRAWN, TESS)
        ledger.close(session, store.now(), store.vault, draft, Decision.EXPIRED, BOT)

    def found(*other_than: int) -> list[int]:
        return [one.id for one in read(store, lambda session: ledger.with_key(session, "ab" * 32, other_than))]

    assert found(draft.id) == [first.id, second.id]
    assert found(first.id) == [second.id]
    assert read(store, lambda session: ledger.with_key(session, "cd" * 32, (draft.id,))) == []
