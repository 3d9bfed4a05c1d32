"""Tell what is in the ledger: the card rendered whole from its row, each event once in its thread, in order.

A message says what a row says, and nothing is said before it is committed. One visit brings everything up to date: all events
that wait are told together, and the card is painted once. What Slack has no room for at the moment is told later, and holds up
nothing else of the visit.

Whatever the workspace is told of a request goes through here. Apart from it there are only: private answers to whoever
clicked or typed something (`bot.work.decide`, `bot.listeners`), a draft's result for its requester (`bot.work.check`), an
emergency's word to each whom the policy names (`bot.work.alarm`), and what concerns no request: an outage of a PBX
(`bot.work.notices`) or of our own database (`bot.work.watch`, `bot.work.herald`), and the audit chain's head
(`bot.work.witness`). A test keeps it so.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.blocks import card as cards
from bot.blocks import messages
from bot.blocks.parts import Block
from bot.domain.events import Event
from bot.domain.requests import Decision, Execution, Request, canonical
from bot.exceptions import SlackError, SlackRateLimited, SlackRefused
from bot.slack.gateway import Gateway
from bot.store import agenda, audit, ledger, posts
from bot.store.agenda import Entry
from bot.store.posts import CARD, EPHEMERAL, LINK, LINK_DIRECT, OUTCOME, REFUSED, Post
from bot.work.context import Context
from bot.work.loop import later
from bot.work.posting import FRESH, Poster
from bot.work.thread import PACE, Thread

log = structlog.get_logger(__name__)

#: Where the requester's private answer may go, in the vault: whoever has it can post there.
REPLY_TO = "reply_to"
#: How long Slack takes answers there (docs.slack.dev/interactivity/handling-user-interaction).
REPLY_WITHIN = timedelta(minutes=29)
#: Slack's words for a card that somebody deleted; the last is for the tombstone that stays where it had a thread, which is not
#: our own (docs.slack.dev/reference/methods/chat.update, chat.getPermalink, conversations.replies).
_DELETED = frozenset({"message_not_found", "thread_not_found", "cant_update_message"})
#: Its words for a person to whom the bot may not write: deactivated, a stranger, or messages to the app are turned off
#: (docs.slack.dev/reference/methods/conversations.open, chat.postMessage).
UNREACHABLE = frozenset({
    "user_not_found", "users_not_found", "user_disabled", "user_not_visible", "org_user_not_in_team", "cannot_dm_bot",
    "channel_not_found", "is_archived", "messages_tab_disabled", "restricted_action", "not_in_channel",
})  # fmt: skip
#: Seconds between looks, at most, once nobody can act any more but the channel has not been told.
_RARELY = 3600.0
#: While the bot is at work the card changes with every step, and each change is soon out of date.
_AT_WORK = frozenset({Execution.APPLYING, Execution.WAITING})


@dataclass(frozen=True)
class Told:
    """One visit: the entry that brings us, what is to be told, and what has been told."""

    entry: Entry
    request: Request
    events: Sequence[Event]
    posts: Mapping[str, Post]

    def has(self, *purposes: str) -> bool:
        return any(purpose in self.posts and self.posts[purpose].ts for purpose in purposes)


@dataclass(frozen=True)
class Painted:
    """A card as its row wants it to be. ``digest`` tells two of them apart."""

    blocks: Sequence[Block]
    text: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(canonical([self.blocks, self.text]).encode()).hexdigest()


class Narrator:
    """Everything the bot says of a request after it was asked for."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store
        self._slack: Gateway = context.slack
        self._poster = Poster(context.store, context.slack)
        self._thread = Thread(context.store, self._poster)

    def visit(self, entry: Entry) -> None:
        with self._store.begin() as session:
            request = ledger.load(session, entry.request or 0)
        try:
            due = self._tell(entry, request) if request and _is_told(request) else None
        except SlackError as error:
            self._come_back(entry, request, error)
            return
        with self._store.begin() as session:
            if due is None:
                agenda.finish(session, entry)
            else:
                agenda.again(session, entry, due, fresh=True)

    def paint(self, request: Request) -> Painted:
        return Painted(*cards.card(request))

    def _tell(self, entry: Entry, request: Request) -> datetime | None:
        """When to come back, if there is more to tell by then."""
        with self._store.begin() as session:
            told = Told(entry, request, audit.events_of(session, request.id), posts.of(session, request.id))
        card = self._card(told)
        link = self._now_or_later(lambda: self._link(told, card))
        paint = self._now_or_later(lambda: self._repaint(told, card))
        story = self._now_or_later(
            lambda: self._thread.tell(entry, request, told.events, card, self._context.operators(request))
        )
        ending = self._now_or_later(lambda: self._outcome(told, card)) if story is None and request.has_ended else None
        return min((due for due in (link, paint, story, ending) if due is not None), default=None)

    def _now_or_later(self, tell: Callable[[], datetime | None]) -> datetime | None:
        """One piece has to wait, not the rest."""
        try:
            return tell()
        except SlackRateLimited as error:
            return self._store.now() + timedelta(seconds=error.retry_after)

    def _card(self, told: Told) -> Post:
        if told.has(CARD):
            return told.posts[CARD]
        request, painted = told.request, self.paint(told.request)
        return self._poster.once(
            request.id, CARD, request.channel, painted.blocks, painted.text, shown=painted.digest, fence=told.entry
        )

    def _repaint(self, told: Told, card: Post) -> datetime | None:
        """A decision and an end are seen at once; what lies between is seen often enough."""
        painted, now = self.paint(told.request), self._store.now()
        if card.shown == painted.digest:
            return None
        due = card.intended_at + PACE
        if card.shown and told.request.execution in _AT_WORK and now < due:
            return due
        with self._store.begin() as session:
            agenda.hold(session, told.entry, now)  # whoever took over knows better what it has to show
        self._slack.update(card.channel, card.ts, blocks=painted.blocks, text=painted.text, not_after=now + FRESH)
        with self._store.begin() as session:
            posts.repainted(session, now, told.request.id, CARD, painted.digest)
        return None

    def _link(self, told: Told, card: Post) -> None:
        """The requester gets the card's link where they asked; where that fails or is too late, by direct message."""
        if told.has(LINK, LINK_DIRECT):
            return
        blocks, text = messages.asked_message(told.request, self._slack.permalink(card.channel, card.ts))
        if LINK in told.posts or not self._answered(told.request, blocks, text):
            self._direct(told.entry, told.request, LINK_DIRECT, blocks, text)

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
        self._settle(request, LINK, request.asked_in, EPHEMERAL)
        return True

    def _outcome(self, told: Told, card: Post) -> None:
        """Those who are not in the card's channel would never hear how it ended."""
        request = told.request
        if told.has(OUTCOME):
            return
        if self._slack.channel_members_include(card.channel, request.requester):
            self._settle(request, OUTCOME, card.channel, card.ts)
            return
        blocks, text = messages.outcome_message(request, self._slack.permalink(card.channel, card.ts))
        self._direct(told.entry, request, OUTCOME, blocks, text)

    def _direct(self, entry: Entry, request: Request, purpose: str, blocks: Sequence[Mapping[str, Any]], text: str) -> None:
        """Whoever cannot be written to must not hold up what the channel is told, so Slack's word on that is final."""
        try:
            channel = self._slack.direct_channel(request.requester)
            self._poster.once(request.id, purpose, channel, blocks, text, fence=entry)
        except SlackRefused as error:
            if error.error not in UNREACHABLE:
                raise
            log.warning("requester.not_told", request=request.id, code=error.code)
            self._settle(request, purpose, "", REFUSED)

    def _settle(self, request: Request, purpose: str, channel: str, ts: str) -> None:
        """Nothing more is to be posted for this purpose."""
        with self._store.begin() as session:
            posts.arrived(session, self._store.now(), request.id, purpose, channel, ts)

    def _come_back(self, entry: Entry, request: Request | None, error: SlackError) -> None:
        now = self._store.now()
        due = later(now, entry.attempt)
        if isinstance(error, SlackRateLimited):
            due = now + timedelta(seconds=error.retry_after)
        log.info("narration.later", request=entry.request, error=type(error).__name__, code=error.code)
        is_gone = isinstance(error, SlackRefused) and error.error in _DELETED
        if request is not None and isinstance(error, SlackRefused) and not is_gone:
            self._warn(entry, request, error)
            due = later(now, entry.attempt, longest=_RARELY) if request.has_ended else due
        with self._store.begin() as session:
            if is_gone:  # somebody deleted the card; the next visit posts it anew, or nobody could decide
                posts.forget_thread(session, entry.request or 0)
            agenda.again(session, entry, due)

    def _warn(self, entry: Entry, request: Request, error: SlackRefused) -> None:
        """What its channel cannot be told, the requester is, once: that there is no card, or how it ended."""
        with self._store.begin() as session:
            told = posts.of(session, request.id).get(CARD)
            has_card = told is not None and bool(told.ts)
        try:
            if request.has_ended:
                self._direct(entry, request, OUTCOME, *messages.outcome_message(request, ""))
            elif not has_card:
                trouble = messages.not_posted_message(request, error.error)
                self._direct(entry, request, f"trouble:{error.error}", *trouble)
        except SlackError as also:
            log.warning("requester.not_told", request=request.id, code=also.code)


def _is_told(request: Request) -> bool:
    """A draft is its requester's own affair, and of a request that was reduced nobody knows any more what there was to tell."""
    return request.decision is not Decision.DRAFT and request.reduced_at is None
