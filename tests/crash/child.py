"""The bot as a process of its own, so that it can be killed."""

import os
import signal
import subprocess
import sys

from tests.flow.world import World


class Child:
    """`python -m bot serve` on a world's configuration."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._config = world.write_config()
        self.log = world.folder / "bot.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Child":
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bot", "serve", "--config", str(self._config)],
                env={**os.environ, **self._world.environ()},
                stderr=log,
            )
        self._world.slack.wait_connected(timeout=20)
        return self

    @property
    def pid(self) -> int:
        assert self._process is not None, "the child is not running"
        return self._process.pid

    def kill(self) -> None:
        """SIGKILL: nothing is finished, nothing is said."""
        self._end(signal.SIGKILL)
        self._world.slack.wait_for(lambda: not self._world.slack.connected)

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        self._process.send_signal(number)
        code = self._process.wait(timeout=20)
        self._process = None
        return code

    def verify(self) -> str:
        """What `audit verify` says; raises CalledProcessError when the chain is broken."""
        done = subprocess.run(
            [sys.executable, "-m", "bot", "audit", "verify", "--config", str(self._config)],
            env={**os.environ, **self._world.environ()},
            capture_output=True,
            check=True,
            text=True,
        )
        return done.stdout
