"""A request is replaced by what was confirmed of a draft: all of it or nothing, and by one of those who try at once."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import event, select

from bot.domain.events import BOT, EventKind
from bot.domain.requests import Decision, Request, Shown
from bot.exceptions import Stale
from bot.store import agenda, audit, edits, ledger
from bot.store.agenda import Work
from bot.store.engine import Store
from bot.store.tables import AgendaRow, SecretRow, VersionRow, VoteRow
from tests.unit import block_samples
from tests.unit.edit_kit import NEW_SECRET, change, confirm_change
from tests.unit.store_kit import (
    ANA,
    BEN,
    EVE,
    SECRET,
    TESS,
    Clock,
    Crash,
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
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    store = open_store(tmp_path, clock)
    yield store
    store.close()


def events(store: Store, number: int) -> list[EventKind]:
    return [one.kind for one in read(store, lambda session: audit.events_of(session, number))]


def secrets(store: Store, number: int) -> set[str]:
    return set(read(store, lambda session: store.vault.names(session, number)))


def due(store: Store, number: int) -> list[tuple[str, object]]:
    rows = select(AgendaRow).filter_by(request=number).order_by(AgendaRow.kind)
    return [(row.kind, row.due_at) for row in read(store, lambda session: session.scalars(rows).all())]


def close(store: Store, request: Request, new: Decision = Decision.WITHDRAWN) -> None:
    with store.begin() as session:
        ledger.close(session, store.now(), store.vault, request, new, TESS)


def everything(store: Store) -> list[object]:
    """All that a change could touch, in an order of its own."""
    tables = ("requests", "versions", "votes", "secrets", "agenda", "events", "chain")
    with store.engine.connect() as line:
        return [line.exec_driver_sql(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in tables]  # noqa: S608


def test_the_next_version(store: Store, clock: Clock) -> None:
    """The same request asks for something else: content, secrets, rule and deadline are the new ones, and no vote counts."""
    old = pending(store, needed=2)
    count(store, record(store, old, ANA))
    rule = block_samples.rule("U0LEAD", "S0LEADS", open_for=timedelta(hours=2))
    draft = change(store, load(store, old.id), rule=rule)
    clock.advance(minutes=5)
    new = confirm_change(store, draft)
    assert (new.id, new.version, new.decision, new.created_at) == (old.id, old.version + 1, Decision.PENDING, old.created_at)
    assert (new.ask.reason, new.rule, new.approvals_needed, new.votes) == ("Better said", rule, 1, ())
    assert new.expires_at == clock.now + timedelta(hours=2)
    assert read(store, lambda session: store.vault.take(session, old.id, "bundle")) == NEW_SECRET
    assert secrets(store, old.id) == {"bundle", "file:F1"}
    assert new.digest == read(store, lambda session: ledger.digest_of(session, store.vault, new))
    assert new.digest not in (old.digest, draft.digest)
    assert due(store, old.id) == [("expire", new.expires_at), ("narrate", store.now() - timedelta(minutes=5))]
    assert events(store, old.id)[-1] is EventKind.EDITED


def test_what_it_was_is_kept(store: Store) -> None:
    """The version before lies in its own row, and what has changed since can be told from it."""
    old = pending(store)
    new = confirm_change(store, change(store, old, secret=SECRET))
    (row,) = read(store, lambda session: session.scalars(select(VersionRow)).all())
    assert (row.request, row.version, row.digest, row.ask) == (old.id, old.version, old.digest, old.ask.to_json())
    said = read(store, lambda session: edits.changes_since(session, new, old.version))
    assert said == ("The reason is “Better said” now; it was “New corporate root”.",)
    assert read(store, lambda session: edits.changes_since(session, new, new.version)) == ()
    assert read(store, lambda session: edits.changes_since(session, new, 99)) == ()


def test_secrets_that_changed_are_remembered(store: Store) -> None:
    """That only a secret is another is told to whoever was shown any version before, over several changes."""
    old = pending(store)
    second = confirm_change(store, change(store, old, old.ask.reason, "e1"))
    third = confirm_change(store, change(store, second, "Better said", "e2"))
    said = read(store, lambda session: edits.changes_since(session, third, old.version))
    assert "The files hold something else, although the certificate is the same." in said
    said = read(store, lambda session: edits.changes_since(session, third, second.version))
    assert said == ("The reason is “Better said” now; it was “New corporate root”.",)


def test_the_event_tells_it_all(store: Store) -> None:
    """Version, digest, sentences and who had voted stand in the chain, and nothing of a secret."""
    old = pending(store, needed=2)
    count(store, record(store, old, ANA))
    draft = change(store, load(store, old.id))
    new = confirm_change(store, draft)
    data = read(store, lambda session: audit.events_of(session, old.id))[-1].data
    assert (data["version"], data["digest"], data["voted"], data["draft"]) == (new.version, new.digest, [ANA], draft.id)
    assert data["secrets"] == ["bundle"]
    assert data["changes"][0].startswith("The reason is “Better said” now")
    assert read(store, audit.verify).length


def test_the_draft_ends_without_a_word(store: Store) -> None:
    """It holds no secret, is on nobody's agenda, bears its request's number, and nothing is told of it."""
    old = pending(store)
    draft = change(store, old)
    confirm_change(store, draft)
    ended = load(store, draft.id)
    assert (ended.decision, ended.has_ended, ended.is_private, ended.number) == (Decision.WITHDRAWN, True, True, old.id)
    assert (secrets(store, draft.id), due(store, draft.id)) == (set(), [])
    assert events(store, draft.id) == [EventKind.DRAFTED, EventKind.CHECKED]
    assert not ended.can_be_asked_anew


def test_confirming_twice_is_confirming_once(store: Store) -> None:
    """The same confirmation finds what the first one made, and adds nothing."""
    draft = change(store, pending(store))
    new = confirm_change(store, draft)
    before = everything(store)
    assert confirm_change(store, draft) == new
    assert everything(store) == before


def test_a_new_version_can_be_decided_and_changed_again(store: Store) -> None:
    """Votes count for the version that they were cast on; whoever voted before may vote again."""
    old = pending(store, needed=2)
    count(store, record(store, old, ANA))
    second = confirm_change(store, change(store, load(store, old.id)))
    third = confirm_change(store, change(store, second, "Best said", "e2"))
    count(store, record(store, third, ANA, delivery="again"))
    count(store, record(store, third, BEN))
    found = load(store, old.id)
    assert (found.decision, [vote.user for vote in found.votes]) == (Decision.APPROVED, [ANA, BEN])
    assert read(store, lambda session: session.scalars(select(VersionRow.version)).all()) == [1, 2]


def test_an_old_button_does_not_count(store: Store) -> None:
    """A click with the version or the digest of before is Stale, and the count of approvals stays."""
    old = pending(store)
    confirm_change(store, change(store, old))
    with pytest.raises(Stale):
        count(store, record(store, old, ANA))
    assert load(store, old.id).is_open


def test_what_it_was_made_from_goes_with_the_approval(store: Store) -> None:
    """Files stay sealed as long as it can be changed; once it is approved, only what goes to the PBX is left."""
    new = confirm_change(store, change(store, pending(store)))
    assert secrets(store, new.id) == {"bundle", "file:F1"}
    count(store, record(store, new, ANA))
    assert load(store, new.id).decision is Decision.APPROVED
    assert secrets(store, new.id) == {"bundle"}


def _as_another(store: Store, draft: Request) -> None:
    confirm_change(store, draft, EVE)


def _of_another_version(store: Store, draft: Request) -> None:
    with store.begin() as session:
        shown = Shown(draft.id, draft.version + 1, draft.digest)
        edits.replace(session, store.now(), store.vault, shown, draft.requester, timedelta(hours=1))


def _of_another_digest(store: Store, draft: Request) -> None:
    with store.begin() as session:
        shown = Shown(draft.id, draft.version, "f" * 64)
        edits.replace(session, store.now(), store.vault, shown, draft.requester, timedelta(hours=1))


def _as_a_request_of_its_own(store: Store, draft: Request) -> None:
    confirm(store, draft)


@pytest.mark.parametrize("lie", [_as_another, _of_another_version, _of_another_digest, _as_a_request_of_its_own])
def test_only_what_was_shown_to_its_requester(store: Store, lie: Callable[[Store, Request], None]) -> None:
    """Whatever else is confirmed changes nothing, and no draft of a change becomes a request beside it."""
    draft = change(store, pending(store))
    before = everything(store)
    with pytest.raises(Stale):
        lie(store, draft)
    assert everything(store) == before


def test_nobody_changes_the_request_of_another(store: Store) -> None:
    """A draft of somebody else's that names the request does not reach it."""
    draft = change(store, pending(store), requester=EVE)
    with pytest.raises(Stale):
        confirm_change(store, draft)


def test_an_ordinary_draft_replaces_nothing(store: Store) -> None:
    """What changes no request is asked for as ever."""
    draft = judge(store, new_draft(store))
    with pytest.raises(Stale):
        confirm_change(store, draft)
    assert confirm(store, draft).is_open


def test_not_after_the_time_is_up(store: Store, clock: Clock) -> None:
    """A request that has expired, although nobody has closed it yet, does not live on by being changed."""
    old = pending(store)
    clock.advance(hours=7, minutes=59)
    draft = change(store, old)
    clock.advance(minutes=2)
    with pytest.raises(Stale):
        confirm_change(store, draft)


def _vote(store: Store, request: Request) -> Callable[[], object]:
    click = record(store, request, ANA)
    return lambda: count(store, click)


def _withdraw(store: Store, request: Request) -> Callable[[], object]:
    return lambda: close(store, request)


def _expire(store: Store, request: Request) -> Callable[[], object]:
    return lambda: close(store, request, Decision.EXPIRED)


def _edit_again(store: Store, request: Request) -> Callable[[], object]:
    other = change(store, request, "In another window", "e2")
    return lambda: confirm_change(store, other)


RIVALS = (_vote, _withdraw, _expire, _edit_again)


@pytest.mark.parametrize("first", ["rival", "change"])
@pytest.mark.parametrize("rival", RIVALS)
def test_who_comes_second_finds_it_gone(
    store: Store, rival: Callable[[Store, Request], Callable[[], object]], first: str
) -> None:
    """Of a change and whatever else may happen to a request, the second is Stale and leaves no trace."""
    request = pending(store)
    draft = change(store, request)
    jobs: list[Callable[[], object]] = [rival(store, request), lambda: confirm_change(store, draft)]
    one, other = jobs if first == "rival" else reversed(jobs)
    one()
    before = everything(store)
    with pytest.raises(Stale):
        other()
    assert everything(store) == before


@pytest.mark.parametrize("rival", RIVALS)
def test_of_two_at_once_one_wins(store: Store, rival: Callable[[Store, Request], Callable[[], object]]) -> None:
    """In the same moment exactly one of them happens, and what is left is one of the two."""
    request = pending(store)
    draft = change(store, request)
    said = at_once([rival(store, request), lambda: confirm_change(store, draft)])
    assert [isinstance(each, Stale) for each in said].count(True) == 1, said
    found, was_changed = load(store, request.id), not isinstance(said[1], Stale)
    assert (found.ask.reason == "Better said") == was_changed
    assert events(store, request.id).count(EventKind.EDITED) == int(was_changed or rival is _edit_again)
    assert load(store, draft.id).has_ended == was_changed
    assert read(store, audit.verify).length


def test_many_at_once_confirm_one(store: Store) -> None:
    """Eight deliveries of one confirmation at once make one version."""
    draft = change(store, pending(store))
    said = at_once([partial(confirm_change, store, draft)] * 8)
    assert all(isinstance(each, Request | Stale) for each in said)
    assert load(store, draft.edits or 0).version == 2
    assert events(store, draft.edits or 0).count(EventKind.EDITED) == 1


def test_an_expiry_that_was_claimed_before_the_change(store: Store, clock: Clock) -> None:
    """The deadline that was in a worker's hand is not the one of the next version."""
    request = pending(store)
    draft = change(store, request)
    clock.advance(hours=7)
    with store.begin() as session:
        entry = agenda.claim(session, "w", clock.now + timedelta(hours=2), (Work.EXPIRE,))
    assert entry is not None
    new = confirm_change(store, draft)
    assert read(store, lambda session: agenda.awaits(session, Work.EXPIRE, new.id))
    assert ("expire", new.expires_at) in due(store, new.id)


def test_killed_anywhere_it_is_all_or_nothing(store: Store) -> None:
    """Killed before any statement of the change, nothing has changed; done again after that, everything has."""
    statement, was_killed = 0, True
    while was_killed:
        draft = change(store, pending(store, delivery=f"d{statement}"), delivery=f"e{statement}")
        before = everything(store)
        was_killed = _killed_before(store, statement, partial(confirm_change, store, draft))
        assert (everything(store) == before) == was_killed
        assert confirm_change(store, draft).version == 2
        statement += 1
    assert statement > 20
    assert read(store, audit.verify).length


def _killed_before(store: Store, statement: int, job: Callable[[], object]) -> bool:
    """Whether that statement was reached, and the process ended there."""
    left = [statement]

    def count_down(*_: object) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Crash

    event.listen(store.engine, "before_cursor_execute", count_down)
    try:
        job()
    except Crash:
        return True
    finally:
        event.remove(store.engine, "before_cursor_execute", count_down)
    return False


def test_an_old_version_may_be_voted_on_by_nobody_twice(store: Store) -> None:
    """Votes of before stay as they were: history, in which nothing is decided any more."""
    old = pending(store, needed=2)
    count(store, record(store, old, ANA))
    new = confirm_change(store, change(store, load(store, old.id)))
    rows = read(store, lambda session: session.scalars(select(VoteRow).filter_by(state="counted")).all())
    assert [(row.version, row.user) for row in rows] == [(old.version, ANA)]
    count(store, record(store, new, BEN))
    assert [vote.user for vote in load(store, old.id).votes] == [BEN]
    assert read(store, lambda session: session.scalars(select(SecretRow.request)).all())
    assert BOT not in [vote.user for vote in new.votes]
