"""Post the head of the audit chain once a day, so that Slack bears witness.

Whoever owns the database can write the whole chain anew, and it would verify. What is in Slack they cannot change.
"""

from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from bot.blocks.witness import witness_message
from bot.config import Config
from bot.domain.daily import day_of, next_time
from bot.domain.events import BOT, Event, EventKind
from bot.exceptions import SlackError, SlackRateLimited
from bot.store import agenda, audit, posts
from bot.store.agenda import Entry, Work
from bot.work.context import Context
from bot.work.loop import later
from bot.work.posting import Poster

log = structlog.get_logger(__name__)

#: The agenda's key: one at a time, whatever the number of replicas.
KEY = "witness"
#: The purpose of the message.
WITNESS = "witness"
#: Seconds between attempts, at most, while Slack does not take it.
RARELY = 600.0


def schedule(session: Session, config: Config, now: datetime) -> None:
    """Let it begin, if it has not yet."""
    agenda.put(session, Work.WITNESS, KEY, _next(config, now))


def _next(config: Config, now: datetime) -> datetime:
    return next_time(now, config.audit.witness_at, config.slack.timezone)


class Witness:
    """One visit posts the day's head. What could not be posted before the day was over is left out: the next covers it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store
        self._poster = Poster(context.store, context.slack)

    def visit(self, entry: Entry) -> None:
        event = self._todays(entry)
        try:
            if event is not None:
                channel = self._context.config.audit_channel
                self._poster.once(posts.of_event(event.id), WITNESS, channel, *witness_message(event), fence=entry)
        except SlackError as error:
            self._come_back(entry, error)
            return
        with self._store.begin() as session:
            agenda.again(session, entry, _next(self._context.config, self._store.now()), fresh=True)

    def _todays(self, entry: Entry) -> Event | None:
        """The event of the head that this day's message tells, whoever began it; None while there is nothing to witness."""
        now = self._store.now()
        day = day_of(now, self._context.config.slack.timezone).isoformat()
        with self._store.begin() as session:
            agenda.hold(session, entry, now)
            last, chain = audit.last_of(session, EventKind.WITNESSED), audit.head(session)
            if last is not None and last.data.get("day") == day:
                return last
            if chain.length == 0:
                return None
            audit.append(session, now, EventKind.WITNESSED, BOT, length=chain.length, head=chain.head, day=day)
            return audit.last_of(session, EventKind.WITNESSED)

    def _come_back(self, entry: Entry, error: SlackError) -> None:
        now = self._store.now()
        due = later(now, entry.attempt, longest=RARELY)
        if isinstance(error, SlackRateLimited):
            due = now + timedelta(seconds=error.retry_after)
        log.warning("witness.later", channel=self._context.config.audit_channel, code=error.code)
        with self._store.begin() as session:
            agenda.again(session, entry, due)
