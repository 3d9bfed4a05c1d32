"""Paint people's home tabs: at once from our own rows and what is remembered, and again when a PBX has answered.

Whoever acts in their tab sees the outcome of the latest act. A paint that is not the first after an act bears the hash of the
one before, so that it cannot cover what another act, perhaps in another replica, has painted since.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from bot.blocks import dialogs
from bot.blocks import home as blocks
from bot.blocks.home import Entry, Home, Part, Places
from bot.exceptions import SlackError, SlackRefused, StoreError
from bot.store import history
from bot.work.context import Context
from bot.work.links import Links
from bot.work.listings import Listings
from bot.work.reading import MEMBERS_FOR, Page, Reader

log = structlog.get_logger(__name__)

#: Tabs that are remembered; of a forgotten one only the late second paint is lost.
_MANY = 500

View = Mapping[str, Any]


@dataclass
class _Tab:
    """One person's tab: which act of theirs was the last, and what we painted after it."""

    turn: int = 0
    places: Places = field(default_factory=Places)
    hash: str = ""
    shown: View | None = None
    #: A second paint is on its way already, and will show whatever is known by then.
    due: bool = False
    brush: threading.Lock = field(default_factory=threading.Lock)


class Homes:
    """Thread-safe; one for the process."""

    def __init__(self, context: Context, reader: Reader, links: Links, listings: Listings) -> None:
        self._context = context
        self._reader = reader
        self._links = links
        self._listings = listings
        self._lock = threading.Lock()
        self._tabs: OrderedDict[str, _Tab] = OrderedDict()

    def acted(self, user: str, places: Places, *, pressed: bool = False) -> Callable[[], None]:
        """They opened their tab or did something in it: what paints it, to be called once this is acknowledged.

        With ``pressed`` they want to know how it is now, so the PBXs are asked anew.
        """
        with self._lock:
            tab = self._tabs.setdefault(user, _Tab())
            self._tabs.move_to_end(user)
            if len(self._tabs) > _MANY:
                self._tabs.popitem(last=False)
            tab.turn, tab.places = tab.turn + 1, places
            turn = tab.turn
        return lambda: self._show(user, tab, turn, pressed)

    def _show(self, user: str, tab: _Tab, turn: int, pressed: bool) -> None:
        self._paint(user, tab, turn, is_first=True)
        try:
            self._listings.refresh(lambda: self._later(user, tab, turn), pressed)
        except StoreError as error:  # the tab says so already, or will when it is opened again
            log.info("home.not_repainted", error=type(error).__name__, code=error.code)

    def _later(self, user: str, tab: _Tab, turn: int) -> None:
        """Paint once more; one such paint shows all that has become known until it begins."""
        with self._lock:
            if tab.due or turn != tab.turn:
                return
            tab.due = True
        self._context.pool.submit(self._paint, user, tab, turn, is_first=False)

    def _paint(self, user: str, tab: _Tab, turn: int, *, is_first: bool) -> None:
        """And once more if the links of cards have to be asked for first."""
        try:
            numbers = self._brush(user, tab, turn, is_first)
            if self._links.of(set(numbers) - self._links.known(numbers).keys()):
                self._later(user, tab, turn)
        except StoreError as error:
            log.info("home.not_repainted", error=type(error).__name__, code=error.code)

    def _brush(self, user: str, tab: _Tab, turn: int, is_first: bool) -> list[int]:
        """The numbers of the requests that the tab shows now; none if another act came after this one."""
        with tab.brush:
            tab.due = False
            if turn != tab.turn or not (is_first or tab.hash):
                return []
            expected = None if is_first else tab.hash
            if is_first:
                tab.hash = ""
            try:
                view, numbers = self._view(user, tab.places)
            except StoreError as error:
                if not is_first:
                    return []
                view, numbers = blocks.unavailable(dialogs.not_read(error.code, error.message), tab.places), []
            if is_first or view != tab.shown:
                self._publish(user, tab, view, expected)
            return numbers

    def _publish(self, user: str, tab: _Tab, view: View, expected: str | None) -> None:
        try:
            tab.hash = self._context.slack.publish_home(user, view, expected)
            tab.shown = view
        except SlackRefused as error:
            tab.hash = ""
            if error.error != "hash_conflict":  # that means that the tab shows what came of a later act
                log.warning("home.refused", code=error.code)
        except SlackError as error:
            log.info("home.not_painted", error=type(error).__name__, code=error.code)

    def _view(self, user: str, places: Places) -> tuple[View, list[int]]:
        verdict = self._context.may_take_part(user, MEMBERS_FOR)
        if not verdict.permitted:
            return blocks.unavailable(f"{verdict.reason} [{verdict.code}]", places), []
        waiting = self._reader.page(user, history.waiting, places.waiting, blocks.SIZE, waiting=True)
        mine, after_mine = self._mine(user, places)
        running = self._reader.page(user, history.running, places.running, blocks.SIZE)
        numbers = [item.request.id for page in (waiting, mine, running) for item in page.items]
        links = self._links.known(numbers)
        shown = Home(
            user=user,
            now=self._context.now(),
            waiting=_part(waiting, links, replace(places, waiting=0), places, replace(places, waiting=waiting.after)),
            mine=_part(mine, links, replace(places, mine=0, mine_ended=False), places, after_mine),
            running=_part(running, links, replace(places, running=0), places, replace(places, running=running.after)),
            listings=self._listings.known(),
            places=places,
            unsure=waiting.unsure or running.unsure,
        )
        return blocks.home(shown), numbers

    def _mine(self, user: str, places: Places) -> tuple[Page, Places]:
        """What is not ended stands first; and where the next page begins."""
        begun = Page(())
        if not places.mine_ended:
            begun = self._reader.page(user, history.by_and_open(user), places.mine, blocks.SIZE)
            if begun.more:
                return begun, replace(places, mine=begun.after)
        after = places.mine if places.mine_ended else 0
        ended = self._reader.page(user, history.by_and_ended(user), after, blocks.SIZE - len(begun.items))
        whole = Page((*begun.items, *ended.items), ended.after, ended.more)
        return whole, replace(places, mine=ended.after, mine_ended=True)


def _part(page: Page, links: Mapping[int, str], begins: Places, places: Places, after: Places) -> Part:
    """``begins`` are the places with this section at its beginning."""
    entries = tuple(Entry(item.request, links.get(item.request.id, ""), bool(item.waits)) for item in page.items)
    return Part(entries, after if page.more else None, begins if begins != places else None)
