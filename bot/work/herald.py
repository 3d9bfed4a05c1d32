"""Tell the channels that the database was put back: what was asked for since is not known to the bot any more.

What it does know is told in each request's own thread. Those whose requests it does not know would wait for nothing otherwise.
"""

from datetime import timedelta

import structlog

from bot.blocks.outage import restored_message
from bot.domain.events import Event, EventKind
from bot.exceptions import SlackError, SlackRateLimited, SlackRefused
from bot.store import agenda, audit, posts
from bot.store.agenda import Entry
from bot.work.context import Context
from bot.work.loop import later
from bot.work.posting import Poster

log = structlog.get_logger(__name__)


class Herald:
    """One visit tells every channel that cards are posted in, each once."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store
        self._poster = Poster(context.store, context.slack)

    def visit(self, entry: Entry) -> None:
        with self._store.begin() as session:
            event = audit.last_of(session, EventKind.RESTORED)
        config = self._context.config
        channels = dict.fromkeys((config.slack.channel, *(pbx.channel for pbx in config.pbx)))
        try:
            for channel in channels:
                if event is not None:
                    self._tell(entry, event, channel)
        except SlackError as error:
            self._come_back(entry, error)
            return
        with self._store.begin() as session:
            agenda.finish(session, entry)

    def _tell(self, entry: Entry, event: Event, channel: str) -> None:
        try:
            about = posts.of_event(event.id)
            self._poster.once(about, f"restored:{channel}", channel, *restored_message(event), fence=entry)
        except SlackRefused as error:  # whoever lets the bot in later finds no news in it
            log.warning("restore.not_told", channel=channel, code=error.code)

    def _come_back(self, entry: Entry, error: SlackError) -> None:
        now = self._store.now()
        due = now + timedelta(seconds=error.retry_after) if isinstance(error, SlackRateLimited) else later(now, entry.attempt)
        log.info("restore.told_later", code=error.code)
        with self._store.begin() as session:
            agenda.again(session, entry, due)
