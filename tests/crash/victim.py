"""The bot as a process that is killed: it takes orders on a socket, a line of JSON each, and reports the same way.

Orders: ``advance`` (seconds for its clock), ``look`` (what is on its agenda), ``stray`` (connect to
a port past every gateway), and the end of the line, which ends the process.
"""

import json
import os
import socket
import sys
import threading
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Row, select

from bot import config as configuration
from bot import crashpoints, logs
from bot.house import Bot, Waits
from bot.sandbox.clock import SandboxClock
from bot.store.agenda import Work
from bot.store.tables import AgendaRow
from tests.crash.points import Point, Watch

#: What waits for people, or for nobody: hours away, and nothing to wait for.
_PATIENT = (Work.EXPIRE.value, Work.WIPE.value, Work.REMIND.value, Work.ESCALATE.value, Work.CONFIRM.value)
#: Slack's limits are counted in real time, through which the matrix does not sit.
_WAITS = Waits(rates={})
#: Read past the bot's transactions, whose commits are points at which it may be killed.
_AGENDA = select(AgendaRow.__table__)


class Victim:
    """One bot on one line of orders."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._orders = self._read()
        self._speaking = threading.Lock()
        first = next(self._orders)
        self._clock = SandboxClock()
        self._clock.advance(seconds=first["skipped"])
        self._log = Path(first["log"]).open("a", encoding="utf-8")  # noqa: SIM115 - open until the process ends
        logs.configure("INFO", self._log)
        watch = Watch(self._tell, Point(*first["armed"]) if first["armed"] else None)
        crashpoints.hook = watch.reached
        sys.addaudithook(watch.audit)
        self._bot = Bot(configuration.load(Path(first["config"]), first["environ"]), now=self._clock, waits=_WAITS)
        watch.listen_to(self._bot.store.engine)
        self._clock.moved = self._bot.loop.wake

    def live(self) -> None:
        """Until the line ends; then as abruptly as by a kill."""
        self._bot.start()
        self._tell({"up": True})
        for order in self._orders:
            if "advance" in order:
                self._clock.advance(seconds=order["advance"])
            if "stray" in order:
                socket.create_connection(("127.0.0.1", order["stray"])).close()
            if "look" in order:
                self._tell({"look": self._look()})
        os._exit(0)

    def _look(self) -> dict[str, Any]:
        """What of the requests is on the agenda, and what is due: whether a visit is under way, and in how many seconds the
        next may begin."""
        with self._bot.store.engine.connect() as line:
            rows = line.execute(_AGENDA).all()
        now, mine = self._clock(), self._bot.store.owner
        held = [row for row in rows if row.owner is not None]
        soon = [row for row in rows if _is_of_requests(row) or row.due_at <= now]
        starts = [_start(row, held) for row in soon if row.owner != mine]
        return {
            "busy": any(row.owner == mine for row in rows),
            "next": (min(starts) - now).total_seconds() if starts else None,
            "wipes": sum(row.kind == Work.WIPE.value for row in rows),
        }

    def _tell(self, news: dict[str, Any]) -> None:
        with self._speaking:
            self._line.sendall(json.dumps(news).encode() + b"\n")

    def _read(self) -> Iterator[dict[str, Any]]:
        with self._line.makefile("r", encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)


def _is_of_requests(row: Row[Any]) -> bool:
    return row.kind not in _PATIENT and (row.request is not None or row.kind == Work.DECIDE.value)


def _start(row: Row[Any], held: Iterable[Row[Any]]) -> datetime:
    """When it can be claimed at the earliest: a dead process keeps a key until its lease runs out."""
    leases = [other.lease_until for other in held if other.key == row.key and other.lease_until]
    earliest: datetime = max([row.due_at, *leases] if row.owner is None else leases)
    return earliest
