"""The bot's lives, one process after another, and the zygote from which they come."""

import json
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.crash.points import Point
from tests.flow.world import World

#: Seconds of real time for what takes no time on an idle machine.
PATIENCE = 30.0


class Zygote:
    """`tests.crash.zygote`, which gives a fresh process to whoever connects."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="zygote-")
        self._address = f"{self._folder.name}/door"
        command = [sys.executable, "-m", "tests.crash.zygote", self._address]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n", "the zygote did not start"

    def connect(self) -> socket.socket:
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        line.connect(self._address)
        return line

    def close(self) -> None:
        self._process.communicate(timeout=PATIENCE)
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class Life:
    """One process of the bot, from its start to its end, in the world's time."""

    def __init__(self, zygote: Zygote, world: World, config: Path, skipped: float, armed: Point | None) -> None:
        self.passed: list[Point] = []
        #: What went past the gateways.
        self.astray: list[str] = []
        self._world = world
        self._news = threading.Condition()
        self._looks: list[dict[str, Any]] = []
        self._over = self._up = False
        self._line = zygote.connect()
        self._order(
            config=str(config),
            environ=dict(world.environ()),
            skipped=skipped,
            log=str(world.folder / "bot.log"),
            armed=armed,
        )
        self._reader = threading.Thread(target=self._read, name="victim", daemon=True)
        self._reader.start()
        self._wait(lambda: self._up or self._over)

    @property
    def is_over(self) -> bool:
        return self._over

    def advance(self, seconds: float) -> None:
        """Let its clock jump; the world's own has jumped already."""
        self._order(advance=seconds)

    def look(self) -> Mapping[str, Any]:
        """What is on its agenda (see `tests.crash.victim`); empty if it died meanwhile."""
        count = len(self._looks)
        self._order(look=True)
        self._wait(lambda: len(self._looks) > count or self._over)
        return self._looks[-1] if len(self._looks) > count else {}

    def go_astray(self, port: int) -> str:
        """Let it connect past every gateway; what it says of itself then."""
        self._order(stray=port)
        self._wait(lambda: bool(self.astray) or self._over)
        return self.astray[-1]

    def end(self) -> None:
        """End it from outside, as abruptly as by a kill."""
        with suppress(OSError):
            self._line.shutdown(socket.SHUT_WR)
        self._wait(lambda: self._over)
        self._reader.join(PATIENCE)
        self._line.close()

    def _wait(self, happened: Callable[[], bool]) -> None:
        with self._news:
            if not self._news.wait_for(happened, PATIENCE):
                raise TimeoutError("The victim neither did as it was told nor died.")

    def _order(self, **order: Any) -> None:
        with suppress(BrokenPipeError):  # it is dead, and its reader says so
            self._line.sendall(json.dumps(order).encode() + b"\n")

    def _read(self) -> None:
        with self._line.makefile("r", encoding="utf-8") as lines, suppress(ConnectionResetError):
            for line in lines:
                self._hear(json.loads(line))
        with self._news:
            self._over = True
            self._news.notify_all()
        self._world.slack.lose_unanswered()  # nobody has to sit out Slack's three seconds

    def _hear(self, news: dict[str, Any]) -> None:
        with self._news:
            if "passed" in news:
                self.passed.append(Point(*news["passed"]))
            elif "astray" in news:
                self.astray.append(news["astray"])
            elif "look" in news:
                self._looks.append(news["look"])
            else:
                self._up = True
            self._news.notify_all()
