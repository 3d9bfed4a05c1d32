"""Post a message once, whatever happens meanwhile.

The intent is committed first. An intent without a message means that its fate is not known: then the channel's history is
searched for the id in the message's metadata before anything is posted again. One message may tell several things: they are
intended together, found together or posted again together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
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
        if known is not None and known.ts:
            return known
        if known is not None and (ts := self._found(about, known, thread)):
            return replace(known, ts=ts)
        purposes = (purpose, *also)
        intended = self._intend(about, purposes, channel, fence)
        posted = self._post(about, purposes, channel, blocks, text, thread, intended)
        with self._store.begin() as session:
            for each in purposes:
                posts.arrived(session, self._store.now(), about, each, posted.channel, posted.ts, shown)
        return Post(purpose, posted.channel, posted.ts, shown, intended, purpose)

    def _found(self, about: About, known: Post, thread: str) -> str:
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
            return ts
        wait = (known.intended_at + SETTLING - now).total_seconds()
        if wait > 0:
            raise SlackRateLimited(wait)
        return ""

    def _intend(self, about: About, purposes: Sequence[str], channel: str, fence: Entry | None) -> datetime:
        now = self._store.now()
        with self._store.begin() as session:
            if fence is not None:
                agenda.hold(session, fence, now)
            for purpose in purposes:
                posts.intend(session, now, about, purpose, channel, purposes[0])
        return now

    def _post(
        self, about: About, purposes: Sequence[str], channel: str, blocks: Blocks, text: str, thread: str, intended: datetime
    ) -> Posted:
        if self._store.now() > intended + FRESH:
            raise SlackRateLimited(1)
        event, *also = (event_id(about, purpose) for purpose in purposes)
        try:
            posted = self._slack.post(
                channel, blocks=blocks, text=text, thread_ts=thread or None, event=event, also=also, not_after=intended + FRESH
            )
        except (SlackUnreachable, SlackRateLimited, SlackRefused):  # certain: nothing was posted
            self._forget(about, purposes, intended)
            raise
        if thread and posted.thread_ts != thread:
            self._must_be_there(about, purposes, posted, thread, intended)
        return posted

    def _must_be_there(self, about: About, purposes: Sequence[str], posted: Posted, thread: str, intended: datetime) -> None:
        """The message did not land in its thread: if that is gone, it must not stand alone in the channel."""
        if self._slack.message(posted.channel, thread) is not None:
            return
        self._slack.delete(posted.channel, posted.ts)
        self._forget(about, purposes, intended)
        raise SlackRefused("thread_not_found")

    def _forget(self, about: About, purposes: Sequence[str], intended: datetime) -> None:
        """Our own intent; one that somebody else had since is not ours to forget."""
        with self._store.begin() as session:
            known = posts.of(session, about)
            ours = [each for each in purposes if each in known and known[each].intended_at == intended]
            posts.forget(session, about, *ours)


def event_id(about: About, purpose: str) -> str:
    """What a message's metadata holds: enough to know it again, and nothing else."""
    return f"{about}/{purpose}"
