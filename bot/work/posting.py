"""Post a message once, whatever happens meanwhile.

The intent is committed first. An intent without a message means that its fate is not known: then the channel's history is
searched for the id in the message's metadata before anything is posted again. One message may tell several things: they are
intended together, found together or posted again together.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from bot.exceptions import SlackRateLimited, SlackRefused, SlackUnreachable
from bot.slack.gateway import Gateway, Posted
from bot.store import agenda, posts
from bot.store.agenda import Entry
from bot.store.engine import Store
from bot.store.posts import About, Post

Blocks = Sequence[Mapping[str, Any]]

#: A message whose answer was lost may still appear for so long; until then "not found" proves nothing.
SETTLING = timedelta(seconds=20)
#: What is not on its way so soon after its intent is not sent on the strength of it: this process slept, and somebody else may
#: have looked for the message since.
FRESH = timedelta(seconds=10)


class Poster:
    """Posts on behalf of one request or event. Raises SlackError; whoever calls comes back later and calls again."""

    def __init__(self, store: Store, slack: Gateway) -> None:
        self._store = store
        self._slack = slack

    def once(
        self,
        about: About,
        purpose: str,
        channel: str,
        blocks: Blocks,
        text: str,
        *,
        thread: str = "",
        shown: str = "",
        also: Sequence[str] = (),
        fence: Entry | None = None,
    ) -> Post:
        """The message for this purpose: the one that is there, or a new one.

        ``also`` are the other purposes that it serves. With ``fence``, nothing is sent by who has lost that entry: LeaseLost.
        Raises SlackRefused("thread_not_found") when the thread's first message is gone.
        """
        with self._store.begin() as session:
            known = posts.of(session, about).get(purpose)
        if known is not None and (known.ts or self._found(about, known, thread)):
            return self._known(about, purpose)
        self._intend(about, (purpose, *also), channel, fence)
        return self._post(about, (purpose, *also), channel, blocks, text, thread, shown)

    def _known(self, about: About, purpose: str) -> Post:
        with self._store.begin() as session:
            return posts.of(session, about)[purpose]

    def _found(self, about: About, known: Post, thread: str) -> bool:
        """Look for the message that may have been posted. Raises SlackRateLimited while it is too early to say that it was not.

        Found, it settles everything that was intended with it.
        """
        event = event_id(about, known.told_with)
        ts = self._slack.find(known.channel, event, thread_ts=thread or None, oldest=known.intended_at)
        now = self._store.now()
        if ts:
            with self._store.begin() as session:
                for each in posts.of(session, about).values():
                    if each.told_with == known.told_with:
                        posts.arrived(session, now, about, each.purpose, known.channel, ts)
            return True
        wait = (known.intended_at + SETTLING - now).total_seconds()
        if wait > 0:
            raise SlackRateLimited(wait)
        return False

    def _intend(self, about: About, purposes: Sequence[str], channel: str, fence: Entry | None) -> None:
        now = self._store.now()
        with self._store.begin() as session:
            if fence is not None:
                agenda.hold(session, fence, now)
            for purpose in purposes:
                posts.intend(session, now, about, purpose, channel, purposes[0])

    def _post(
        self, about: About, purposes: Sequence[str], channel: str, blocks: Blocks, text: str, thread: str, shown: str
    ) -> Post:
        intended = self._known(about, purposes[0])
        if self._store.now() > intended.intended_at + FRESH:
            raise SlackRateLimited(1)
        event, *also = (event_id(about, purpose) for purpose in purposes)
        try:
            posted = self._slack.post(channel, blocks=blocks, text=text, thread_ts=thread or None, event=event, also=also)
        except (SlackUnreachable, SlackRateLimited, SlackRefused):  # certain: nothing was posted
            self._forget(about, purposes)
            raise
        if thread and posted.thread_ts != thread:
            self._must_be_there(about, purposes, posted, thread)
        with self._store.begin() as session:
            for purpose in purposes:
                posts.arrived(session, self._store.now(), about, purpose, posted.channel, posted.ts, shown)
        return self._known(about, purposes[0])

    def _must_be_there(self, about: About, purposes: Sequence[str], posted: Posted, thread: str) -> None:
        """The message did not land in its thread: if that is gone, it must not stand alone in the channel."""
        if self._slack.message(posted.channel, thread) is not None:
            return
        self._slack.delete(posted.channel, posted.ts)
        self._forget(about, purposes)
        raise SlackRefused("thread_not_found")

    def _forget(self, about: About, purposes: Sequence[str]) -> None:
        with self._store.begin() as session:
            posts.forget(session, about, *purposes)


def event_id(about: About, purpose: str) -> str:
    """What a message's metadata holds: enough to know it again, and nothing else."""
    return f"{about}/{purpose}"
