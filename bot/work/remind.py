"""Remind the thread of a request that nobody has decided, and tell others of it when that takes too long.

The event, the narration and the next reminder are one transaction with the end of the entry: each is told once, whoever is
killed. It asks nobody, Slack included, so it holds up nobody.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy.orm import Session

from bot.domain import wanted
from bot.domain.events import BOT, Event, EventKind
from bot.domain.requests import Request
from bot.exceptions import Stale
from bot.store import agenda, audit, ledger, reminders, votes
from bot.store.agenda import Entry, Work
from bot.work.context import Context


class Reminder:
    """A due `Work.REMIND` or `Work.ESCALATE`."""

    def __init__(self, context: Context) -> None:
        self._store = context.store

    def visit(self, entry: Entry) -> None:
        """An entry that came too late for its request does nothing; nor does one beside a later one: it was asked for anew."""
        try:
            with self._store.begin() as session:
                agenda.finish(session, entry)
                request = self._open(session, entry)
                if request is not None:
                    self._tell(session, entry.kind, request)
        except Stale:  # it was decided or changed meanwhile
            with self._store.begin() as session:
                agenda.finish(session, entry)

    def _open(self, session: Session, entry: Entry) -> Request | None:
        request = ledger.load(session, entry.request or 0)
        if request is None or not request.is_open or agenda.awaits(session, entry.kind, request.id):
            return None
        if request.expires_at is not None and request.expires_at <= self._store.now():
            return None
        ledger.still_open(session, request)
        return request

    def _tell(self, session: Session, kind: Work, request: Request) -> None:
        now, data = self._store.now(), who_is_missing(request)
        if kind is Work.REMIND:
            number = 1 + len(_since_it_was_asked(audit.events_of(session, request.id), EventKind.REMINDED))
            audit.append(session, now, EventKind.REMINDED, BOT, request.id, **data, number=number)
            reminders.again(session, now, request, number)
        else:
            to = [subject for subject in (request.rule.escalate_to if request.rule else ()) if subject != request.requester]
            audit.append(session, now, EventKind.ESCALATED, BOT, request.id, **data, to=to)
        ledger.narrate(session, now, request.id)


def who_is_missing(request: Request) -> dict[str, Any]:
    """For an event: the seats that are left, and whom to mention for it."""
    return {"wanted": [*wanted.subjects(request)], **votes.still_wanted(wanted.standings(request))}


def escalated_to(events: Iterable[Event]) -> list[str]:
    """Who was told of this version of a request because nobody decided it."""
    told = _since_it_was_asked(events, EventKind.ESCALATED)
    return list(dict.fromkeys(subject for event in told for subject in event.data.get("to", ())))


def _since_it_was_asked(events: Iterable[Event], kind: EventKind) -> list[Event]:
    """Those of a kind since the request was asked for, or last changed."""
    found: list[Event] = []
    for event in events:
        if event.kind in (EventKind.PENDING, EventKind.EDITED):
            found = []
        elif event.kind is kind:
            found.append(event)
    return found
