"""The bot, as a process of its own or within this one, and what Ctrl-C does."""

import os
import signal
import subprocess
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Protocol, Self

from bot.sandbox.clock import SandboxClock
from bot.sandbox.demo.stage import PROJECT, leads_away

#: Seconds that the bot gets to finish what is in hand.
PATIENCE = 10.0


class Guest(Protocol):
    """A bot that was started within this process."""

    def stop(self) -> None: ...


#: Starts one: from this configuration, with this environment, in this time, with its log in this file.
Host = Callable[[Path, Mapping[str, str], SandboxClock, Path], Guest]


class RunningBot(ABC):
    """A bot that works on a configuration of its own."""

    def __init__(self, config: Path, environ: Mapping[str, str]) -> None:
        self._config = config
        self._environ = environ
        self.log = config.parent / "bot.log"

    @property
    @abstractmethod
    def where(self) -> str:
        """In which process it runs."""

    @abstractmethod
    def start(self) -> None: ...

    @abstractmethod
    def has_ended(self) -> bool:
        """Whether it ended by itself."""

    @abstractmethod
    def stop(self) -> None: ...

    def call(self, *command: str, timeout: float) -> tuple[bool, str]:
        """Another command of the bot's on the same configuration: whether it succeeded, and what it said."""
        try:
            done = subprocess.run(  # noqa: S603 - our own command
                self._command(*command), env=self._environ, cwd=PROJECT, stdin=subprocess.DEVNULL, capture_output=True,
                text=True, timeout=timeout, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return False, f"it did not end within {timeout:.0f} s"
        return done.returncode == 0, (done.stdout + done.stderr).strip()

    def last_lines(self, count: int = 20) -> list[str]:
        """The end of its log."""
        if not self.log.exists():
            return []
        return self.log.read_text("utf-8", errors="replace").splitlines()[-count:]

    def _command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "bot", *words, "--config", str(self._config)]


class BotInside(RunningBot):
    """The bot within this process, because only here it can live in the sandbox's time."""

    def __init__(self, config: Path, environ: Mapping[str, str], host: Host, clock: SandboxClock) -> None:
        super().__init__(config, environ)
        self._host = host
        self._clock = clock
        self._guest: Guest | None = None
        self._set_aside: dict[str, str] = {}

    @property
    def where(self) -> str:
        return f"within this process, {os.getpid()}"

    def start(self) -> None:
        """Libraries look into the environment of the process, too, so that is left only what the bot may see."""
        self._set_aside = {name: os.environ.pop(name) for name in list(os.environ) if leads_away(name)}
        self._guest = self._host(self._config, self._environ, self._clock, self.log)

    def has_ended(self) -> bool:
        return False

    def stop(self) -> None:
        """Let it finish what is in hand, for a while. What then still waits for an answer ends with the servers."""
        if self._guest is not None:
            stopping = threading.Thread(target=self._guest.stop, name="stopping", daemon=True)
            stopping.start()
            stopping.join(PATIENCE)
        os.environ.update(self._set_aside)


class BotProcess(RunningBot):
    """``python -m bot serve``, exactly as an operator starts it."""

    def __init__(self, config: Path, environ: Mapping[str, str]) -> None:
        super().__init__(config, environ)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def where(self) -> str:
        return f"as process {self._process.pid if self._process else 0}"

    def start(self) -> None:
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                self._command("serve"), env=self._environ, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def has_ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def stop(self) -> None:
        """Ask it to stop, and insist after a while. Only this process is meant, by its id."""
        if self._process is None or self.has_ended():
            return
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Interrupts:
    """Ctrl-C, SIGTERM and a terminal that is closed are one thing: KeyboardInterrupt.

    Not while it is `held`, so that no process is started without anybody who would stop it, and not once it is `over`.
    """

    _SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self) -> None:
        self._holding = False
        self._asked = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():  # no other thread may set handlers, or gets signals
            heard = [number for number in self._SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]  # as under nohup
            self._before = {number: signal.signal(number, self._came) for number in heard}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Put off until the block has ended."""
        self._holding = True
        yield
        self._holding = False
        if self._asked:
            raise KeyboardInterrupt

    def over(self) -> None:
        """From now on only what is left to clean up is done, and that to its end."""
        self._holding = True

    def _came(self, _number: int, _frame: FrameType | None) -> None:
        self._asked = True
        if not self._holding:
            raise KeyboardInterrupt
