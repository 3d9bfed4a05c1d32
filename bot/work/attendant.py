"""A thread that looks whenever there is news, and after a while without any."""

import threading
import time
from abc import ABC, abstractmethod


class Attendant(ABC):
    """A `bot.work.loop.Worker`. News that comes during a look is looked at next; a burst of news is one."""

    def __init__(self, name: str, lull: float) -> None:
        """``lull``: seconds from a look that left nothing to do to the next, at least."""
        self._lull = lull
        self._news = threading.Condition()
        self._heard = 0
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @abstractmethod
    def look(self) -> float:
        """Do what there is to do; the seconds until there may be more, or 0 to look again at once. Raises nothing."""

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """There is news."""
        with self._news:
            self._heard += 1
            self._news.notify_all()

    def pause(self) -> None:
        """Look no more."""
        self._stopping = True
        self.wake()

    def stop(self, until: float) -> bool:
        """Wait for the look that is under way, at most until then by the monotonic clock; whether it has ended."""
        self.pause()
        if self._thread.is_alive():
            self._thread.join(max(0.0, until - time.monotonic()))
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping:
            heard = self._heard
            seconds = self.look()
            if seconds > 0:
                self._rest(heard, seconds)

    def _rest(self, heard: int, seconds: float) -> None:
        lull = time.monotonic() + self._lull
        with self._news:
            self._news.wait_for(lambda: self._heard != heard or self._stopping, seconds)
            self._news.wait_for(lambda: self._stopping, max(0.0, lull - time.monotonic()))
