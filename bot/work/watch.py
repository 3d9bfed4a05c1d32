"""Watch over the bot's own database: when it is full, read-only or gone, say so once, and once when it is back.

Nothing can be asked for or approved then, and nobody could know why: every click is answered, but those who do not click hear
nothing. So it is told to the channel in which everybody reads who could ask or approve; operators need not be configured.

These two messages are the only ones that are not intended in the database before they are sent, for it is gone. So they are
sent as well as can be: one whose fate is unknown is not sent again, and a process that ends meanwhile does not say that it is
over. Where several processes share a database, each of them says so.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import structlog

from bot.blocks import outage
from bot.exceptions import SlackError, SlackFateUnknown, SlackRefused, StoreBusy, StoreClosed, StoreUnavailable
from bot.store.engine import Store
from bot.store.probe import probe

log = structlog.get_logger(__name__)

#: Seconds between two looks whether it is back.
PAUSE = 2.0


class Posts(Protocol):
    """What the watch needs of `bot.slack.gateway.Gateway`."""

    def post(self, channel: str, *, blocks: Sequence[Mapping[str, Any]], text: str) -> object: ...


class Watch:
    """One thread, which sleeps until a transaction has failed."""

    def __init__(self, store: Store, slack: Posts, channel: Callable[[], str]) -> None:
        self._store = store
        self._slack = slack
        self._channel = channel
        self._changed = threading.Condition()
        self._suspected = False
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        store.failed = self._suspect

    def start(self) -> None:
        self._thread.start()

    def stop(self, seconds: float) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _suspect(self, _error: StoreUnavailable) -> None:
        """Called in the thread whose transaction failed, so it only takes note."""
        with self._changed:
            self._suspected = True
            self._changed.notify_all()

    def _run(self) -> None:
        while self._is_suspected():
            try:
                self._look()
            except StoreClosed:
                return

    def _is_suspected(self) -> bool:
        """Sleep until something failed; False when the process ends."""
        with self._changed:
            self._changed.wait_for(lambda: self._suspected or self._stopping)
            self._suspected = False
            return not self._stopping

    def _look(self) -> None:
        """One failure may be a line that broke; it is an outage when writing fails again."""
        error = self._trouble()
        if error is None:
            log.warning("database.stumbled")
            return
        since = self._store.now()
        log.error("database.outage", code=error.code, means=error.message)
        told = self._until_back(error)
        if not self._stopping:
            self._suspected = False  # what failed meanwhile belongs to this outage
            self._over(since, told)

    def _trouble(self) -> StoreUnavailable | None:
        try:
            probe(self._store)
        except StoreUnavailable as error:
            return error
        except StoreBusy:  # others write, so it can be written
            return None
        return None

    def _until_back(self, error: StoreUnavailable | None) -> bool:
        """Until a probe succeeds or the process ends; whether the channel was told."""
        told: bool | None = None
        while error is not None and not self._stopping:
            if told is None:
                told = self._tell(*outage.outage_message(error.message, error.code))
            self._pause()
            error = self._trouble()
        return bool(told)

    def _over(self, since: datetime, told: bool) -> None:
        seconds = round((self._store.now() - since).total_seconds())
        log.warning("database.back", seconds=seconds)
        self._store.committed()
        while told and self._tell(*outage.back_message(seconds)) is None and not self._stopping:
            self._pause()

    def _pause(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopping, PAUSE)

    def _tell(self, blocks: Sequence[Mapping[str, Any]], text: str) -> bool | None:
        """True: it was told, or may have been. False: Slack refuses. None: certainly not told, and worth another attempt."""
        try:
            self._slack.post(self._channel(), blocks=blocks, text=text)
        except SlackFateUnknown:
            return True
        except SlackError as error:
            log.warning("database.not_told", code=error.code)
            return False if isinstance(error, SlackRefused) else None
        return True
