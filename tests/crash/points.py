"""Which crash points a process passes: heard through `bot.crashpoints`, named so that another run passes the same."""

import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, NamedTuple

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

#: Frames that every commit has; who began the transaction is further out.
_BETWEEN = ("/bot/store/", "/bot/crashpoints.py")
_WRITES = ("INSERT", "UPDATE", "DELETE")


class Point(NamedTuple):
    """The ``ordinal``-th time (from 1) that a process passes this label."""

    label: str
    ordinal: int

    def __str__(self) -> str:
        return f"{self.label} #{self.ordinal}"


class Watch:
    """The hook of a process: tells every point, and ends the process with SIGKILL where it is told to.

    Of commits only those count that wrote something.
    """

    def __init__(self, tell: Callable[[dict[str, Any]], None], armed: Point | None) -> None:
        self._tell = tell
        self._armed = armed
        self._passed: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._here = _Here()

    def reached(self, point: str) -> None:
        self._here.inside = point.endswith(" before")
        label = self._commit(point) if point.startswith("commit ") else point
        if not label:
            return
        with self._lock:
            self._passed[label] += 1
            passed = Point(label, self._passed[label])
            self._tell({"passed": passed})
            if passed == self._armed:
                os.kill(os.getpid(), signal.SIGKILL)

    def audit(self, event_name: str, args: tuple[Any, ...]) -> None:
        """For `sys.addaudithook`: tell of each connection that is made outside of a "before" and its "after".

        The line of Socket Mode stays for as long as the process, and is no call.
        """
        if event_name == "socket.connect" and not self._here.inside:
            stack = _stack()
            if "/websocket/_http.py" not in stack:
                self._tell({"astray": f"a connection to {args[1]}: {stack}"})

    def listen_to(self, engine: Engine) -> None:
        """Notice which transactions write."""

        @event.listens_for(engine, "before_cursor_execute")
        def _executes(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            self._here.wrote = self._here.wrote or statement.lstrip().upper().startswith(_WRITES)

        @event.listens_for(engine, "begin")
        @event.listens_for(engine, "rollback")
        def _turns(_connection: Any) -> None:
            self._here.wrote = False

        @event.listens_for(engine, "commit")
        def _commits(_connection: Any) -> None:
            if self._here.wrote and not self._here.inside:
                self._tell({"astray": f"a commit: {_stack()}"})
            self._here.wrote = False

        @event.listens_for(Session, "after_begin")
        def _begins(session: Session, *_rest: Any) -> None:
            self._here.session = session

    def _commit(self, point: str) -> str:
        """The label of a commit that wrote, which it keeps from before to after."""
        when = point.rpartition(" ")[2]
        here = self._here
        if when == "before":
            here.label = f"commit {_whose(sys._getframe())}" if here.wrote or here.will_write else ""
        return f"{here.label} {when}" if here.label else ""


class _Here(threading.local):
    """What a thread knows of its transaction."""

    #: Between a "before" and its "after".
    inside = False
    wrote = False
    label = ""
    session: Session | None = None

    @property
    def will_write(self) -> bool:
        """What a session was given is written by the commit itself."""
        return self.session is not None and bool(self.session.new or self.session.dirty or self.session.deleted)


def _whose(frame: FrameType) -> str:
    """Who commits: the two innermost functions of the bot outside of its store, as ``fulfil._look > progress.settling``."""
    names = []
    for each in _outwards(frame):
        place = each.f_code.co_filename
        if "/bot/" in place and not any(part in place for part in _BETWEEN):
            names.append(f"{place.rpartition('/')[2].removesuffix('.py')}.{each.f_code.co_name}")
        if len(names) == 2:
            break
    return " > ".join(reversed(names)) or "the store itself"


def _stack() -> str:
    places = [f"{each.f_code.co_filename}:{each.f_lineno}" for each in _outwards(sys._getframe())]
    return " < ".join(places)


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back
