"""Follow the order to read the configuration anew, and notice when replicas work by different ones.

Every process has to do this for itself, so it is no work of the agenda, which one of them would take: one thread looks at the
order whenever something was committed anywhere, and says every few seconds that its process is there.
"""

import threading
import time
from datetime import datetime

import structlog

from bot.exceptions import BotError, StoreClosed, StoreError, StoreUnavailable
from bot.store import replicas
from bot.store.engine import Store
from bot.store.replicas import BEAT, Order
from bot.work.reload import Reloader

log = structlog.get_logger(__name__)

#: Seconds between two looks at least, however much is committed.
LULL = 0.2
#: Seconds that saying goodbye may wait for another writer.
AT_THE_END = 0.5


class Follower:
    """A `bot.work.loop.Worker`."""

    def __init__(self, store: Store, reloader: Reloader, poll: float) -> None:
        self._store = store
        self._reloader = reloader
        self._poll = poll
        self._news = threading.Condition()
        self._heard = 0
        self._asked = 0
        self._stopping = False
        self._beaten: datetime | None = None
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def reload(self) -> None:
        """Read the configuration anew, in this process; from any thread, and soon."""
        with self._news:
            self._asked += 1
        self.wake()

    def wake(self) -> None:
        with self._news:
            self._heard += 1
            self._news.notify_all()

    def pause(self) -> None:
        self._stopping = True
        self.wake()

    def stop(self, until: float) -> bool:
        """Ends, and says that this process is not there any more."""
        self.pause()
        if self._thread.is_alive():
            self._thread.join(max(0.0, until - time.monotonic()))
        try:
            with self._store.begin(AT_THE_END) as session:
                replicas.leave(session, self._store.owner)
        except StoreError as error:  # nobody believes it for long
            log.info("replica.not_left", code=error.code)
        return not self._thread.is_alive()

    def _run(self) -> None:
        done = 0
        while not self._stopping:
            heard, asked = self._heard, self._asked
            try:
                self._turn(by_hand=asked != done)
                done = asked
            except Exception as error:  # noqa: BLE001 - whatever the database says, the follower outlives it
                _complain(error)
            self._wait(heard)

    def _wait(self, heard: int) -> None:
        rest = time.monotonic() + LULL
        with self._news:
            self._news.wait_for(lambda: self._heard != heard or self._stopping, self._poll)
            self._news.wait_for(lambda: self._stopping, max(0.0, rest - time.monotonic()))

    def _turn(self, *, by_hand: bool) -> None:
        order = self._look()
        if by_hand:
            self._reloader.reload()
        if order.number > self._reloader.followed:
            self._reloader.follow(order)

    def _look(self) -> Order:
        now = self._store.now()
        due = self._beaten is None or abs(now - self._beaten) >= BEAT
        with self._store.begin() as session:
            order = replicas.ordered(session)
            if due:
                replicas.beat(session, now, self._store.owner, self._reloader.hash(), self._reloader.followed)
                replicas.compare(session, now)
        if due:
            self._beaten = now
        return order


def _complain(error: Exception) -> None:
    """A database that is full or gone is logged by `bot.work.watch`, once."""
    if isinstance(error, StoreUnavailable | StoreClosed):
        return
    if isinstance(error, BotError):
        log.warning("follower.later", error=type(error).__name__, code=error.code)
    else:
        log.error("follower.failed", error=type(error).__name__)
