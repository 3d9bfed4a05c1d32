"""Tell each person directly: of an emergency, of one that nobody has confirmed in time; and the operators of an objection.

Beside what the narrator tells card and thread. Each hears once of each event, whatever happens meanwhile; whoever cannot be
written to holds up nobody, and hears of it by the mention in the thread.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from bot.blocks import emergencies as texts
from bot.blocks.parts import Block
from bot.domain.emergencies import awaits_look, is_emergency
from bot.domain.events import Event, EventKind
from bot.domain.requests import Request
from bot.domain.rules import groups_in
from bot.exceptions import SlackError, SlackRateLimited, SlackRefused
from bot.store import agenda, audit, ledger, posts
from bot.store.agenda import Entry
from bot.store.posts import CARD, REFUSED
from bot.work.context import Context
from bot.work.loop import later
from bot.work.narrate import UNREACHABLE
from bot.work.posting import Poster

log = structlog.get_logger(__name__)

#: To whom an event is told besides each person, by their id: the operators' channel. And that nobody is left to be told.
CHANNEL, EVERYBODY = "channel", "everybody"
_TELLS = frozenset({EventKind.EMERGENCY, EventKind.UNCONFIRMED, EventKind.OBJECTED})
#: After so long nobody is told directly any more who could not be until then.
WORTH_TELLING = timedelta(days=1)
#: Seconds between attempts, at most.
RARELY = 600.0

Message = tuple[Sequence[Block], str]


class Alarm:
    """One visit tells all that is untold; Slack's trouble brings it back later."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store
        self._poster = Poster(context.store, context.slack)

    def visit(self, entry: Entry) -> None:
        with self._store.begin() as session:
            request = ledger.load(session, entry.request or 0)
            events, told = audit.events_of(session, entry.request or 0), posts.of(session, entry.request or 0)
        untold = [event for event in events if event.kind in _TELLS and _purpose(event, EVERYBODY) not in told]
        try:
            left = [event for event in untold if request is not None and not self._tell(entry, request, event)]
        except SlackError as error:
            self._come_back(entry, error)
            return
        with self._store.begin() as session:
            if left:
                agenda.again(session, entry, self._later(entry))
            else:
                agenda.finish(session, entry)

    def _tell(self, entry: Entry, request: Request, event: Event) -> bool:
        """Whether nobody is left to be told of it."""
        if event.kind is EventKind.OBJECTED:
            told = self._tell_operators(entry, request, event)
        elif not (is_emergency(request) if event.kind is EventKind.EMERGENCY else awaits_look(request)):
            told = True  # it was withdrawn before it began, or somebody has looked meanwhile
        else:
            told = self._tell_everybody(entry, request, event)
        is_over = told or self._store.now() > event.at + WORTH_TELLING
        if is_over:
            self._settle(request, _purpose(event, EVERYBODY))
        return is_over

    def _tell_everybody(self, entry: Entry, request: Request, event: Event) -> bool:
        message = texts.message(event, request, self._link(request))
        people, is_sure = self._people([str(each) for each in event.data.get("to") or ()])
        first = (entry.attempt - 1) % max(1, len(people))  # another one each time, so that nobody's trouble is everybody's
        people = [user for user in (*people[first:], *people[:first]) if user != request.requester]
        told = [self._direct(entry, request, event, user, message) for user in people]
        return is_sure and all(told)

    def _tell_operators(self, entry: Entry, request: Request, event: Event) -> bool:
        """In their channel; each of them directly, where Slack does not let the bot post there."""
        channel, link = self._context.config.operators_channel, self._link(request)
        try:
            purpose = _purpose(event, CHANNEL)
            self._poster.once(request.id, purpose, channel, *texts.objection(event, request, link), fence=entry)
        except SlackRefused as error:
            log.warning("objection.not_told", request=request.id, channel=channel, code=error.code)
            people, is_sure = self._people(self._context.operators(request))
            message = texts.objection(event, request, link, instead_of=channel)
            told = [self._direct(entry, request, event, user, message) for user in people]
            return is_sure and all(told)
        return True

    def _people(self, subjects: Sequence[str]) -> tuple[list[str], bool]:
        """Everybody, groups by their members as Slack tells them now; and whether it told all of them."""
        groups = groups_in(subjects)
        members = self._context.people.members(groups) if groups else {}
        users = [user for each in subjects for user in (sorted(members.get(each, ())) if each in groups else [each])]
        return list(dict.fromkeys(users)), groups <= members.keys()

    def _direct(self, entry: Entry, request: Request, event: Event, user: str, message: Message) -> bool:
        """Whether they are told, or cannot be. What Slack refuses for another reason is tried again after the others."""
        purpose = _purpose(event, user)
        with self._store.begin() as session:
            known = posts.of(session, request.id).get(purpose)
        if known is not None and known.ts:
            return True
        try:
            self._poster.once(request.id, purpose, self._context.slack.direct_channel(user), *message, fence=entry)
        except SlackRefused as error:
            log.warning("person.not_told", about=event.kind.value, code=error.code)
            if error.error in UNREACHABLE:
                self._settle(request, purpose)
            return error.error in UNREACHABLE
        return True

    def _link(self, request: Request) -> str:
        """The card's address; "" while it is not there, or Slack does not tell."""
        with self._store.begin() as session:
            card = posts.of(session, request.id).get(CARD)
        try:
            return self._context.slack.permalink(card.channel, card.ts) if card is not None and card.ts else ""
        except SlackError:
            return ""

    def _settle(self, request: Request, purpose: str) -> None:
        """Nothing more is to be posted for this purpose."""
        with self._store.begin() as session:
            posts.arrived(session, self._store.now(), request.id, purpose, "", REFUSED)

    def _come_back(self, entry: Entry, error: SlackError) -> None:
        log.info("alarm.later", request=entry.request, error=type(error).__name__, code=error.code)
        due = self._later(entry)
        if isinstance(error, SlackRateLimited):
            due = self._store.now() + timedelta(seconds=error.retry_after)
        with self._store.begin() as session:
            agenda.again(session, entry, due)

    def _later(self, entry: Entry) -> datetime:
        return later(self._store.now(), entry.attempt, longest=RARELY)


def _purpose(event: Event, whom: str) -> str:
    return f"alarm:{event.id}:{whom}"
