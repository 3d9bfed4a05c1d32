"""The calls of one PBX so far, and waiting for the next ones."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from bot.sandbox.changes import Announced
from bot.sandbox.pbx.calls import PbxCall
from bot.sandbox.pbx.incoming import Incoming


@dataclass
class Record:
    """Safe from any thread. Whoever holds ``changed`` sees the PBX standing still."""

    #: Guards the whole PBX, and is notified at each call and each change.
    changed: Announced = field(default_factory=Announced)
    _calls: list[PbxCall] = field(default_factory=list)

    def add(self, call: Incoming, errcode: int | None, at: datetime) -> int:
        """Note a call that has had its effect; says its number, which counts from 0."""
        params: dict[str, Any] = call.for_log()
        with self.changed:
            number = len(self._calls)
            self._calls.append(PbxCall(number, call.method, call.path, params, errcode, at, call.client, call.user_agent))
            self.changed.notify_all()
        return number

    def delivered(self, number: int) -> None:
        """Note that the answer to this call goes out."""
        with self.changed:
            self._calls[number] = replace(self._calls[number], delivered=True)
            self.changed.notify_all()

    def all(self) -> list[PbxCall]:
        with self.changed:
            return list(self._calls)

    def wait_for(self, predicate: Callable[[], bool], timeout: float) -> bool:
        """True as soon as the predicate is; TimeoutError with the latest calls after so many seconds."""
        with self.changed:
            if self.changed.wait_for(predicate, timeout):
                return True
            latest = "\n".join(f"  {call.method} {call.path} -> {call.errcode}" for call in self._calls[-10:])
        raise TimeoutError(f"This did not happen within {timeout} s. The latest calls:\n{latest or '  none'}")
