"""Several bots on one world, from outside: started, killed, stopped, told of the time."""

import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.crash.shared_clock import SharedClock
from tests.flow.world import World

#: Seconds of real time for what takes no time on an idle machine.
PATIENCE = 60.0
#: Seconds by which time jumps at most: less than a lease, so that whoever is at work keeps what is theirs.
LONGEST_JUMP = 31.0
#: Added to a jump, so that what is due then is due.
_MOMENT = 0.002
#: Seconds of real time between two looks at what the bots do.
_GLANCE = 0.05


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
        self.owner = ""
        self.stands_still = False
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

    def arm(self, **trap: Any) -> None:
        """See `tests.crash.replica.Trap`."""
        self._order(arm=trap)

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

    def wait_over(self, timeout: float = PATIENCE) -> None:
        """Until it is dead; TimeoutError if it goes on living for so long."""
        self._wait(lambda: self._over, timeout)

    def stand_still(self) -> None:
        self.stands_still = True
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.stands_still = False
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
                self.pid, self.owner = news["up"], news["owner"]
            if "reached" in news:
                self.reached.append(news["reached"])
                self.stands_still = True
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
        self._traps = itertools.count(1)
        self._first = {
            "config": str(self.config), "environ": dict(world.environ()), "clock": str(world.clock.path),
            "log": str(world.folder / "bot.log"), "pbx_wait": pbx_wait, "slack_wait": slack_wait,
        }  # fmt: skip
        world.clock.moved = self.wake

    @property
    def awake(self) -> list[Bot]:
        return [bot for bot in self.bots if not bot.is_over and not bot.stands_still]

    def start(self, count: int = 1, **first: Any) -> list[Bot]:
        """So many more, once all are connected to Slack."""
        new = self.begin(count, **first)
        self.world.slack.wait_for(lambda: self.world.slack.connections >= len(self.awake), PATIENCE)
        return new

    def begin(self, count: int = 1, **first: Any) -> list[Bot]:
        """So many more, once they have begun to listen; Slack may have lost its connection by now."""
        new = [Bot(self._nursery.connect(), {**self._first, **first}) for _ in range(count)]
        self.bots += new
        for bot in new:
            bot.wait_up()
        assert not any(bot.is_over for bot in new), f"a bot did not start: {self.log()[-2000:]}"
        return new

    def bury(self, bot: Bot) -> None:
        """Kill it if it lives, and forget it."""
        bot.end()
        self.bots.remove(bot)

    def log(self) -> str:
        """What all of them have logged."""
        return Path(str(self._first["log"])).read_text()

    def wake(self) -> None:
        for bot in list(self.bots):
            bot.wake()

    def end(self) -> None:
        for bot in self.bots:
            bot.end()

    def trap(self, like: str, how: str, nth: int = 1) -> None:
        """Whoever is first to come to its nth point from now that begins so is killed ("kill") or stands still ("stop")."""
        token = str(self.world.folder / f"trap-{next(self._traps)}")
        for bot in self.awake:
            bot.arm(like=like, how=how, nth=nth, token=token)

    def wait_trapped(self) -> Bot:
        """Who fell into the first trap."""
        wait_until(lambda: any(bot.reached for bot in self.bots), "somebody falls into the trap")
        return next(bot for bot in self.bots if bot.reached)

    def pass_time(self, goal: Callable[[], bool], *, at_most: float = 3600.0, patience: float = 60.0) -> None:
        """Let the bots work, and time jump where all of them wait, until it is so. Both limits are in seconds, the first of the
        world's time and the second of ours."""
        begun, deadline = self.world.clock(), time.monotonic() + patience
        while not goal():
            seen = self.awake[0].look()
            assert time.monotonic() < deadline, f"it does not come about; the agenda: {seen}"
            gone = (self.world.clock() - begun).total_seconds()
            assert gone < at_most, f"it did not come about within {gone} s; the agenda: {seen}"
            if seen and not self._at_work(seen) and (seen["next"] or 0) > 0:
                self.world.clock.advance(seconds=min(seen["next"] + _MOMENT, LONGEST_JUMP))
            self._glance(goal)

    def _at_work(self, seen: dict[str, Any]) -> bool:
        return bool({bot.owner for bot in self.awake} & set(seen["held"]))

    def _glance(self, goal: Callable[[], bool]) -> None:
        """Wait a little for something to change."""
        calls = len(self.world.slack.state.log)
        with suppress(TimeoutError):
            self.world.slack.wait_for(lambda: len(self.world.slack.state.log) != calls, _GLANCE)


def wait_until(happened: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """For what nobody announces: look again and again."""
    deadline = time.monotonic() + patience
    while not happened():
        assert time.monotonic() < deadline, f"It never came about that {what}."
        time.sleep(0.02)  # a pause between two looks
