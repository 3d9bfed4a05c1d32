"""What each PBX listed last, remembered for minutes, so that a look at all of them need not wait for any."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bot.exceptions import BotError, ConfigError, PbxError, StoreError
from bot.pbx.models import ListedCertificate
from bot.store import breakers, history
from bot.work.context import Context

log = structlog.get_logger(__name__)

#: How old a list may be that is shown.
FRESH = timedelta(minutes=10)
#: How long a PBX that did not answer is not asked again, and how old a list may be when somebody presses Refresh.
RETRY, PRESSED = timedelta(minutes=1), timedelta(seconds=5)


@dataclass(frozen=True)
class Listing:
    """One PBX. ``certificates`` is None as long as nothing is known of it that is fresh; ``trouble`` is why."""

    pbx: str
    certificates: tuple[ListedCertificate, ...] | None = None
    at: datetime | None = None
    trouble: str = ""


class Listings:
    """Thread-safe; one for the process."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._latest: dict[str, Listing] = {}
        #: The PBXs that are being asked, each with those who want to know when it has answered.
        self._asking: dict[str, list[Callable[[], None]]] = {}

    def known(self) -> list[Listing]:
        """Each configured PBX, in order. One that is away is said to be so, whatever it listed before."""
        now, away = self._context.now(), self._away()
        with self._lock:
            latest = [self._latest.get(pbx.name, Listing(pbx.name)) for pbx in self._context.config.pbx]
        return [_seen(listing, now, away.get(listing.pbx)) for listing in latest]

    def refresh(self, then: Callable[[], None], pressed: bool = False) -> None:
        """Ask those whose list is old, each in a thread of its own; ``then`` is called after each answer."""
        away = self._away()
        for pbx in self._context.config.pbx:
            if pbx.name not in away and self._is_old(pbx.name, pressed) and self._join(pbx.name, then):
                self._context.pool.submit(self._read, pbx.name)

    def _away(self) -> dict[str, datetime]:
        """Since when each PBX is away that is left alone."""
        with self._context.store.begin() as session:
            known = {pbx.name: breakers.away(session, pbx.name) for pbx in self._context.config.pbx}
        return {name: away.since for name, away in known.items() if away is not None}

    def _is_old(self, pbx: str, pressed: bool) -> bool:
        """Also when the bot itself has put something there since."""
        with self._lock:
            latest = self._latest.get(pbx)
        if latest is None or latest.at is None:
            return True
        with self._context.store.begin() as session:
            done = history.last_done(session, pbx)
        if done is not None and done > latest.at:
            return True
        keeps = PRESSED if pressed else RETRY if latest.trouble else FRESH
        return self._context.now() - latest.at > keeps

    def _join(self, pbx: str, then: Callable[[], None]) -> bool:
        """Whether the caller has to ask; if not, somebody does already."""
        with self._lock:
            is_first = pbx not in self._asking
            self._asking.setdefault(pbx, []).append(then)
            return is_first

    def _read(self, pbx: str) -> None:
        """Those who wait for it are told, whatever came of it."""
        latest: Listing | None = None
        try:
            latest = self._asked(pbx)
        finally:
            with self._lock:
                if latest is not None:
                    self._latest[pbx] = latest
                waiting = self._asking.pop(pbx, [])
            for then in waiting:
                then()

    def _asked(self, pbx: str) -> Listing:
        now = self._context.now()
        try:
            return Listing(pbx, tuple(self._context.pbx(pbx).list_certificates()), now)
        except (PbxError, StoreError, ConfigError) as error:
            log.info("listing.failed", pbx=pbx, error=type(error).__name__, code=error.code)
            return Listing(pbx, None, now, _sentence(error))


def _seen(listing: Listing, now: datetime, away_since: datetime | None) -> Listing:
    if away_since is not None:
        since = (
            f"It has not answered since {away_since:%Y-%m-%d %H:%M UTC}. The bot looks from time to time whether it is back."
        )
        return Listing(listing.pbx, trouble=since)
    is_old = listing.at is None or now - listing.at > FRESH
    return Listing(listing.pbx) if is_old else listing


def _sentence(error: BotError) -> str:
    return error.message if error.code in error.message else f"{error.message} [{error.code}]"
