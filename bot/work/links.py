"""Where the cards are: their links, which Slack makes and which never change."""

import threading
from collections import OrderedDict
from collections.abc import Iterable

import structlog

from bot.exceptions import SlackError
from bot.store import posts
from bot.work.context import Context

log = structlog.get_logger(__name__)

#: Links that are remembered.
_MANY = 5000


class Links:
    """Thread-safe. A request whose card is not posted, or whose link Slack does not tell now, is missing from what is given."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, str], str] = OrderedDict()

    def known(self, numbers: Iterable[int]) -> dict[int, str]:
        """Without asking Slack."""
        with self._lock:
            return {number: self._known[at] for number, at in self._cards(numbers).items() if at in self._known}

    def of(self, numbers: Iterable[int]) -> dict[int, str]:
        cards = self._cards(numbers)
        found = {number: link for number, at in cards.items() if (link := self._link(*at))}
        if len(found) < len(cards):
            log.info("links.missing", requests=sorted(cards.keys() - found.keys()))
        return found

    def _cards(self, numbers: Iterable[int]) -> dict[int, tuple[str, str]]:
        with self._context.store.begin() as session:
            return {number: (card.channel, card.ts) for number, card in posts.cards(session, numbers).items() if card.ts}

    def _link(self, channel: str, ts: str) -> str:
        with self._lock:
            known = self._known.get((channel, ts))
        if known:
            return known
        try:
            link = self._context.slack.permalink(channel, ts)
        except SlackError:
            return ""
        with self._lock:
            self._known[channel, ts] = link
            if len(self._known) > _MANY:
                self._known.popitem(last=False)
        return link
