"""What other processes commit wakes this one: PostgreSQL's LISTEN, on a connection of its own.

Each commit that changed the agenda says so by NOTIFY (`bot.store.engine`). Where the line breaks, it is made anew, and what was
missed meanwhile is found by looking once; until then the agenda's slow poll finds it. SQLite serves one process, whose commits
wake it directly, so there is nothing to hear.
"""

import select
import socket
import threading
from typing import Any

import psycopg
import structlog

from bot.store.engine import LINE, NEWS, Store

log = structlog.get_logger(__name__)

#: Seconds between two attempts to be connected.
PAUSE = 2.0


class Wakes:
    """One thread that calls ``store.committed`` when another process has committed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._stopping = threading.Event()
        #: Heard by the thread beside its line to the server, so that it can be told to end.
        self._told, self._tell = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="wakes", daemon=True)

    def start(self) -> None:
        if self._store.engine.dialect.name == "postgresql":
            self._thread.start()

    def stop(self, seconds: float) -> None:
        self._stopping.set()
        self._tell.close()
        if self._thread.is_alive():
            self._thread.join(seconds)
        if not self._thread.is_alive():
            self._told.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._listen()
            except psycopg.Error as error:
                log.info("wakes.interrupted", error=type(error).__name__)
                self._stopping.wait(PAUSE)

    def _listen(self) -> None:
        """Until the line breaks, with an error, or the process ends."""
        with self._connected() as line:
            line.execute(f"LISTEN {NEWS}")
            self._store.committed()  # what was committed while nobody listened
            while not self._stopping.is_set():
                select.select([line.fileno(), self._told.fileno()], [], [])
                self._hear(line)

    def _connected(self) -> psycopg.Connection[Any]:
        places, names = self._store.engine.dialect.create_connect_args(self._store.engine.url)
        return psycopg.connect(*places, **{**names, **LINE, "autocommit": True})

    def _hear(self, line: psycopg.Connection[Any]) -> None:
        """Our own commits have woken us already."""
        said = {news.payload for news in line.notifies(timeout=0)}
        if said - {self._store.owner}:
            self._store.committed()
