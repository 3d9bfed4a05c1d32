"""Repainting a form that people change faster than it can be painted.

Slack keeps a view's hash until the view is painted anew (docs.slack.dev/reference/methods/views.update), so two quick changes
come with the same one, and the second repaint would be refused as a conflict: the form would go on showing the fields of the
first. Here the newest change of a view wins, under the hash that our own last repaint made. Whatever else came into the view
meanwhile, such as "Checking", has a hash that is not ours, and stays.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

#: How many views are remembered; people fill in one each, for some minutes.
MOST = 2000

#: Paints the view over the one with this hash, and returns the hash of what it painted.
Paint = Callable[[str], str]


@dataclass
class _Painted:
    """One view: the newest change that was heard of, and what our repaints made of the hashes before them."""

    newest: str = ""
    successors: dict[str, str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def current(self, hash: str) -> str:  # noqa: A002 - Slack's word
        while hash in self.successors:
            hash = self.successors[hash]  # noqa: A001 - Slack's word
        return hash


class Repaints:
    """Thread-safe; one for the process."""

    def __init__(self) -> None:
        self._views: OrderedDict[str, _Painted] = OrderedDict()
        self._lock = threading.Lock()

    def heard(self, view_id: str, at: str) -> None:
        """Somebody changed this view; ``at`` is Slack's ``action_ts``, which grows from one change to the next."""
        with self._lock:
            view = self._views.setdefault(view_id, _Painted())
            self._views.move_to_end(view_id)
            view.newest = max(view.newest, at, key=_moment)
            while len(self._views) > MOST:
                self._views.popitem(last=False)

    def paint(self, view_id: str, at: str, hash: str, paint: Paint) -> None:  # noqa: A002 - Slack's word
        """Call ``paint`` unless a newer change was heard of, whose own repaint is on its way then."""
        with self._lock:
            view = self._views.setdefault(view_id, _Painted())
        with view.lock:
            if _moment(at) < _moment(view.newest):
                return
            current = view.current(hash)
            painted = paint(current)
            if painted and painted != current:
                view.successors[current] = painted


def _moment(at: str) -> tuple[int, str]:
    """Seconds with six decimals as text: the longer is the later."""
    return len(at), at
