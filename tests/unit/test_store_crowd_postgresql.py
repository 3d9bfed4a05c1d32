"""Many processes at one PostgreSQL database: no key twice in hand, no deadlock, nothing lost."""

import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from functools import partial
from multiprocessing import get_context
from random import Random

import pytest
from sqlalchemy import func, select

from bot.domain.events import EventKind
from bot.domain.plan import Step
from bot.domain.requests import Decision, Request, StepState
from bot.exceptions import LeaseLost, PbxAway, PbxUnreachable, Stale
from bot.store import agenda, audit, breakers, drafts, ledger, posts, steps, tokens, votes
from bot.store.agenda import Entry, Work
from bot.store.breakers import Breakers
from bot.store.engine import Store
from bot.store.tables import AgendaRow, VoteRow
from bot.store.tokens import TokenShelf
from tests.postgres import Postgres
from tests.unit import store_kit
from tests.unit.store_kit import ANA, BEN, EVE, KEY, NOW, Clock, at_once, read
from tests.unit.test_store_agenda_crowd import Watch

#: What a test gives the storm; the same seed asks for the same things, if not in the same order.
SEEDS = (1, 20)


@pytest.fixture
def url(postgres: Postgres) -> Iterator[str]:
    with postgres.database() as url:
        yield url


@contextmanager
def replicas(url: str, count: int, clock: Clock | None = None) -> Iterator[list[Store]]:
    """Stores as so many processes have them: each with connections and an owner of its own."""
    stores = [Store(url, KEY, clock or Clock()) for _ in range(count)]
    stores[0].migrate()
    try:
        yield stores
    finally:
        for store in stores:
            store.close()


def test_no_key_is_in_two_hands(url: str) -> None:
    """Four processes with two hands each share 400 entries of 30 keys: each once, each key in order, none two at a time."""
    watch = Watch()
    with replicas(url, 4) as stores:
        with stores[0].begin() as session:
            for number in range(1, 401):
                agenda.put(session, Work.FULFIL, f"pbx:{number % 30}", NOW, number)
        assert at_once([partial(_work, store, watch) for store in stores * 2]) == [None] * 8
    assert watch.overlaps == 0
    assert sum(len(numbers) for numbers in watch.done.values()) == 400
    assert all(numbers == sorted(set(numbers)) for numbers in watch.done.values())


def _work(store: Store, watch: Watch) -> None:
    while True:
        with store.begin() as session:
            entry = agenda.claim(session, store.owner, NOW, (Work.FULFIL,))
        if entry is not None:
            watch.enter(entry)
            read(store, lambda session: agenda.is_due(session, NOW, (Work.FULFIL,)))  # takes its time
            watch.leave(entry)
            with store.begin() as session:
                agenda.finish(session, entry)
        elif not read(store, lambda session: session.scalar(select(func.count()).select_from(AgendaRow))):
            return


def test_an_old_lease_is_taken_once(url: str) -> None:
    """Of eight processes that see a lease run out, one takes the entry, and the late result is refused."""
    clock = Clock()
    with replicas(url, 8, clock) as stores:
        with stores[0].begin() as session:
            agenda.put(session, Work.FULFIL, "pbx:hq", NOW, 1)
        late = _claim(stores[0])
        assert late is not None
        clock.advance(seconds=agenda.LEASE.total_seconds())
        taken = [one for one in at_once([partial(_claim, store) for store in stores]) if one is not None]
        assert len(taken) == 1
        with pytest.raises(LeaseLost), stores[0].begin() as session:
            agenda.finish(session, late)


def _claim(store: Store) -> Entry | None:
    with store.begin() as session:
        return agenda.claim(session, store.owner, store.now(), (Work.FULFIL,))


def test_one_vote_of_one_person_counts(url: str) -> None:
    """Of sixteen clicks of two people on a request that needs two approvals, one of each counts, and it is approved once."""
    with replicas(url, 4) as stores:
        request = store_kit.pending(stores[0], needed=2)
        clicks = [store_kit.record(stores[0], request, user, delivery=f"{user}{n}") for user in (ANA, BEN) for n in range(8)]
        clicks = read(stores[0], lambda session: votes.waiting(session, stores[0].vault))
        jobs = [partial(store_kit.count, stores[number % 4], click) for number, click in enumerate(clicks)]
        said = at_once(jobs)
        assert [type(each) for each in said if each is not None] == [Stale] * 14
        found = store_kit.load(stores[0], request.id)
        assert found.decision is Decision.APPROVED
        assert {vote.user for vote in found.votes} == {ANA, BEN}


def test_processes_that_start_together_migrate_once(postgres: Postgres) -> None:
    """Three processes that start on an empty database find its schema made, once, and one vault's check in it."""
    url = postgres.url(postgres.create(migrated=False))
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as processes:
        assert list(processes.map(_migrate, [url] * 3)) == [0] * 3
    postgres.drop(postgres.name_of(url))


def _migrate(url: str) -> int:
    """The length of the chain that is found."""
    with closing(Store(url, KEY, Clock())) as store:
        store.migrate()
        return read(store, audit.verify).length  # type: ignore[no-any-return]


class Storm:
    """Everything that the bot's transactions do, in any order and at once: also what the flow tests never let meet."""

    def __init__(self, stores: list[Store]) -> None:
        self.stores = stores
        self.requests: list[Request] = []
        self.unforeseen: list[BaseException] = []
        self._lock = threading.Lock()

    def hand(self, seed: int, rounds: int) -> None:
        random = Random(seed)
        store = self.stores[seed % len(self.stores)]
        deeds = (
            self.ask,
            self.revise,
            self.check,
            self.vote,
            self.withdraw,
            self.carry_out,
            self.tell,
            self.log_in,
            self.resume,
            self.fall_silent,
            self.answer,
            self.look_whether_away,
        )
        for number in range(rounds):
            with suppress(Stale, LeaseLost):
                random.choice(deeds)(store, random, f"{seed}.{number}")

    def some(self, random: Random) -> Request:
        with self._lock:
            return random.choice(self.requests[-12:])

    def ask(self, store: Store, random: Random, mark: str) -> None:
        draft = store_kit.new_draft(store, delivery=mark, needed=random.choice((1, 2)))
        with self._lock:
            self.requests.append(draft)

    def revise(self, store: Store, random: Random, mark: str) -> None:
        """As a submission does: the row, the event, and only then the secrets."""
        old = store_kit.load(store, self.some(random).id)
        with store.begin() as session:
            drafts.revise(session, NOW, old, ask=old.ask, view_id="V2", delivery=mark)
            store.vault.wipe(session, old.id)
            store.vault.put(session, old.id, "dns", b"typed")
            agenda.put(session, Work.CHECK, f"draft:{old.id}", NOW, old.id)

    def check(self, store: Store, random: Random, mark: str) -> None:
        """As the check does: the secrets first, then the row and the event."""
        store_kit.confirm(store, store_kit.judge(store, store_kit.load(store, self.some(random).id)))

    def vote(self, store: Store, random: Random, mark: str) -> None:
        request = store_kit.load(store, self.some(random).id)
        user, verdict = random.choice((ANA, BEN, EVE)), random.choice(("approve", "approve", "approve", "reject"))
        click = store_kit.record(store, request, user, verdict, delivery=mark)
        if random.random() < 0.2:
            with store.begin() as session:
                votes.refuse(session, NOW, click, "test", "No.", "none")
        else:
            store_kit.count(store, click)

    def withdraw(self, store: Store, random: Random, mark: str) -> None:
        request = store_kit.load(store, self.some(random).id)
        if random.random() < 0.3:
            with store.begin() as session:
                ledger.close(session, NOW, store.vault, request, Decision.WITHDRAWN, request.requester)

    def carry_out(self, store: Store, random: Random, mark: str) -> None:
        """As a visit to a PBX does: the entry's row first, then steps, events and the next entry."""
        with store.begin() as session:
            entry = agenda.claim(session, store.owner, NOW + timedelta(days=1), tuple(Work))
        if entry is None:
            return
        with store.begin() as session:
            agenda.hold(session, entry, NOW)
            if entry.request is not None and entry.kind is Work.FULFIL:
                steps.forget(session, entry.request, Step.UPLOAD)
                steps.intend(session, NOW, entry.request, Step.UPLOAD)
                steps.settle(session, NOW, entry.request, Step.UPLOAD, StepState.INTENDED)
                audit.append(session, NOW, EventKind.UPLOADED, "bot", entry.request, name=mark)
                ledger.narrate(session, NOW, entry.request)
            agenda.again(session, entry, NOW, fresh=True)

    def tell(self, store: Store, random: Random, mark: str) -> None:
        request = self.some(random)
        with store.begin() as session:
            posts.intend(session, NOW, request.id, mark, "C1")
        with store.begin() as session:
            posts.arrived(session, NOW, request.id, mark, "C1", mark)
            ledger.narrate(session, NOW, request.id)

    def log_in(self, store: Store, random: Random, mark: str) -> None:
        TokenShelf(store).stop("hq", "configuration", "refused")

    def resume(self, store: Store, random: Random, mark: str) -> None:
        """As Try again does: the token's row, then the event, then everything that waits."""
        with store.begin() as session:
            if tokens.resume(session, "hq"):
                audit.append(session, NOW, EventKind.LOGIN_RESUMED, ANA, None, pbx="hq")
            agenda.bring_forward(session, "pbx:hq", NOW)

    def fall_silent(self, store: Store, random: Random, mark: str) -> None:
        Breakers(store).silent("hq", PbxUnreachable(), lost_login=random.random() < 0.5)

    def answer(self, store: Store, random: Random, mark: str) -> None:
        """As a probe does that is answered."""
        breaker = Breakers(store)
        with suppress(PbxAway):
            breaker.probe("hq")
            breaker.answered("hq")

    def look_whether_away(self, store: Store, random: Random, mark: str) -> None:
        """The breaker's row is locked before anything is written."""
        with store.begin() as session:
            breakers.still_away(session, "hq")
            ledger.narrate(session, NOW, self.some(random).id)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_storm_without_a_deadlock(postgres: Postgres, url: str, seed: int) -> None:
    """Twelve hands of four processes do everything at once: PostgreSQL finds no deadlock, and the chain is unbroken."""
    before = len(postgres.log_text())
    with replicas(url, 4) as stores:
        storm = Storm(stores)
        for number in range(6):
            storm.ask(stores[0], Random(seed), f"first {seed}.{number}")
        jobs = [partial(storm.hand, seed * 100 + number, 25) for number in range(12)]
        assert at_once(jobs) == [None] * 12
        _nothing_is_amiss(stores[0])
    said = postgres.log_text()[before:]
    assert "deadlock detected" not in said
    assert "duplicate key" not in said


def _nothing_is_amiss(store: Store) -> None:
    with closing(store), store.begin() as session:
        assert audit.verify(session).length > 50
        twice = select(VoteRow.request).filter_by(state="counted").group_by(VoteRow.request, VoteRow.version, VoteRow.user)
        assert session.scalars(twice.having(func.count() > 1)).all() == []
        rows = session.execute(select(AgendaRow.key).where(AgendaRow.owner.is_not(None))).scalars().all()
        assert len(rows) == len(set(rows))
