"""The sandbox's time: real time plus what was skipped. Whoever is given this clock lives in the same time."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class SandboxClock:
    """Call it for the time. It runs like any clock and can be put forward, never back."""

    def __init__(self) -> None:
        self._skipped = timedelta()
        self._lock = threading.Lock()
        #: Called after each jump, for those who sleep until a certain time.
        self.moved: Callable[[], None] = lambda: None

    def __call__(self) -> datetime:
        with self._lock:
            return datetime.now(UTC) + self._skipped

    def advance(self, **by: float) -> None:
        """Skip this much; ``by`` are the arguments of `timedelta`."""
        step = timedelta(**by)
        if step < timedelta():
            raise ValueError("The sandbox's clock does not go back.")
        with self._lock:
            self._skipped += step
        self.moved()
