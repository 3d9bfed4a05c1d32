"""A condition that can also be listened to, for those who have no thread to wait in."""

import threading
from collections.abc import Callable


class Announced(threading.Condition):
    """Whoever listens is called at each ``notify_all``, under the lock: a listener must be quick and must not wait."""

    def __init__(self) -> None:
        super().__init__(threading.RLock())
        self._listeners: list[Callable[[], None]] = []

    def listen(self, listener: Callable[[], None]) -> None:
        with self:
            self._listeners.append(listener)

    def notify_all(self) -> None:
        super().notify_all()
        for listener in self._listeners:
            listener()
