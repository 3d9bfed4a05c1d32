"""What calls are made to PBXs, for whoever wants to write them down: method, path, how it ended and how long it took.

A call's parameters, token and contents are not among it, so nothing secret can be.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from bot.exceptions import PbxError, PbxRefused


@dataclass(frozen=True)
class CallMade:
    """``errcode`` is None where no answer came that has one; ``error`` is our own code, empty for a good answer."""

    call: str
    errcode: int | None
    error: str
    milliseconds: int


@dataclass
class Overheard:
    """The calls of one thread since it began to listen; ``step`` is what they were made for."""

    step: str = ""
    calls: list[tuple[str, CallMade]] = field(default_factory=list)


_listening: ContextVar[Overheard | None] = ContextVar("listening", default=None)


@contextmanager
def listening(step: str = "") -> Iterator[Overheard]:
    """Overhear what this thread calls meanwhile, logins included."""
    heard = Overheard(step)
    before = _listening.set(heard)
    try:
        yield heard
    finally:
        _listening.reset(before)


def heard_so_far() -> Overheard | None:
    return _listening.get()


def note(method: str, path: str, outcome: object, seconds: float) -> None:
    """One exchange has ended: ``outcome`` is the answer or the error."""
    heard = _listening.get()
    if heard is None:
        return
    error = outcome.code if isinstance(outcome, PbxError) else ""
    errcode = outcome.errcode if isinstance(outcome, PbxRefused) else None if error else 0
    heard.calls.append((heard.step, CallMade(f"{method} {path}", errcode, error, round(seconds * 1000))))
