"""A real store on SQLite or PostgreSQL, a clock that stands still, and requests brought into any state of theirs."""

import functools
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session

from bot.domain.plan import plan
from bot.domain.policy import Verdict
from bot.domain.quorum import Scale
from bot.domain.requests import Ask, Kind, Request, Shown
from bot.domain.rules import Rule, Seats
from bot.domain.schedule import Beginning
from bot.store import drafts, ledger, votes
from bot.store.engine import Store
from tests.postgres import Postgres
from tests.unit import block_samples

KEY = bytes(range(32))
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TESS, ANA, BEN, EVE = "U0TESS", "U0ANA", "U0BEN", "U0EVE"
PENDING_FOR = timedelta(hours=8)
SECRET = b"-----BEGIN PRIVATE KEY----- of a request"


class Clock:
    """Stands still until it is told to move. With ``crash_in`` set to n, the n-th look at it ends the process."""

    def __init__(self) -> None:
        self.now = NOW
        self.crash_in: int | None = None

    def __call__(self) -> datetime:
        if self.crash_in is not None:
            self.crash_in -= 1
            if self.crash_in < 0:
                raise Crash
        return self.now

    def advance(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


class Crash(BaseException):
    """The process ends here; nobody catches it."""


@functools.cache
def _migrated() -> bytes:
    """An empty database's file, migrated once for all tests."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{folder}/bot.db", KEY, Clock())
        store.migrate()
        store.close()
        return Path(folder, "bot.db").read_bytes()


def open_store(folder: Path, now: Callable[[], datetime] | None = None, key: bytes = KEY) -> Store:
    """The store of that folder; a new one if it has none."""
    if _servers:
        return Store(_url(folder), key, now or Clock())
    file = folder / "bot.db"
    if not file.exists():
        file.write_bytes(_migrated())
    return Store(f"sqlite:///{file}", key, now or Clock())


#: The server on which `open_store` makes a database for each folder, in place of a file in it.
_servers: list[Postgres] = []
_urls: dict[Path, str] = {}


@contextmanager
def on_server(server: Postgres) -> Iterator[None]:
    """Stores are opened there for so long."""
    _servers.append(server)
    try:
        yield
    finally:
        _servers.pop()
        while _urls:
            server.drop(server.name_of(_urls.popitem()[1]))


def _url(folder: Path) -> str:
    if folder not in _urls:
        _urls[folder] = _servers[-1].url(_servers[-1].create())
        with closing(Store(_urls[folder], KEY, Clock())) as store, store.begin() as session:
            store.vault.check(session)  # as if it had been migrated with that key
    return _urls[folder]


def copy_of(folder: Path, into: Path) -> bytes:
    """Everything that lies in the database's files, as one piece."""
    shutil.copytree(folder, into)
    return b"".join(path.read_bytes() for path in sorted(into.iterdir()))


def ask(pbx: str = "hq", reason: str = "New corporate root") -> Ask:
    return block_samples.ask(Kind.TRUSTED, pbx=pbx, reason=reason)


def new_draft(
    store: Store, requester: str = TESS, *, needed: int = 1, delivery: str = "d1", asked: Ask | None = None
) -> Request:
    with store.begin() as session:
        return drafts.draft(session, store.now(), requester=requester, ask=asked or ask(), channel="C1", asked_in="C2",
                            view_id="V1", delivery=delivery, approvals_needed=needed)  # fmt: skip


def judge(store: Store, draft: Request, secret: bytes = SECRET, rule: Rule | None = None) -> Request:
    """The check found nothing wrong, and this rule."""
    evidence = block_samples.evidence(draft.ask.kind)
    with store.begin() as session:
        store.vault.put(session, draft.id, "bundle", secret)
        steps = plan(draft.ask, evidence.name)
        return drafts.judged_good(session, store.now(), store.vault, draft, draft.ask, evidence.to_json(), steps, rule)


def confirm(store: Store, request: Request) -> Request:
    with store.begin() as session:
        return ledger.confirm(session, store.now(), Shown.of(request), request.requester, PENDING_FOR)


def pending(store: Store, requester: str = TESS, rule: Rule | None = None, **how: Any) -> Request:
    return confirm(store, judge(store, new_draft(store, requester, **how), rule=rule))


def record(store: Store, request: Request, user: str, verdict: str = "approve", **how: Any) -> votes.Click:
    """A click as Slack sends it; returns it as the decider sees it."""
    values: dict[str, Any] = {"delivery": f"{request.id}/{user}/{verdict}", **how}
    with store.begin() as session:
        votes.record(session, store.now(), store.vault, Shown.of(request), user, verdict, **values)
    with store.begin() as session:
        waiting = votes.waiting(session, store.vault)
    return next(click for click in waiting if click.user == user and click.shown.request == request.id)


class Everybody(frozenset[str]):
    """A group that everybody is in."""

    def __contains__(self, user: object) -> bool:
        return True


def scale(needed: int = 1) -> Scale:
    """A rule by which it takes so many people, whoever they are."""
    return Scale((Rule("hq", "pbx[0]", all=(Seats(("S0ALL",), needed),)),), {"S0ALL": Everybody()})


def count(store: Store, click: votes.Click, begins: Beginning | None = None, by: Scale | None = None) -> None:
    with store.begin() as session:
        request = ledger.load(session, click.shown.request)
        by = by or scale(request.approvals_needed if request else 1)
        votes.count(session, store.now(), store.vault, click, Verdict(True, "named", "Named.", "pbx[0]"), by, begins)


def approved(store: Store, user: str = ANA, **how: Any) -> Request:
    request = pending(store, **how)
    count(store, record(store, request, user))
    return load(store, request.id)


def load(store: Store, number: int) -> Request:
    with store.begin() as session:
        request = ledger.load(session, number)
    assert request is not None
    return request


def read(store: Store, look: Callable[[Session], Any]) -> Any:
    with store.begin() as session:
        return look(session)


def at_once(jobs: Iterable[Callable[[], object]]) -> list[object]:
    """Run all of them, each in a thread of its own, begun together; what each returned or raised."""
    work = list(jobs)
    start = threading.Barrier(len(work))

    def run(job: Callable[[], object]) -> object:
        start.wait(30)
        try:
            return job()
        except Exception as error:  # noqa: BLE001 - the test looks at what was raised
            return error

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(run, work))


class Statements:
    """Every statement that a store sends to its database, other than PRAGMAs."""

    def __init__(self, store: Store) -> None:
        self.sent: list[str] = []
        event.listen(store.engine, "before_cursor_execute", self._note)

    def _note(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("PRAGMA"):
            self.sent.append(statement)
