"""The sandbox's time for several processes at once."""

import mmap
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.sandbox.clock import SandboxClock

_SIZE = 8  # bytes of a float


class SharedClock(SandboxClock):
    """What was skipped lies in a file that all processes map.

    A process that stood still for a while finds the right time in the moment in which it goes on, as on a real machine: no
    order has to reach it first.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        if not path.exists():
            path.write_bytes(bytes(_SIZE))
        with path.open("r+b") as file:
            self._seconds = memoryview(mmap.mmap(file.fileno(), _SIZE)).cast("d")
        self.path = path

    def __call__(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._seconds[0])

    def advance(self, **by: float) -> None:
        """Skip this much, for everybody; only one process does."""
        step = timedelta(**by)
        if step < timedelta():
            raise ValueError("The sandbox's clock does not go back.")
        with self._lock:
            self._seconds[0] += step.total_seconds()
        self.moved()
