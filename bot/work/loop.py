"""The agenda's loop: claim what is due, run it, settle it.

One thread claims for all crews, so that a commit wakes one reader and not a herd; the crews' hands do the work. A crew whose
hands are all busy is left out of the look, which keeps Slack's slowness away from decisions and the PBX away from the thread.

A database that is full or gone is logged by `bot.work.watch`, once; here its errors are not news.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.exceptions import BotError, LeaseLost, Stale, StoreClosed, StoreError, StoreUnavailable
from bot.store import agenda
from bot.store.agenda import Entry, Work
from bot.store.engine import Store
from bot.work.attendant import Attendant

#: The longest that nobody looks at the agenda; commits wake us, this is for what other processes left behind.
POLL = 5.0  # seconds
#: Seconds from a look that found nothing to the next. Each commit of a crowd's clicks wakes the reader, and without this its
#: looks take the processor away from the answers.
LULL = 0.02
#: After our own database failed, and after a piece of work failed in a way that nobody foresaw.
BREATHER = timedelta(seconds=5)
#: Seconds that the hands get to finish when the process ends, if nobody says otherwise.
PATIENCE = 8.0
#: Seconds that giving leases back may wait for another writer.
AT_THE_END = 1.0

Visit = Callable[[Entry], None]
log = structlog.get_logger(__name__)

#: Threads of a crew at most; they are made when they are needed.
_MOST_HANDS = 500


class Worker(Protocol):
    """What the loop starts, wakes and stops."""

    def start(self) -> None: ...

    def wake(self) -> None:
        """Something may be due."""

    def pause(self) -> None:
        """Begin nothing more."""

    def stop(self, until: float) -> bool:
        """Wait for what is in hand, at most until then by the monotonic clock; whether all of it has ended."""


class Crew:
    """Some hands that do work of some kinds.

    A visit settles its own entry (`agenda.finish` or `agenda.again`) in the transaction that holds its result. One that
    raises is put back; the error is logged by its class and code only.
    """

    def __init__(self, store: Store, name: str, visits: Mapping[Work, Visit], hands: int) -> None:
        self.name = name
        self.visits = visits
        #: Called whenever a hand is free again.
        self.freed: Callable[[], None] = lambda: None
        self._store = store
        self._hands = self._free = hands
        self._changed = threading.Condition()
        self._pool = ThreadPoolExecutor(_MOST_HANDS, thread_name_prefix=name)
        #: What could not be put back while the database was full or gone.
        self._stranded: deque[Entry] = deque()

    @property
    def is_free(self) -> bool:
        """Whether it has a hand for one entry more."""
        return self._free > 0

    def grow(self, hands: int) -> None:
        """Have at least so many hands from now on."""
        with self._changed:
            more = max(0, hands - self._hands)
            self._hands += more
            self._free += more

    def take(self, entry: Entry) -> None:
        """Visit it in a free hand. Only the thread that claims hands over, so that hand is still free."""
        with self._changed:
            self._free -= 1
        self._pool.submit(self._do, entry)

    def stop(self, until: float) -> bool:
        """Wait for what is in hand, at most until then by the monotonic clock; whether all of it has ended."""
        with self._changed:
            ended = self._changed.wait_for(lambda: self._free == self._hands, max(0.0, until - time.monotonic()))
        self._pool.shutdown(wait=ended)
        return ended

    def _do(self, entry: Entry) -> None:
        try:
            self.visits[entry.kind](entry)
        except LeaseLost:
            log.info("agenda.lease_lost", kind=entry.kind.value, request=entry.request)
        except Exception as error:  # noqa: BLE001 - whatever it is, the entry goes back and the crew goes on
            _complain(entry, error)
            self._put_back(entry)
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()
            self.freed()

    def _put_back(self, entry: Entry) -> None:
        try:
            self._put(entry)
        except LeaseLost:
            log.info("agenda.lease_lost", kind=entry.kind.value, request=entry.request)
        except StoreUnavailable:
            self._stranded.append(entry)
        except StoreError as error:  # its lease runs out, and then it is claimed again
            log.warning("agenda.not_put_back", kind=entry.kind.value, request=entry.request, code=error.code)

    def _put(self, entry: Entry) -> None:
        with self._store.begin() as session:
            agenda.again(session, entry, self._store.now() + BREATHER * min(entry.attempt, 12))

    def put_back_stranded(self) -> None:
        """Before anything else is claimed, so that nothing waits for its lease to run out once the database is back."""
        while self._stranded:
            with suppress(LeaseLost):  # it ran out meanwhile, and somebody took over
                self._put(self._stranded[0])
            self._stranded.popleft()


class Claims(Attendant):
    """The thread that claims for all crews."""

    def __init__(self, store: Store, crews: Collection[Crew], poll: float) -> None:
        super().__init__("claims", LULL)
        self._store = store
        self._crews = crews
        self._by_kind = {kind: crew for crew in crews for kind in crew.visits}
        self._poll = poll
        for crew in crews:
            crew.freed = self.wake

    def look(self) -> float:
        """Claim one entry; the seconds until there may be another."""
        try:
            for crew in self._crews:
                crew.put_back_stranded()
            return self._claim_one([kind for crew in self._crews if crew.is_free for kind in crew.visits])
        except Exception as error:  # noqa: BLE001 - whatever the database says, the thread outlives it
            if not isinstance(error, StoreUnavailable | StoreClosed):
                log.warning("agenda.unreadable", error=type(error).__name__, place=_place(error))
            return self._poll

    def _claim_one(self, kinds: Collection[Work]) -> float:
        """Hand one entry to a free hand and return 0, or return the seconds until there may be one."""
        if not kinds:  # whoever is free again wakes us
            return self._poll
        with self._store.begin() as session:
            now = self._store.now()
            entry = None
            if not self._stopping and agenda.is_due(session, now, kinds):
                entry = agenda.claim(session, self._store.owner, now, kinds)
                if self._stopping:  # while we waited for the lock; what this process held may be given back by now
                    raise StoreClosed
            due = None if entry else agenda.next_due(session, now, kinds)
        if entry is not None:
            self._by_kind[entry.kind].take(entry)
            return 0.0
        return self._poll if due is None else min(self._poll, (due - now).total_seconds())


def _complain(entry: Entry, error: Exception) -> None:
    """Class and code always; the traceback only for what is not ours, whose text may hold anything but whose place helps."""
    if isinstance(error, StoreUnavailable | StoreClosed):
        return
    if isinstance(error, BotError):
        level = log.info if isinstance(error, Stale) else log.warning
        level("work.put_back", kind=entry.kind.value, request=entry.request, error=type(error).__name__, code=error.code)
        return
    place = _place(error)
    log.error("work.failed", kind=entry.kind.value, request=entry.request, error=type(error).__name__, place=place)


def _place(error: Exception) -> str:
    """File and line of the innermost frame: no values, so nothing secret."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""


class Loop:
    """All crews of this process with the thread that claims for them, and whatever else is woken by what is committed."""

    def __init__(self, store: Store, crews: Collection[Crew], others: Collection[Worker] = (), poll: float = POLL) -> None:
        self._store = store
        self._crews = crews
        self._woken: tuple[Worker, ...] = (Claims(store, crews, poll), *others)
        store.committed = self.wake

    def start(self) -> None:
        for worker in self._woken:
            worker.start()

    def wake(self) -> None:
        for worker in self._woken:
            worker.wake()

    def pause(self) -> None:
        """Claim nothing more."""
        for worker in self._woken:
            worker.pause()

    def stop(self, seconds: float = PATIENCE) -> bool:
        """Finish what is in hand within so many seconds, and park the rest: the next process goes on with it at once.

        Returns whether all has ended. What has not is in a call that nobody waits for any more: its fence has moved on, so
        that it brings nothing in, and the next process looks what became of the call.
        """
        self.pause()
        until = time.monotonic() + seconds
        stops = [each.stop for each in self._woken] + [crew.stop for crew in self._crews]
        left = [stop for stop in stops if not stop(until)]
        try:
            with self._store.begin(AT_THE_END) as session:
                parked = agenda.give_back(session, self._store.owner)
        except StoreError as error:  # the leases run out by themselves
            log.warning("agenda.not_given_back", code=error.code)
            return not left
        for entry in parked:
            log.warning("work.parked", kind=entry.kind.value, request=entry.request, key=entry.key)
        return not left


def later(now: datetime, attempt: int, *, first: float = 2.0, longest: float = 60.0) -> datetime:
    """A pause that doubles with each attempt (counted from 1), in seconds, up to the longest."""
    return now + timedelta(seconds=min(longest, first * 2.0 ** min(attempt - 1, 16)))
