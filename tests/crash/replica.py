"""One of several bots, as a process that can be killed or stopped from outside and at its own crash points.

Orders come on a socket, a line of JSON each: ``wake`` (the clock was moved), ``arm`` (what to do at which point), ``look``
(what is on the agenda, and how many points were passed), and the end of the line, which ends the process. It runs as a module
to be the one that all others are forked from, because importing the bot takes longer than most tests do.
"""

import json
import os
import select
import signal
import socket
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select as select_rows

from bot import config as configuration
from bot import crashpoints, logs
from bot.house import Bot, Waits
from bot.store.agenda import Work
from bot.store.tables import AgendaRow
from tests.crash.shared_clock import SharedClock

#: What waits for people, or comes round and round: nothing to wait for, until it is due.
PATIENT = tuple(
    work.value
    for work in (
        Work.EXPIRE, Work.WIPE, Work.SWEEP, Work.WITNESS, Work.REDUCE, Work.NIGHTLY, Work.DIGEST, Work.REMIND, Work.ESCALATE,
        Work.CONFIRM,
    )
)  # fmt: skip
SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}


class Trap:
    """Counts the points that the process passes, and ends or stops it at one of them."""

    def __init__(self, replica: "Replica") -> None:
        self._replica = replica
        self._lock = threading.Lock()
        self._armed: dict[str, Any] = {}
        self.passed: Counter[str] = Counter()

    def arm(self, order: dict[str, Any]) -> None:
        """``like`` is how the point begins; ``nth`` counts from 1, beginning now; ``how`` is a key of `SIGNALS`.

        ``token`` names a file that is made by whoever falls into the trap: of several processes with the same, one does.
        """
        with self._lock:
            self._armed = order

    def reached(self, point: str) -> None:
        with self._lock:
            self.passed[point] += 1
            if not self._armed or not point.startswith(self._armed["like"]):
                return
            self._armed["nth"] -= 1
            if self._armed["nth"] > 0:
                return
            fallen, self._armed = self._armed, {}
        if _is_first(fallen["token"]):
            self._replica.tell({"reached": point})
            os.kill(os.getpid(), SIGNALS[fallen["how"]])


def _is_first(token: str) -> bool:
    try:
        Path(token).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


class Replica:
    """One bot on one line of orders."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._speaking = threading.Lock()
        self._orders = self._read()
        first = next(self._orders)
        clock = SharedClock(Path(first["clock"]))
        self._log = Path(first["log"]).open("a", encoding="utf-8")  # noqa: SIM115 - open until the process ends
        logs.configure("INFO", self._log)
        self._trap = Trap(self)
        crashpoints.hook = self._trap.reached
        waits = Waits(pbx=first["pbx_wait"], slack=first["slack_wait"], rates={})
        self._bot = Bot(configuration.load(Path(first["config"]), first["environ"]), now=clock, waits=waits)
        self._now = clock

    def live(self) -> None:
        """Until the line ends; then as abruptly as by a kill."""
        self._bot.start()
        self.tell({"up": os.getpid(), "owner": self._bot.store.owner})
        for order in self._orders:
            if "wake" in order:
                self._bot.loop.wake()
            if "arm" in order:
                self._trap.arm(order["arm"])
            if "look" in order:
                self.tell({"look": self._look()})
        os._exit(0)

    def tell(self, news: dict[str, Any]) -> None:
        with self._speaking:
            self._line.sendall(json.dumps(news).encode() + b"\n")

    def _look(self) -> dict[str, Any]:
        """Who has visits under way, in how many seconds the next may begin, and what this process passed."""
        with self._bot.store.begin() as session:
            rows = list(session.scalars(select_rows(AgendaRow)))
        now = self._now()
        held = {row.key: row.lease_until or now for row in rows if row.owner is not None}
        due = [start for row in rows if (start := _start(row, held)) <= now or row.kind not in PATIENT]
        return {
            "held": [row.owner for row in rows if row.owner is not None and (row.lease_until or now) > now],
            "next": (min(due) - now).total_seconds() if due else None,
            "kinds": dict(Counter(row.kind for row in rows)),
            "passed": dict(self._trap.passed),
        }

    def _read(self) -> Iterator[dict[str, Any]]:
        with self._line.makefile("r", encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)


def _start(row: AgendaRow, held: Mapping[str, datetime]) -> datetime:
    """When it can be claimed at the earliest: a dead process keeps its keys until their leases run out."""
    return held[row.key] if row.owner is not None else max(row.due_at, held.get(row.key, row.due_at))


def serve(address: str) -> None:
    """Fork a replica for each connection, until standard input ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the dead
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        door.bind(address)
        door.listen()
        print("ready", flush=True)  # noqa: T201 - whoever started us waits for it
        while True:
            ready, _, _ = select.select([door, sys.stdin], [], [])
            if sys.stdin in ready:
                return
            line, _ = door.accept()
            assert threading.active_count() == 1, "forking with threads would copy locks that nobody opens"
            if os.fork() == 0:
                door.close()
                _become_replica(line)
            line.close()


def _become_replica(line: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):  # whoever started us waits for the end of these
        os.dup2(nothing, stream)
    try:
        Replica(line).live()
    except BaseException:  # noqa: BLE001 - the last frame of a process, which never goes back into the loop that serves
        traceback.print_exc()
    os._exit(1)


if __name__ == "__main__":
    serve(sys.argv[1])
