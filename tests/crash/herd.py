"""Several bots on one world, from outside: started, killed, stopped, told of the time."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.crash.shared_clock import SharedClock
from tests.flow.world import World

#: Seconds of real time for what takes no time on an idle machine.
PATIENCE = 30.0


class Nursery:
    """`tests.crash.replica`, which gives a fresh bot to whoever connects."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="nursery-")
        self._address = f"{self._folder.name}/door"
        command = [sys.executable, "-m", "tests.crash.replica", self._address]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n", "the nursery did not start"

    def connect(self) -> socket.socket:
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        line.connect(self._address)
        return line

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.communicate(timeout=PATIENCE)
        self._folder.cleanup()


class Bot:
    """One process. ``reached`` are the points at which it was told to stop or to die, and did."""

    def __init__(self, line: socket.socket, first: dict[str, Any]) -> None:
        self.pid = 0
        self.reached: list[str] = []
        self._news = threading.Condition()
        self._looks: list[dict[str, Any]] = []
        self._over = False
        self._line = line
        self._order(**first)
        self._reader = threading.Thread(target=self._read, name="replica", daemon=True)
        self._reader.start()

    def wait_up(self) -> Self:
        self._wait(lambda: self.pid > 0 or self._over)
        return self

    @property
    def is_over(self) -> bool:
        return self._over

    def wake(self) -> None:
        self._order(wake=True)

    def arm(self, like: str, how: str, nth: int = 1) -> None:
        """At the nth point from now that begins so, it is killed ("kill") or stands still ("stop")."""
        self._order(arm={"like": like, "how": how, "nth": nth})

    def wait_reached(self, timeout: float = PATIENCE) -> str:
        """The point at which it did."""
        count = len(self.reached)
        self._wait(lambda: len(self.reached) > count or self._over, timeout)
        return self.reached[-1]

    def look(self) -> dict[str, Any]:
        """See `tests.crash.replica`; empty if it died meanwhile."""
        count = len(self._looks)
        self._order(look=True)
        self._wait(lambda: len(self._looks) > count or self._over)
        return self._looks[-1] if len(self._looks) > count else {}

    def kill(self) -> None:
        """SIGKILL, from outside and at whatever moment this is."""
        self._signal(signal.SIGKILL)
        self._wait(lambda: self._over)

    def stand_still(self) -> None:
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def end(self) -> None:
        if not self._over and self.pid:
            self.kill()
        with suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)
        self._reader.join(PATIENCE)
        self._line.close()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def _wait(self, happened: Callable[[], bool], timeout: float = PATIENCE) -> None:
        with self._news:
            if not self._news.wait_for(happened, timeout):
                raise TimeoutError(f"The bot {self.pid} neither did as it was told nor died.")

    def _order(self, **order: Any) -> None:
        with suppress(OSError):  # it is dead, and its reader says so
            self._line.sendall(json.dumps(order).encode() + b"\n")

    def _read(self) -> None:
        with self._line.makefile("r", encoding="utf-8") as lines, suppress(OSError):
            for line in lines:
                self._hear(json.loads(line))
        with self._news:
            self._over = True
            self._news.notify_all()

    def _hear(self, news: dict[str, Any]) -> None:
        with self._news:
            if "up" in news:
                self.pid = news["up"]
            if "reached" in news:
                self.reached.append(news["reached"])
            if "look" in news:
                self._looks.append(news["look"])
            self._news.notify_all()


class Herd:
    """The bots of one world, which lives in a `SharedClock`'s time."""

    def __init__(self, nursery: Nursery, world: World, *, pbx_wait: float = 20.0, slack_wait: int = 10) -> None:
        assert isinstance(world.clock, SharedClock), "every process needs the same time"
        self.world = world
        self.bots: list[Bot] = []
        self.config = world.write_config()
        self._nursery = nursery
        self._first = {
            "config": str(self.config), "environ": dict(world.environ()), "clock": str(world.clock.path),
            "log": str(world.folder / "bot.log"), "pbx_wait": pbx_wait, "slack_wait": slack_wait,
        }  # fmt: skip
        world.clock.moved = self.wake

    @property
    def alive(self) -> list[Bot]:
        return [bot for bot in self.bots if not bot.is_over]

    def start(self, count: int = 1) -> list[Bot]:
        """So many more, once each is connected to Slack."""
        before = self.world.slack.connections
        new = [Bot(self._nursery.connect(), self._first) for _ in range(count)]
        self.bots += new
        for bot in new:
            bot.wait_up()
        assert not any(bot.is_over for bot in new), f"a bot did not start: {self.log()[-2000:]}"
        self.world.slack.wait_for(lambda: self.world.slack.connections >= before + count, PATIENCE)
        return new

    def log(self) -> str:
        return Path(str(self._first["log"])).read_text()

    def wake(self) -> None:
        for bot in self.bots:
            bot.wake()

    def end(self) -> None:
        for bot in self.bots:
            bot.end()
