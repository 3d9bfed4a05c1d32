"""Tell what is in the ledger: the card rendered whole from its row, each event once in its thread, in order.

A message says what a row says, and nothing is said before it is committed. One visit brings everything up to date, so that a
burst of events costs one update of the card.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import structlog

from bot.blocks import card as cards
from bot.blocks import lines, messages
from bot.domain.events import Event
from bot.domain.requests import Decision, Request, canonical
from bot.exceptions import SlackError, SlackRateLimited, SlackRefused
from bot.slack.gateway import Gateway
from bot.store import agenda, audit, ledger, posts
from bot.store.agenda import Entry
from bot.store.posts import CARD, EPHEMERAL, LINK, LINK_DIRECT, OUTCOME, REFUSED, Post
from bot.work.context import Context
from bot.work.loop import later
from bot.work.posting import Poster

log = structlog.get_logger(__name__)

#: Where the requester's private answer may go, in the vault: whoever has it can post there.
REPLY_TO = "reply_to"
#: How long Slack takes answers there (docs.slack.dev/interactivity/handling-user-interaction).
REPLY_WITHIN = timedelta(minutes=29)
#: Slack's words for a card that somebody deleted (docs.slack.dev/reference/methods/chat.update, chat.getPermalink).
_DELETED = frozenset({"message_not_found", "thread_not_found"})
#: Its words for a person to whom the bot may not write: deactivated, a stranger, or messages to the app are turned off
#: (docs.slack.dev/reference/methods/conversations.open, chat.postMessage).
_UNREACHABLE = frozenset({
    "user_not_found", "users_not_found", "user_disabled", "user_not_visible", "org_user_not_in_team", "cannot_dm_bot",
    "channel_not_found", "is_archived", "messages_tab_disabled", "restricted_action", "not_in_channel",
})  # fmt: skip
#: Seconds between looks, at most, once nobody can act any more but the channel has not been told.
_RARELY = 3600.0


class Narrator:
    """Everything the bot says of a request after it was asked for."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store
        self._slack: Gateway = context.slack
        self._poster = Poster(context.store, context.slack)

    def visit(self, entry: Entry) -> None:
        with self._store.begin() as session:
            request = ledger.load(session, entry.request or 0)
        try:
            if request is not None and request.decision is not Decision.DRAFT:
                self._tell(request)
        except SlackError as error:
            self._come_back(entry, request, error)
            return
        with self._store.begin() as session:
            agenda.finish(session, entry)

    def _tell(self, request: Request) -> None:
        with self._store.begin() as session:
            events = audit.events_of(session, request.id)
            told = posts.of(session, request.id)
        card = self._card(request, told.get(CARD))
        self._link(request, card, told)
        for event in events:
            self._line(request, event, card, told)
        if request.has_ended:
            self._outcome(request, card, told)

    def _card(self, request: Request, told: Post | None) -> Post:
        blocks, text = cards.card(request, approvers=self._approvers(request))
        shown = hashlib.sha256(canonical([blocks, text]).encode()).hexdigest()
        if told is None or not told.ts:
            told = self._poster.once(request.id, CARD, request.channel, blocks, text, shown=shown)
        if told.shown != shown:
            self._slack.update(told.channel, told.ts, blocks=blocks, text=text)
            with self._store.begin() as session:
                posts.arrived(session, request.id, CARD, told.channel, told.ts, shown)
        return told

    def _line(self, request: Request, event: Event, card: Post, told: Mapping[str, Post]) -> None:
        purpose = str(event.id)
        if purpose in told and told[purpose].ts:
            return
        said = lines.line_blocks(event, request, self._operators(request))
        if said is not None:
            text = lines.line(event, request, self._operators(request)) or ""
            self._poster.once(request.id, purpose, card.channel, said, text, thread=card.ts)

    def _link(self, request: Request, card: Post, told: Mapping[str, Post]) -> None:
        """The requester gets the card's link where they asked; where that fails or is too late, by direct message."""
        if any(purpose in told and told[purpose].ts for purpose in (LINK, LINK_DIRECT)):
            return
        blocks, text = messages.asked_message(request, self._slack.permalink(card.channel, card.ts))
        if LINK in told or not self._answered(request, blocks, text):
            self._direct(request, LINK_DIRECT, blocks, text)

    def _answered(self, request: Request, blocks: Sequence[Mapping[str, Any]], text: str) -> bool:
        """An answer that only they see. It cannot be looked for later, so it is tried once."""
        with self._store.begin() as session:
            reply_to = self._store.vault.take(session, request.id, REPLY_TO)
            if reply_to is None or self._store.now() > request.created_at + REPLY_WITHIN:
                return False
            posts.intend(session, self._store.now(), request.id, LINK, request.asked_in)
        try:
            self._slack.respond(reply_to.decode(), text=text, blocks=blocks)
        except SlackError as error:
            log.info("link.not_answered", request=request.id, code=error.code)
            return False
        with self._store.begin() as session:
            posts.arrived(session, request.id, LINK, request.asked_in, EPHEMERAL)
        return True

    def _outcome(self, request: Request, card: Post, told: Mapping[str, Post]) -> None:
        """Those who are not in the card's channel would never hear how it ended."""
        if OUTCOME in told and told[OUTCOME].ts:
            return
        if self._slack.channel_members_include(card.channel, request.requester):
            self._settle(request, OUTCOME, card.channel, card.ts)
            return
        blocks, text = messages.outcome_message(request, self._slack.permalink(card.channel, card.ts))
        self._direct(request, OUTCOME, blocks, text)

    def _direct(self, request: Request, purpose: str, blocks: Sequence[Mapping[str, Any]], text: str) -> None:
        """Whoever cannot be written to must not hold up what the channel is told, so Slack's word on that is final."""
        try:
            channel = self._slack.direct_channel(request.requester)
            self._poster.once(request.id, purpose, channel, blocks, text)
        except SlackRefused as error:
            if error.error not in _UNREACHABLE:
                raise
            log.warning("requester.not_told", request=request.id, code=error.code)
            self._settle(request, purpose, "", REFUSED)

    def _settle(self, request: Request, purpose: str, channel: str, ts: str) -> None:
        """Nothing more is to be posted for this purpose."""
        with self._store.begin() as session:
            posts.forget(session, request.id, purpose)
            session.flush()
            posts.intend(session, self._store.now(), request.id, purpose, channel)
            session.flush()
            posts.arrived(session, request.id, purpose, channel, ts)

    def _approvers(self, request: Request) -> tuple[str, ...]:
        rule = self._context.rule(request.ask.pbx)
        return rule.approvers if rule else ()

    def _operators(self, request: Request) -> tuple[str, ...]:
        rule = self._context.rule(request.ask.pbx)
        return (rule.operators or rule.approvers) if rule else ()

    def _come_back(self, entry: Entry, request: Request | None, error: SlackError) -> None:
        now = self._store.now()
        due = later(now, entry.attempt)
        if isinstance(error, SlackRateLimited):
            due = now + timedelta(seconds=error.retry_after)
        log.info("narration.later", request=entry.request, error=type(error).__name__, code=error.code)
        is_gone = isinstance(error, SlackRefused) and error.error in _DELETED
        if request is not None and isinstance(error, SlackRefused) and not is_gone:
            self._warn(request, error)
            due = later(now, entry.attempt, longest=_RARELY) if request.has_ended else due
        with self._store.begin() as session:
            if is_gone:  # somebody deleted the card; the next visit posts it anew, or nobody could decide
                posts.forget(session, entry.request or 0, CARD)
            agenda.again(session, entry, due)

    def _warn(self, request: Request, error: SlackRefused) -> None:
        """What its channel cannot be told, the requester is, once: that there is no card, or how it ended."""
        with self._store.begin() as session:
            told = posts.of(session, request.id).get(CARD)
            has_card = told is not None and bool(told.ts)
        try:
            if request.has_ended:
                self._direct(request, OUTCOME, *messages.outcome_message(request, ""))
            elif not has_card:
                self._direct(request, f"trouble:{error.error}", *messages.not_posted_message(request, error.error))
        except SlackError as also:
            log.warning("requester.not_told", request=request.id, code=also.code)
