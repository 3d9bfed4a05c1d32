"""Let time pass for a bot under test, and read what it told: for all fault matrices."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import select

from bot.domain.requests import Request
from bot.exceptions import StoreError
from bot.store import ledger
from bot.store.agenda import Work
from bot.store.tables import AgendaRow
from tests.flow.world import World

#: Seconds of the real clock after which nothing more can be hoped for.
PATIENCE = 20.0
#: What still moves a request; schedules of their own (an expiry, a sweep) do not count.
MOVES = tuple(work.value for work in (Work.CHECK, Work.DECIDE, Work.FULFIL, Work.NARRATE))
#: Every line of a thread begins with one of these signs, whether it has a message of its own or not.
SIGNS = ("👍", "⚙️", "🔎", "📤", "📥", "⏳", "📜", "🔁", "▶️", "🛑", "✅", "❌", "❓", "🚫", "🔌")


class Driver:
    """Time for one world: it jumps only while the bot has nothing to do, so no visit loses its lease by it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._pause = threading.Event()

    def rest(self) -> None:
        """Wait until nothing is claimed and nothing is due. Raises TimeoutError."""
        until = time.monotonic() + PATIENCE
        while not self._is_idle():
            if time.monotonic() > until:
                raise TimeoutError(f"The bot is not done: {self._waiting()}")
            self._pause.wait(0.005)

    def until(self, happened: Callable[[], bool], *, jumps: int = 60, seconds: float = 31, at_rest: Callable[[], None]) -> None:
        """Let ``seconds`` pass again and again, each time that the bot has come to rest, until it happened."""
        for _ in range(jumps):
            self.rest()
            at_rest()
            if happened():
                return
            self.world.clock.advance(seconds=seconds)
        raise TimeoutError(f"This did not happen within {jumps} jumps of {seconds} s: {self._waiting()}")

    def request(self, number: int) -> Request:
        assert self.world.bot is not None
        with self.world.bot.store.begin() as session:
            found = ledger.load(session, number)
        assert found is not None
        return found

    def is_over(self, number: int) -> bool:
        """Nothing more will happen to this request by itself, and all of it is told."""
        request = self.request(number)
        return (request.has_ended or request.awaits_word) and not self.moves(number)

    def _is_idle(self) -> bool:
        now = self.world.clock()
        claimed_or_due = AgendaRow.owner.is_not(None) | (AgendaRow.due_at <= now)
        try:
            return not self._count(claimed_or_due)
        except StoreError:  # the database is what is troubled
            return False

    def moves(self, number: int) -> int:
        """How many entries of the agenda will still move this request, now or later."""
        return self._count(AgendaRow.request == number, AgendaRow.kind.in_(MOVES))

    def _count(self, *which: Any) -> int:
        assert self.world.bot is not None
        with self.world.bot.store.begin() as session:
            return len(session.execute(select(AgendaRow.id).where(*which)).all())

    def _waiting(self) -> str:
        assert self.world.bot is not None
        with self.world.bot.store.begin() as session:
            rows = session.scalars(select(AgendaRow)).all()
            now = self.world.clock()
            told = [f"{row.kind} {row.key} in {(row.due_at - now).total_seconds():.0f} s, {row.attempt}x" for row in rows]
        return "; ".join(told) or "nothing waits"


def lines(world: World, card: Mapping[str, Any]) -> list[str]:
    """The thread, line by line: a message may tell several events."""
    texts = "\n".join(world.thread(card)).splitlines()
    return [text.strip() for text in texts if text.strip().startswith(SIGNS)]


def begins(told: list[str], *signs: str) -> list[str]:
    return [line for line in told if line.startswith(signs)]
