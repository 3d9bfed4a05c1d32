"""What shall happen only after Slack has its answer.

A listener runs in the thread that sends the answer, so what it defers is collected there and started once the answer is on its
way. A `views.update` that overtook its own acknowledgement would be painted over by it.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

log = structlog.get_logger(__name__)

Deferred = Callable[[], None]


class _Collected(threading.local):
    jobs: list[Deferred] | None = None


_collected = _Collected()


@contextmanager
def collecting() -> Iterator[list[Deferred]]:
    """Collect what the listeners of this block defer; the caller starts it."""
    jobs: list[Deferred] = []
    _collected.jobs = jobs
    try:
        yield jobs
    finally:
        _collected.jobs = None


def defer(job: Deferred) -> None:
    """Raises RuntimeError outside of `collecting`: then nobody would start it."""
    if _collected.jobs is None:
        raise RuntimeError("nothing is being answered in this thread")
    _collected.jobs.append(job)


def run(job: Deferred) -> None:
    """The last frame of a thread; what must not be lost is on the agenda."""
    try:
        job()
    except Exception as error:  # noqa: BLE001 - a thread of the pool, in which nobody looks for it
        log.warning("afterwards.failed", error=type(error).__name__, code=getattr(error, "code", ""))
