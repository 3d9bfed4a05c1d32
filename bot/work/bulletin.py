"""Tell operators what concerns the bot itself, each event once and in order: in their channel, and to whoever asked for it.

Where Slack does not let the bot post in the channel, the operators are told directly. What nobody could be told of for a day is
no news any more.
"""

from collections.abc import Sequence
from datetime import timedelta

import structlog

from bot.blocks import bulletins as texts
from bot.blocks.parts import Block
from bot.domain.events import Event
from bot.domain.rules import groups_in
from bot.exceptions import SlackError, SlackRateLimited, SlackRefused
from bot.store import agenda, bulletins, posts
from bot.store.agenda import Entry
from bot.work.context import Context
from bot.work.loop import later
from bot.work.posting import Poster

log = structlog.get_logger(__name__)

#: The purposes of such messages.
CHANNEL, ASKED = "bulletin", "asked"
WORTH_TELLING = timedelta(days=1)
#: Seconds between attempts, at most, while Slack lets the bot tell nobody.
RARELY = 600.0
#: So many operators at most are told what their channel cannot be.
OPERATORS = 20


class Bulletin:
    """One visit tells all that is untold; Slack's trouble brings it back later."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store
        self._poster = Poster(context.store, context.slack)

    def visit(self, entry: Entry) -> None:
        with self._store.begin() as session:
            untold = bulletins.untold(session)
        try:
            for event in untold:
                self._tell(entry, event)
                with self._store.begin() as session:
                    agenda.hold(session, entry, self._store.now())
                    bulletins.told(session, event)
        except SlackError as error:
            self._come_back(entry, error)
            return
        with self._store.begin() as session:
            agenda.finish(session, entry)

    def _tell(self, entry: Entry, event: Event) -> None:
        self._answer(entry, event)
        message, channel = texts.bulletin(event), self._context.config.operators_channel
        if message is None:
            return
        try:
            self._poster.once(posts.of_event(event.id), CHANNEL, channel, *message, fence=entry)
        except SlackRefused as error:
            log.warning("bulletin.refused", kind=event.kind.value, channel=channel, code=error.code)
            if not self._tell_operators(entry, event, channel, error.error) and self._is_news(event):
                raise

    def _is_news(self, event: Event) -> bool:
        return self._store.now() < event.at + WORTH_TELLING

    def _answer(self, entry: Entry, event: Event) -> None:
        """Whoever ordered it hears how it went, wherever the channel is."""
        message = texts.answer(event)
        if message is not None:
            self._direct(entry, event, event.actor, ASKED, *message)

    def _tell_operators(self, entry: Entry, event: Event, channel: str, why: str) -> bool:
        """By direct message to each. Whether anybody was told."""
        message = texts.undeliverable(event, channel, why)
        if message is None:
            return False
        told = [self._direct(entry, event, user, f"direct:{user}", *message) for user in self._operators()]
        return any(told)

    def _direct(self, entry: Entry, event: Event, user: str, purpose: str, blocks: Sequence[Block], text: str) -> bool:
        """Whoever cannot be written to is logged and left out."""
        try:
            channel = self._context.slack.direct_channel(user)
            self._poster.once(posts.of_event(event.id), purpose, channel, blocks, text, fence=entry)
        except SlackRefused as error:
            log.warning("operator.not_told", kind=event.kind.value, code=error.code)
            return False
        return True

    def _operators(self) -> Sequence[str]:
        subjects = self._context.config.slack.operators
        groups = groups_in(subjects)
        members = self._context.people.members(groups) if groups else {}
        users = [user for each in subjects for user in (sorted(members.get(each, ())) if each in groups else [each])]
        return list(dict.fromkeys(users))[:OPERATORS]

    def _come_back(self, entry: Entry, error: SlackError) -> None:
        now = self._store.now()
        due = later(now, entry.attempt, longest=RARELY)
        if isinstance(error, SlackRateLimited):
            due = now + timedelta(seconds=error.retry_after)
        log.info("bulletin.later", error=type(error).__name__, code=error.code)
        with self._store.begin() as session:
            agenda.again(session, entry, due)
