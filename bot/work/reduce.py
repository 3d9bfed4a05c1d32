"""Once a day: what is known of people in requests that ended long ago is reduced to what the audit chain needs."""

from datetime import datetime, time, timedelta

import structlog
from sqlalchemy.orm import Session

from bot.config import Config
from bot.domain.daily import next_time
from bot.store import agenda, reducing
from bot.store.agenda import Entry, Work
from bot.work.context import Context

log = structlog.get_logger(__name__)

#: The agenda's key: one at a time, whatever the number of replicas.
KEY = "reduce"
#: When, in ``slack.timezone``: at night, because it may be much.
AT = time(3, 0)


def schedule(session: Session, config: Config, now: datetime) -> None:
    """Let it begin, if it has not yet; whether there is anything to reduce is asked then."""
    agenda.put(session, Work.REDUCE, KEY, next_time(now, AT, config.slack.timezone))


class Reducer:
    """One visit reduces all that is due, each request in a transaction of its own."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store

    def visit(self, entry: Entry) -> None:
        config = self._context.config
        if config.audit.personal_data_for is not None:
            self._reduce(entry, config.audit.personal_data_for)
        with self._store.begin() as session:
            agenda.again(session, entry, next_time(self._store.now(), AT, config.slack.timezone), fresh=True)

    def _reduce(self, entry: Entry, kept_for: timedelta) -> None:
        until, count = self._store.now() - kept_for, 0
        while self._reduce_one(entry, until):
            count += 1
        while self._reduce_loose(entry, until):
            pass
        if count:
            log.info("personal_data.reduced", requests=count)

    def _reduce_one(self, entry: Entry, until: datetime) -> bool:
        with self._store.begin() as session:
            agenda.hold(session, entry, self._store.now())
            number = reducing.next_request(session, until)
            if number is not None:
                reducing.reduce_request(session, self._store.now(), number)
        return number is not None

    def _reduce_loose(self, entry: Entry, until: datetime) -> bool:
        with self._store.begin() as session:
            agenda.hold(session, entry, self._store.now())
            return reducing.reduce_loose(session, self._store.now(), until)
