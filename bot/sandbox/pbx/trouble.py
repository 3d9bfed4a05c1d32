"""What a PBX can be told to do wrong.

A misbehaviour with ``times`` is used up by that many calls, of which the first ``skip`` to its path are spared; the others
last until ``clear``. Of those that decide a call's fate (a refusal, a gateway's page, a dropped, cut, silent or trickling
connection) each call meets one, in the order they were told. ``*`` means every path.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

FateKind = Literal["refuse", "html", "drop", "truncate", "hang", "trickle"]
#: What somebody does beside the API: another administrator, or whoever pulls a cable.
Act = Callable[[], object]


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
    #: So many calls are spared first.
    skip: int = 0


@dataclass
class Meanwhile:
    """Something that happens once, while the answer to a call is on its way."""

    path: str
    act: Act
    skip: int


@dataclass(frozen=True)
class Mischief:
    """What one call meets."""

    fate: Fate | None = None
    #: What happens after the call's work and before its answer leaves.
    meanwhile: tuple[Act, ...] = ()
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
    _meanwhile: list[Meanwhile] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def slow(self, path: str, seconds: float) -> None:
        """Do the work at once and answer that much later."""
        with self._lock:
            self._late[path] = seconds

    def refuse(self, path: str, errcode: int, errmsg: str | None = None, times: int = 1, *, skip: int = 0) -> None:
        """Answer with an errcode, without any effect."""
        self._tell(Fate(path, "refuse", times, errcode=errcode, errmsg=errmsg, skip=skip))

    def html(self, path: str, status: int = 502, times: int = 1, *, after_effect: bool = False, skip: int = 0) -> None:
        """Answer as a gateway in front of the PBX does: with a web page."""
        self._tell(Fate(path, "html", times, after_effect=after_effect, status=status, skip=skip))

    def drop(self, path: str, *, after_effect: bool, times: int = 1, skip: int = 0) -> None:
        """Close the connection without an answer, before or after the call took effect."""
        self._tell(Fate(path, "drop", times, after_effect=after_effect, skip=skip))

    def truncate(self, path: str, times: int = 1, *, skip: int = 0) -> None:
        """Let the call take effect, send half of the answer and close."""
        self._tell(Fate(path, "truncate", times, after_effect=True, skip=skip))

    def hang(self, path: str, *, after_effect: bool, times: int = 1, skip: int = 0) -> None:
        """Keep the connection open and answer nothing, until the caller gives up."""
        self._tell(Fate(path, "hang", times, after_effect=after_effect, skip=skip))

    def trickle(self, path: str, times: int = 1, *, skip: int = 0) -> None:
        """Let the call take effect, and answer a byte at a time: each comes soon, the whole never within any limit."""
        self._tell(Fate(path, "trickle", times, after_effect=True, skip=skip))

    def meanwhile(self, path: str, act: Act, *, skip: int = 0) -> None:
        """Once the call has had its effect, and before its answer leaves, let this happen beside the API, once.

        It runs under the PBX's lock, so that the caller's next call finds it done.
        """
        with self._lock:
            self._meanwhile.append(Meanwhile(path, act, skip))

    def content_type(self, path: str, value: str) -> None:
        """Label the (unchanged) answers as something else."""
        with self._lock:
            self._types[path] = value

    def strings(self, path: str) -> None:
        """Answer numbers as strings."""
        with self._lock:
            self._strings.add(path)

    @property
    def pending(self) -> int:
        """How many fates and other events were told and are not used up."""
        with self._lock:
            return len(self._fates) + len(self._meanwhile)

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
            self._meanwhile.clear()

    def meet(self, path: str) -> Mischief:
        """What a call to this path meets now; uses up one time of a fate."""
        with self._lock:
            return Mischief(
                fate=self._next_fate(path),
                meanwhile=self._due(path),
                late=self._late.get(path, self._late.get("*", 0.0)),
                content_type=self._types.get(path, self._types.get("*", "application/json")),
                strings=bool(self._strings & {path, "*"}),
            )

    def _tell(self, fate: Fate) -> None:
        with self._lock:
            self._fates.append(fate)

    def _due(self, path: str) -> tuple[Act, ...]:
        """What happens with this call; each is used up by it."""
        due = [each for each in self._meanwhile if each.path in (path, "*") and not _spared(each)]
        self._meanwhile = [each for each in self._meanwhile if each not in due]
        return tuple(each.act for each in due)

    def _next_fate(self, path: str) -> Fate | None:
        fate = next((fate for fate in self._fates if fate.path in (path, "*") and not _spared(fate)), None)
        if fate is not None:
            fate.times -= 1
            if fate.times <= 0:
                self._fates.remove(fate)
        return fate


def _spared(told: Fate | Meanwhile) -> bool:
    """Whether this call is one of those that pass first; counts it."""
    if told.skip <= 0:
        return False
    told.skip -= 1
    return True
