"""How SIGTERM and SIGINT end the process: the first asks for it, the second does it; and SIGHUP, which lets it read anew.

One thread waits for them (sigwait), because a handler runs in the middle of whatever the main thread is doing and may there
take no lock, not even to set an Event.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)

SIGNALS = (signal.SIGTERM, signal.SIGINT)
RELOAD = signal.SIGHUP
#: Seconds after which the process is gone, whatever still holds it. Docker sends SIGKILL after ten.
DEADLINE = 9.5


#: Seconds that a start may still take after that. It is safe to end it: nothing is in hand before it is over.
TO_START = 3.0


class Ending:
    """``asked`` is set when the process shall end; set ``started`` when there is something to finish.

    ``reload`` is called for each SIGHUP; one that comes before there is anything to reload is not lost.
    """

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.started = threading.Event()
        self._reload: Callable[[], None] | None = None
        self._wanted = False
        self._lock = threading.Lock()

    def reloads(self, reload: Callable[[], None]) -> None:
        """Call this for each SIGHUP from now on."""
        with self._lock:
            self._reload = reload
            wanted = self._wanted
        if wanted:
            reload()

    def watch(self) -> None:
        """To be called before any thread is started: each inherits that these signals are not for it."""
        signal.pthread_sigmask(signal.SIG_BLOCK, (*SIGNALS, RELOAD))
        threading.Thread(target=self._run, name="signals", daemon=True).start()

    def _run(self) -> None:
        while signal.sigwait((*SIGNALS, RELOAD)) == RELOAD:
            self._hang_up()
        self.asked.set()
        overdue = threading.Timer(DEADLINE, _overdue)
        overdue.daemon = True
        overdue.start()
        if not self.started.wait(TO_START):
            leave(0)
        leave(128 + signal.sigwait(SIGNALS))

    def _hang_up(self) -> None:
        with self._lock:
            self._wanted = True
            reload = self._reload
        if reload is not None:
            reload()


def _overdue() -> None:
    log.warning("bot.stop_overdue", seconds=DEADLINE)
    leave(0)


def leave(code: int) -> None:
    """End at once, without waiting for threads that are in a call."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
