"""Post a message once, whatever happens meanwhile.

The intent is committed first. An intent without a message means that its fate is not known: then the channel's history is
searched for the id in the message's metadata before anything is posted again.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.exceptions import SlackRateLimited, SlackRefused, SlackUnreachable
from bot.slack.gateway import Gateway
from bot.store import posts
from bot.store.engine import Store
from bot.store.posts import Post

Blocks = Sequence[Mapping[str, Any]]

#: A message whose answer was lost may still appear for so long; until then "not found" proves nothing.
SETTLING = timedelta(seconds=20)


class Poster:
    """Posts on behalf of one request. Raises SlackError; whoever calls comes back later and calls again."""

    def __init__(self, store: Store, slack: Gateway) -> None:
        self._store = store
        self._slack = slack

    def once(
        self, request: int, purpose: str, channel: str, blocks: Blocks, text: str, *, thread: str = "", shown: str = ""
    ) -> Post:
        """The message for this purpose: the one that is there, or a new one."""
        with self._store.begin() as session:
            known = posts.of(session, request).get(purpose)
        if known is not None and known.ts:
            return known
        if known is not None:
            self._look(request, known, thread)
        else:
            with self._store.begin() as session:
                posts.intend(session, self._store.now(), request, purpose, channel)
        with self._store.begin() as session:
            settled = posts.of(session, request).get(purpose)
        if settled is not None and settled.ts:
            return settled
        return self._post(request, purpose, channel, blocks, text, thread, shown)

    def _look(self, request: int, known: Post, thread: str) -> None:
        """Find the message that may have been posted. Raises SlackRateLimited while it is too early to say that it was not."""
        ts = self._slack.find(
            known.channel, event_id(request, known.purpose), thread_ts=thread or None, oldest=known.intended_at
        )
        if ts:
            with self._store.begin() as session:
                posts.arrived(session, request, known.purpose, known.channel, ts)
            return
        wait = (known.intended_at + SETTLING - self._store.now()).total_seconds()
        if wait > 0:
            raise SlackRateLimited(wait)

    def _post(self, request: int, purpose: str, channel: str, blocks: Blocks, text: str, thread: str, shown: str) -> Post:
        event = event_id(request, purpose)
        try:
            posted = self._slack.post(channel, blocks=blocks, text=text, thread_ts=thread or None, event=event)
        except (SlackUnreachable, SlackRateLimited, SlackRefused):  # certain: nothing was posted
            with self._store.begin() as session:
                posts.forget(session, request, purpose)
            raise
        with self._store.begin() as session:
            posts.arrived(session, request, purpose, posted.channel, posted.ts, shown)
        return Post(purpose, posted.channel, posted.ts, shown, self._now(), purpose)

    def _now(self) -> datetime:
        return self._store.now()


def event_id(request: int, purpose: str) -> str:
    """What a message's metadata holds: enough to know it again, and nothing else."""
    return f"{request}/{purpose}"
