"""What a PBX can be told to do wrong.

A misbehaviour with ``times`` is used up by that many calls; the others last until ``clear``. Of those that decide a
call's fate (a refusal, a gateway's page, a dropped or cut connection) each call meets one, in the order they were told.
``*`` means every path.
"""

import threading
from dataclasses import dataclass, field
from typing import Literal

FateKind = Literal["refuse", "html", "drop", "truncate"]


@dataclass
class Fate:
    """How a call ends instead of its proper answer."""

    path: str
    kind: FateKind
    times: int
    #: Whether the call has its effect all the same.
    after_effect: bool = False
    errcode: int = 0
    errmsg: str | None = None
    status: int = 200


@dataclass(frozen=True)
class Mischief:
    """What one call meets."""

    fate: Fate | None = None
    #: Seconds by which the answer is late; the effect is not.
    late: float = 0.0
    content_type: str = "application/json"
    #: Whether numbers are answered as strings.
    strings: bool = False


@dataclass
class Trouble:
    """The misbehaviours that are told and not used up; safe to call from any thread."""

    _fates: list[Fate] = field(default_factory=list)
    _late: dict[str, float] = field(default_factory=dict)
    _types: dict[str, str] = field(default_factory=dict)
    _strings: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def slow(self, path: str, seconds: float) -> None:
        """Do the work at once and answer that much later."""
        with self._lock:
            self._late[path] = seconds

    def refuse(self, path: str, errcode: int, errmsg: str | None = None, times: int = 1) -> None:
        """Answer with an errcode, without any effect."""
        self._tell(Fate(path, "refuse", times, errcode=errcode, errmsg=errmsg))

    def html(self, path: str, status: int = 502, times: int = 1, *, after_effect: bool = False) -> None:
        """Answer as a gateway in front of the PBX does: with a web page."""
        self._tell(Fate(path, "html", times, after_effect=after_effect, status=status))

    def drop(self, path: str, *, after_effect: bool, times: int = 1) -> None:
        """Close the connection without an answer, before or after the call took effect."""
        self._tell(Fate(path, "drop", times, after_effect=after_effect))

    def truncate(self, path: str, times: int = 1) -> None:
        """Let the call take effect, send half of the answer and close."""
        self._tell(Fate(path, "truncate", times, after_effect=True))

    def content_type(self, path: str, value: str) -> None:
        """Label the (unchanged) answers as something else."""
        with self._lock:
            self._types[path] = value

    def strings(self, path: str) -> None:
        """Answer numbers as strings."""
        with self._lock:
            self._strings.add(path)

    def awaits(self, path: str, kind: FateKind) -> bool:
        """Whether such a fate was told and is not used up."""
        with self._lock:
            return any((fate.path, fate.kind) == (path, kind) for fate in self._fates)

    def spare(self, path: str, kind: FateKind) -> None:
        """Take back such a fate."""
        with self._lock:
            self._fates = [fate for fate in self._fates if (fate.path, fate.kind) != (path, kind)]

    def clear(self) -> None:
        """Behave again."""
        with self._lock:
            self._fates.clear()
            self._late.clear()
            self._types.clear()
            self._strings.clear()

    def meet(self, path: str) -> Mischief:
        """What a call to this path meets now; uses up one time of a fate."""
        with self._lock:
            return Mischief(
                fate=self._next_fate(path),
                late=self._late.get(path, self._late.get("*", 0.0)),
                content_type=self._types.get(path, self._types.get("*", "application/json")),
                strings=bool(self._strings & {path, "*"}),
            )

    def _tell(self, fate: Fate) -> None:
        with self._lock:
            self._fates.append(fate)

    def _next_fate(self, path: str) -> Fate | None:
        fate = next((fate for fate in self._fates if fate.path in (path, "*")), None)
        if fate is not None:
            fate.times -= 1
            if fate.times <= 0:
                self._fates.remove(fate)
        return fate
