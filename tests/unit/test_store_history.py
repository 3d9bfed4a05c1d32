"""Lists of requests: complete, in order, a page at a time, and by an index."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, update

from bot.domain.requests import Decision, Execution, Outcome, Request
from bot.store import history, ledger
from bot.store.engine import Store
from bot.store.history import Find
from bot.store.tables import RequestRow
from tests.unit.store_kit import (
    ANA,
    BEN,
    TESS,
    Clock,
    ask,
    count,
    judge,
    load,
    new_draft,
    open_store,
    pending,
    record,
)

pytestmark = pytest.mark.usefixtures("any_database")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path, Clock())
    yield store
    store.close()


def asked(store: Store, requester: str = TESS, pbx: str = "hq", names: str = "") -> Request:
    """A request of its own, with these host names."""
    with store.begin() as session:
        number = len(history.everything(session, 0, 1000)) + 1
    made = pending(store, requester, delivery=f"d{number}/{requester}", asked=ask(pbx))
    if names:
        with store.begin() as session:
            session.execute(update(RequestRow).where(RequestRow.id == made.id).values(names=names))
    return made


def approve(store: Store, request: Request) -> Request:
    count(store, record(store, request, ANA))
    return load(store, request.id)


def end(store: Store, request: Request, how: Execution = Execution.FAILED) -> None:
    with store.begin() as session:
        ledger.execute(session, request, Execution.APPLYING)
    with store.begin() as session:
        at_work = ledger.load(session, request.id)
        assert at_work is not None
        ledger.end(session, store.now(), store.vault, at_work, how, Outcome(sentence="No."))


def withdraw(store: Store, request: Request) -> None:
    with store.begin() as session:
        ledger.close(session, store.now(), store.vault, request, Decision.WITHDRAWN, request.requester)


def numbers(store: Store, find: Find, after: int = 0, most: int = 100) -> list[int]:
    with store.begin() as session:
        return [request.id for request in find(session, after, most)]


def test_what_is_open_and_what_is_under_way(store: Store) -> None:
    """Open is what nobody decided yet; running is what is approved and has not ended; both in the order of their list."""
    first, second, done, begun = (asked(store) for _ in range(4))
    end(store, approve(store, done))
    approve(store, begun)
    assert numbers(store, history.pending) == [second.id, first.id]
    assert numbers(store, history.waiting) == [first.id, second.id]
    assert numbers(store, history.running) == [begun.id]
    withdraw(store, second)
    assert numbers(store, history.pending) == [first.id]


def test_everybody_has_what_they_asked_for(store: Store) -> None:
    """One's own are found by the requester, what has ended apart from what has not, and other people's are not among them."""
    mine, ended, other = asked(store), asked(store), asked(store, BEN)
    withdraw(store, ended)
    assert numbers(store, history.by(TESS)) == [ended.id, mine.id]
    assert numbers(store, history.by_and_open(TESS)) == [mine.id]
    assert numbers(store, history.by_and_ended(TESS)) == [ended.id]
    assert numbers(store, history.by(BEN)) == [other.id]
    assert numbers(store, history.everything) == [other.id, ended.id, mine.id]


def test_a_pbx_has_its_own_history(store: Store) -> None:
    """Only what was asked for on this PBX is in its history, and whether there is any is known without it."""
    here, _ = asked(store, pbx="hq"), asked(store, pbx="branch")
    assert numbers(store, history.on("hq")) == [here.id]
    with store.begin() as session:
        assert history.knows_pbx(session, "branch")
        assert not history.knows_pbx(session, "elsewhere")


def test_when_something_was_last_put_on_a_pbx(store: Store) -> None:
    """Only what is done counts, on this PBX."""
    done, failed = asked(store), asked(store)
    end(store, approve(store, failed))
    with store.begin() as session:
        assert history.last_done(session, "hq") is None
    end(store, approve(store, done), Execution.DONE)
    with store.begin() as session:
        assert history.last_done(session, "hq") == store.now()
        assert history.last_done(session, "branch") is None


def test_drafts_are_in_no_list(store: Store) -> None:
    """Neither a draft nor one that was discarded is shown to anybody: it was never asked for."""
    judge(store, new_draft(store, delivery="draft"))
    withdraw(store, new_draft(store, delivery="discarded"))
    assert numbers(store, history.everything) == []
    assert numbers(store, history.by(TESS)) == []
    assert numbers(store, history.by_and_open(TESS)) == []
    assert numbers(store, history.on("hq")) == []


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("pbx.example.com", {"exact"}),
        ("example.com", {"exact", "below", "wildcard"}),
        ("*.example.com", {"wildcard"}),
        ("le.com", set()),
        ("example.com.evil.org", set()),
        ("ex_mple.com", set()),
        ("%", set()),
    ],
)
def test_a_name_is_found_whole_or_as_the_end_of_others(store: Store, wanted: str, found: set[str]) -> None:
    """A host name finds itself and what is below it, at the dots alone, and none of its characters is a wildcard of SQL."""
    made = {
        "exact": asked(store, names=" pbx.example.com "),
        "below": asked(store, names=" other.org sip.branch.example.com "),
        "wildcard": asked(store, names=" *.example.com "),
        "other": asked(store, names=" example.org xexample.com.org "),
    }
    named = {request.id: name for name, request in made.items()}
    assert {named[number] for number in numbers(store, history.of_name(wanted))} == found


def test_a_page_goes_on_where_the_last_one_ended(store: Store) -> None:
    """What is asked for or ends between two pages neither repeats nor hides anything of the second."""
    made = [asked(store).id for _ in range(5)]
    first = numbers(store, history.everything, most=2)
    asked(store)
    assert first == [made[4], made[3]]
    assert numbers(store, history.everything, after=first[-1], most=2) == [made[2], made[1]]
    assert numbers(store, history.waiting, after=made[3], most=2) == [made[4], made[4] + 1]


def test_requests_come_with_their_votes(store: Store) -> None:
    """A request in a list says the same as one that was loaded alone, votes included."""
    whole = approve(store, asked(store))
    with store.begin() as session:
        assert history.everything(session, 0, 10) == [whole]


LISTS: dict[str, tuple[Find, str]] = {
    "pending": (history.pending, "ix_requests_live (decision=?"),
    "waiting": (history.waiting, "ix_requests_live (decision=?"),
    "running": (history.running, "ix_requests_live (decision=?"),
    "by": (history.by(TESS), "ix_requests_requester (requester=?"),
    "by_and_open": (history.by_and_open(TESS), "ix_requests_requester (requester=?"),
    "by_and_ended": (history.by_and_ended(TESS), "ix_requests_requester (requester=?"),
    "on": (history.on("hq"), "ix_requests_pbx (pbx=?"),
}


def plans(store: Store, find: Find, after: int) -> list[str]:
    """How SQLite means to find the requests: the steps of its plan (sqlite.org/eqp.html)."""
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, given: Sequence[Any], *_: Any) -> None:
        sent.append((statement, given))

    event.listen(store.engine, "before_cursor_execute", note)
    with store.begin() as session:
        find(session, after, 10)
        statement, given = next(one for one in sent if "FROM requests" in one[0])
        return [row[3] for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)]


@pytest.mark.sqlite_only("its plans")
@pytest.mark.parametrize("after", [0, 40], ids=["first page", "later page"])
@pytest.mark.parametrize("name", LISTS)
def test_lists_are_found_by_an_index(store: Store, name: str, after: int) -> None:
    """No list reads all requests, and none is sorted: the index has them in the order of the list."""
    find, index = LISTS[name]
    (step,) = plans(store, find, after)
    assert step.startswith(f"SEARCH requests USING INDEX {index}"), step


@pytest.mark.sqlite_only("its plans")
@pytest.mark.parametrize("after", [0, 40], ids=["first page", "later page"])
def test_names_are_looked_through_newest_first(store: Store, after: int) -> None:
    """A name may stand anywhere, so rows are looked at one after the other; but from the newest, and only until the page is
    full, for nothing has to be sorted."""
    for find in (history.of_name("example.com"), history.everything):
        (step,) = plans(store, find, after)
        assert step in ("SCAN requests", "SEARCH requests USING INTEGER PRIMARY KEY (rowid<?)")
