"""Repaint a modal in the order in which its person acts.

An interaction carries the hash of the view that the person saw. If two follow each other closely, our paint after the first
changes the hash before the second is painted; so we remember which hash became which. A change that is not ours (the person
submitted meanwhile) still makes Slack refuse the paint, as it should.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from bot.exceptions import SlackRefused
from bot.slack.gateway import Gateway

#: Views that are remembered; a modal lives minutes, and a forgotten one only loses the second of two quick changes.
_MANY = 500
#: The person closed it, or went on by themselves.
_OVERTAKEN = frozenset({"hash_conflict", "not_found"})


class Painter:
    """Thread-safe. One paint a view at a time, the latest last; a paint that a later one follows is left out."""

    def __init__(self, slack: Gateway) -> None:
        self._slack = slack
        self._lock = threading.Lock()
        self._views: OrderedDict[str, _Painted] = OrderedDict()

    def acted(self, view_id: str, at: float) -> None:
        """The person did something in this view, at that time of Slack's (``action_ts``, seconds); older paints are void."""
        painted = self._painted(view_id)
        with painted.lock:
            painted.latest = max(painted.latest, at)

    def paint(self, view_id: str, at: float, view: Mapping[str, Any], seen: str | None) -> None:
        """``seen`` is the hash of the view that the person acted on. Raises SlackError, except for a view that moved on."""
        painted = self._painted(view_id)
        with painted.brush:
            if at < painted.latest:
                return
            expected = painted.became.get(seen, seen) if seen else None
            try:
                now = self._slack.update_view(view_id, view, expected)
            except SlackRefused as error:
                if error.error not in _OVERTAKEN:
                    raise
                return
            if seen:
                painted.became = {old: now for old in (*painted.became, seen, expected) if old}

    def _painted(self, view_id: str) -> "_Painted":
        with self._lock:
            painted = self._views.setdefault(view_id, _Painted())
            self._views.move_to_end(view_id)
            if len(self._views) > _MANY:
                self._views.popitem(last=False)
            return painted


class _Painted:
    """One view: when its person acted last, and which of its hashes our paints have replaced by the latest."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.brush = threading.Lock()
        self.latest = 0.0
        self.became: dict[str, str] = {}
