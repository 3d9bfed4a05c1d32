"""Write to each person what a digest's event says of them: once, and nobody waits for one who cannot be written to.

What is told is how things stand when it is told: what was decided since is left out, and who has nothing left hears nothing.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import structlog
from sqlalchemy.orm import Session

from bot.blocks.digest import MOST, digest
from bot.domain.events import Event
from bot.domain.policy import PROFILE_UNKNOWN
from bot.domain.requests import Request
from bot.exceptions import SlackError, SlackRateLimited, SlackRefused
from bot.store import agenda, audit, ledger, posts
from bot.store.agenda import Entry
from bot.store.posts import REFUSED
from bot.work.context import Context
from bot.work.links import Links
from bot.work.loop import later
from bot.work.narrate import UNREACHABLE
from bot.work.posting import Poster

log = structlog.get_logger(__name__)

#: After so long it is no help any more; the next one comes soon.
WORTH_TELLING = timedelta(hours=12)
#: Seconds between attempts, at most, while Slack refuses what it should not.
RARELY = 600.0


class Courier:
    """One visit tells everybody who can be told now; Slack's trouble brings it back later."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store
        self._slack = context.slack
        self._poster = Poster(context.store, context.slack)
        self._links = Links(context)

    def visit(self, entry: Entry, number: int) -> None:
        with self._store.begin() as session:
            event = audit.event(session, number)
        trouble: SlackError | None = None
        if event is not None and self._store.now() < event.at + WORTH_TELLING:
            try:
                trouble = self._tell_all(entry, event)
            except SlackError as error:
                trouble = error
        with self._store.begin() as session:
            if trouble is None:
                agenda.finish(session, entry)
            else:
                self._come_back(session, entry, trouble)

    def _tell_all(self, entry: Entry, event: Event) -> SlackError | None:
        """What kept the last of those from being told who shall be tried again; raises what keeps everybody."""
        trouble, still_open = None, self._open(event)
        for user, numbers in self._untold(event):
            waiting = [still_open[number] for number in numbers if number in still_open]
            waiting = [request for request in waiting if not any(vote.user == user for vote in request.votes)]
            if not waiting:
                continue
            if not self._may_act(user):
                self._give_up(event, user)
                continue
            try:
                self._tell(entry, event, user, waiting)
            except SlackRefused as error:
                log.warning("digest.not_told", code=error.code)
                if error.error in UNREACHABLE:
                    self._give_up(event, user)
                else:
                    trouble = error
        return trouble

    def _open(self, event: Event) -> dict[int, Request]:
        """What can still be decided of all that the event names."""
        now = self._store.now()
        numbers = sorted({number for each in event.data.get("requests", ()) for number in each})
        with self._store.begin() as session:
            found = [ledger.load(session, number) for number in numbers]
        return {one.id: one for one in found if one and one.is_open and not (one.expires_at and one.expires_at <= now)}

    def _untold(self, event: Event) -> Iterator[tuple[str, Sequence[int]]]:
        """Those of whom it is not known whether they were told come last: finding that out may take its time."""
        with self._store.begin() as session:
            told = posts.of(session, posts.of_event(event.id))
        pairs = zip(event.data.get("users", ()), event.data.get("requests", ()), strict=False)
        left = [(user, numbers) for user, numbers in pairs if not ((post := told.get(purpose(user))) and post.ts)]
        yield from sorted(left, key=lambda pair: purpose(pair[0]) in told)

    def _tell(self, entry: Entry, event: Event, user: str, waiting: Sequence[Request]) -> None:
        channel = self._slack.direct_channel(user)
        message = digest(waiting, self._links.of(request.id for request in waiting[:MOST]))
        self._poster.once(posts.of_event(event.id), purpose(user), channel, *message, fence=entry)

    def _may_act(self, user: str) -> bool:
        """Whoever was deactivated, or may not approve as a guest or a bot, is not told; of whom Slack says nothing now, is."""
        verdict = self._context.may_take_part(user)
        return verdict.permitted or verdict.code == PROFILE_UNKNOWN

    def _give_up(self, event: Event, user: str) -> None:
        with self._store.begin() as session:
            posts.arrived(session, self._store.now(), posts.of_event(event.id), purpose(user), "", REFUSED)

    def _come_back(self, session: Session, entry: Entry, error: SlackError) -> None:
        now = self._store.now()
        log.info("digest.later", error=type(error).__name__, code=error.code)
        if isinstance(error, SlackRateLimited):
            agenda.again(session, entry, now + timedelta(seconds=error.retry_after), fresh=True)
        else:
            agenda.again(session, entry, later(now, entry.attempt, longest=RARELY))


def purpose(user: str) -> str:
    return f"direct:{user}"
