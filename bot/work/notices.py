"""Tell a PBX's channel what concerns no single request: that the PBX fell silent, and that it answers again.

Each of these events is told once, in order. An outage that was over before its channel could be told of it is not told at all.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import structlog

from bot.blocks import notices as texts
from bot.config import PbxConfig
from bot.domain.events import Event, EventKind
from bot.domain.rules import groups_in
from bot.exceptions import SlackError, SlackRateLimited, SlackRefused
from bot.store import agenda, audit, breakers, posts
from bot.store.agenda import Entry
from bot.store.posts import REFUSED, Post
from bot.work.context import Context
from bot.work.loop import later
from bot.work.posting import Poster

log = structlog.get_logger(__name__)

#: The purpose of such a message.
NOTICE = "notice"
#: So many events of one PBX that nobody could be told of are looked at; older ones are history.
REMEMBERED = 20
#: An outage that nobody could be told of for so long is no news any more.
WORTH_TELLING = timedelta(days=1)
#: Seconds between attempts, at most, while Slack lets the bot tell nobody.
RARELY = 600.0
#: So many operators at most are told what their channel cannot be.
OPERATORS = 20


class Notifier:
    """One visit brings a PBX's channel up to date; Slack's trouble brings it back later."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store
        self._poster = Poster(context.store, context.slack)

    def visit(self, entry: Entry) -> None:
        pbx = self._context.config.pbx_named(entry.key.removeprefix(breakers.notice_key("")))
        try:
            if pbx is not None:
                for event in self._untold(pbx.name):
                    self._tell(pbx, event)
        except SlackError as error:
            self._come_back(entry, error)
            return
        with self._store.begin() as session:
            agenda.finish(session, entry)

    def _untold(self, pbx: str) -> list[Event]:
        """In order; without the outages that began and ended while nobody was told."""
        with self._store.begin() as session:
            latest = audit.of_pbx(session, pbx, REMEMBERED)
            begun = {event.id: told for event in latest if (told := posts.of(session, posts.of_event(event.id)).get(NOTICE))}
        last_told = max((number for number, told in begun.items() if told.ts), default=0)
        waiting = [event for event in reversed(latest) if event.id > last_told]
        return [event for place, event in enumerate(waiting) if not _is_past(waiting, place, begun)]

    def _tell(self, pbx: PbxConfig, event: Event) -> None:
        try:
            self._poster.once(posts.of_event(event.id), NOTICE, pbx.channel, *texts.notice(event))
        except SlackRefused as error:
            log.warning("notice.refused", pbx=pbx.name, channel=pbx.channel, code=error.code)
            if not self._tell_operators(pbx, event, error.error) and self._store.now() < event.at + WORTH_TELLING:
                raise
            self._settle(event, pbx.channel)

    def _tell_operators(self, pbx: PbxConfig, event: Event, why: str) -> bool:
        """By direct message to each; whoever cannot be written to is logged and left out. Whether anybody was told."""
        told = False
        for user in self._operators(pbx):
            try:
                channel = self._context.slack.direct_channel(user)
                message = texts.undeliverable(event, pbx.channel, why)
                self._poster.once(posts.of_event(event.id), f"direct:{user}", channel, *message)
                told = True
            except SlackRefused as error:
                log.warning("operator.not_told", pbx=pbx.name, code=error.code)
        return told

    def _operators(self, pbx: PbxConfig) -> Sequence[str]:
        subjects = self._context.config.operators_of(pbx)
        groups = groups_in(subjects)
        members = self._context.people.members(groups) if groups else {}
        users = [user for each in subjects for user in (sorted(members.get(each, ())) if each in groups else [each])]
        return list(dict.fromkeys(users))[:OPERATORS]

    def _settle(self, event: Event, channel: str) -> None:
        """The channel is not to be told any more: an old outage is no news to whoever lets the bot in later."""
        with self._store.begin() as session:
            posts.arrived(session, self._store.now(), posts.of_event(event.id), NOTICE, channel, REFUSED)

    def _come_back(self, entry: Entry, error: SlackError) -> None:
        now = self._store.now()
        due = (
            now + timedelta(seconds=error.retry_after)
            if isinstance(error, SlackRateLimited)
            else later(now, entry.attempt, longest=RARELY)
        )
        log.info("notice.later", key=entry.key, error=type(error).__name__, code=error.code)
        with self._store.begin() as session:
            agenda.again(session, entry, due)


def _is_past(waiting: Sequence[Event], place: int, begun: Mapping[int, Post]) -> bool:
    """Whether this event is half of an outage of which both halves wait to be told, and of which no word has left."""
    begins = place if waiting[place].kind is EventKind.PBX_SILENT else place - 1
    return 0 <= begins < len(waiting) - 1 and waiting[begins].kind is EventKind.PBX_SILENT and waiting[begins].id not in begun
