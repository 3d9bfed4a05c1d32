"""Follow the order to read the configuration anew, and notice when replicas work by different ones.

Every process has to do this for itself, so it is no work of the agenda, which one of them would take: one thread looks at the
order whenever something was committed anywhere, and says every few seconds that its process is there.
"""

import threading
from datetime import datetime

import structlog

from bot.exceptions import BotError, StoreClosed, StoreError, StoreUnavailable
from bot.store import replicas
from bot.store.engine import Store
from bot.store.replicas import BEAT, Order
from bot.work.attendant import Attendant
from bot.work.reload import Reloader

log = structlog.get_logger(__name__)

#: Seconds between two looks at least, however much is committed.
LULL = 0.2
#: Seconds that saying goodbye may wait for another writer.
AT_THE_END = 0.5


class Follower(Attendant):
    """One of each process."""

    def __init__(self, store: Store, reloader: Reloader, poll: float) -> None:
        super().__init__("follower", LULL)
        self._store = store
        self._reloader = reloader
        self._poll = poll
        #: How often a person asked this process to read its configuration, and how often it has been done.
        self._asked = self._done = 0
        self._asking = threading.Lock()
        self._beaten: datetime | None = None

    def reload(self) -> None:
        """Read the configuration anew, in this process; from any thread, and soon."""
        with self._asking:
            self._asked += 1
        self.wake()

    def stop(self, until: float) -> bool:
        """Ends, and says that this process is not there any more."""
        has_ended = super().stop(until)
        try:
            with self._store.begin(AT_THE_END) as session:
                replicas.leave(session, self._store.owner)
        except StoreError as error:  # nobody believes it for long
            log.info("replica.not_left", code=error.code)
        return has_ended

    def look(self) -> float:
        asked = self._asked
        try:
            self._turn(asked)
        except Exception as error:  # noqa: BLE001 - whatever the database says, the follower outlives it
            _complain(error)
        return self._poll

    def _turn(self, asked: int) -> None:
        order = self._order()
        if asked != self._done:
            self._reloader.reload()
            self._done = asked
        if order.number > self._reloader.followed:
            self._reloader.follow(order)

    def _order(self) -> Order:
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
