"""Look at the cards themselves, for what no event tells of: one that was deleted, or that shows something else than it should.

Every ten minutes one replica plans a round: a look for each request that is not ended, or ended lately, spread over the time
until the next round, so that two hundred open cards cost no more calls a minute than Slack lets us make beside the narration.
A look reads the one message and compares. Reading is cheaper than painting: it has a limit of its own, nobody sees it, and
nothing changes if nothing is wrong. What is wrong is left to the narrator, which has its place in the queue for that.

Slack may show a message a little otherwise than it was sent (emoji become their names, ids are added), so only letters and
digits are compared. Should that find a difference where none is, then painting does not help: the same difference is put right
once an hour at most.
"""

import hashlib
import html
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.orm import Session

from bot.domain.requests import canonical
from bot.exceptions import SlackError, SlackRateLimited
from bot.store import agenda, ledger, posts
from bot.store.agenda import Entry, Work
from bot.store.engine import Store
from bot.store.posts import CARD, RIGHTED, Post
from bot.work.context import Context
from bot.work.narrate import Narrator

log = structlog.get_logger(__name__)

#: The agenda's key of the rounds: one at a time, whatever the number of replicas.
KEY = "sweep"
#: How often every card is looked at, and how far two looks are apart at least.
ROUND, APART = timedelta(minutes=10), timedelta(seconds=3)
#: A card is looked at for so long after its request ended.
AFTER_THE_END = timedelta(hours=1)
#: The same difference is put right so often at most.
AGAIN = timedelta(hours=1)
#: Looks give way to everybody else: they come back within so many seconds, each at a moment of its own.
GIVE_WAY = 60

_EMOJI = re.compile(r":[a-z0-9_+'-]+:")


def schedule(session: Session, now: datetime) -> None:
    """Let the rounds begin, if they have not yet."""
    agenda.put(session, Work.SWEEP, KEY, now + ROUND)


class Sweeper:
    """An entry without a request plans a round; one with a request looks at its card, and lets the narrator finish it."""

    def __init__(self, context: Context, narrator: Narrator) -> None:
        self._store: Store = context.store
        self._slack = context.slack
        self._narrator = narrator

    def visit(self, entry: Entry) -> None:
        if entry.request is None:
            self._plan(entry)
            return
        try:
            self._look(entry, entry.request)
        except SlackError as error:
            self._give_way(entry, entry.request, error)
            return
        self._narrator.visit(entry)

    def _plan(self, entry: Entry) -> None:
        now = self._store.now()
        with self._store.begin() as session:
            numbers = posts.with_card(session, now - AFTER_THE_END)
            apart = max(APART, ROUND / max(1, len(numbers)))
            for place, number in enumerate(numbers):
                agenda.put(session, Work.SWEEP, ledger.thread_key(number), now + place * apart, number)
            agenda.again(session, entry, now + max(ROUND, len(numbers) * apart), fresh=True)

    def _look(self, entry: Entry, number: int) -> None:
        with self._store.begin() as session:
            request, told = ledger.load(session, number), posts.of(session, number)
        card = told.get(CARD)
        if request is None or card is None or not card.ts:
            return
        painted = self._narrator.paint(request)
        seen = self._slack.message(card.channel, card.ts)
        if seen is None:
            self._is_gone(entry, number)
        elif card.shown == painted.digest and fingerprint(seen) != fingerprint(vars(painted)):
            self._is_wrong(entry, number, told, _sha256([painted.digest, fingerprint(seen)]))

    def _is_gone(self, entry: Entry, number: int) -> None:
        """Somebody deleted it: the narrator posts it anew, with everything that its thread has to tell."""
        log.warning("card.deleted", request=number)
        with self._store.begin() as session:
            agenda.hold(session, entry, self._store.now())
            posts.forget_thread(session, number)

    def _is_wrong(self, entry: Entry, number: int, told: Mapping[str, Post], difference: str) -> None:
        """It shows something else than was painted last: the narrator paints it again."""
        card, righted, now = told[CARD], told.get(RIGHTED), self._store.now()
        if righted is not None and righted.shown == difference and now < righted.intended_at + AGAIN:
            return
        log.warning("card.differs", request=number)
        with self._store.begin() as session:
            agenda.hold(session, entry, now)
            posts.arrived(session, now, number, RIGHTED, card.channel, card.ts)
            posts.repainted(session, now, number, RIGHTED, difference)
            posts.repainted(session, now, number, CARD, "")

    def _give_way(self, entry: Entry, number: int, error: SlackError) -> None:
        """What cannot be looked at now is looked at a little later, or in the next round."""
        log.info("look.later", request=number, code=error.code)
        with self._store.begin() as session:
            if isinstance(error, SlackRateLimited):
                agenda.again(session, entry, self._later(error.retry_after, number), fresh=True)
            else:
                agenda.finish(session, entry)

    def _later(self, seconds: float, number: int) -> datetime:
        return self._store.now() + timedelta(seconds=seconds + number * 7 % GIVE_WAY)


def fingerprint(message: Mapping[str, Any]) -> str:
    """What a message says and what its buttons stand for, in a form that survives what Slack does to it."""
    return _sha256([_plain(str(message.get("text", ""))), [list(_said(block)) for block in message.get("blocks") or ()]])


def _said(part: Any) -> Iterator[str]:
    """Every text, and every button's name and value, in an order that does not depend on Slack's."""
    if isinstance(part, Mapping):
        for name in ("text", "action_id", "value", "elements", "fields", "confirm", "title", "deny"):
            yield from _said(part.get(name))
    elif isinstance(part, list | tuple):
        for each in part:
            yield from _said(each)
    elif isinstance(part, str):
        yield _plain(part)


def _plain(text: str) -> str:
    return "".join(character for character in _EMOJI.sub("", html.unescape(text)) if character.isalnum())


def _sha256(value: Any) -> str:
    return hashlib.sha256(canonical(value).encode()).hexdigest()
