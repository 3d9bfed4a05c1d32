"""When an approved request begins: at once, when its requester wants it, or when its PBX may be changed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.problems import Problem
from bot.domain.requests import Ask, Request
from bot.domain.risk import Risk
from bot.domain.windows import Windows

#: A request is scheduled so far ahead at most: nobody remembers for longer what they approved.
FURTHEST = timedelta(days=90)
#: Forms show minutes, so the minute that passes is not over yet.
_MINUTE = timedelta(minutes=1)


class Why(StrEnum):
    """What a request that is approved waits for."""

    #: The time that its requester asked for.
    ASKED = "asked"
    #: The next maintenance window of its PBX.
    WINDOW = "window"


@dataclass(frozen=True)
class Beginning:
    """The soonest moment at which it may begin; ``why`` explains one that lies ahead."""

    at: datetime
    why: Why


def asked_start(ask: Ask) -> datetime | None:
    """The start that was asked for; None for as soon as it may be."""
    return datetime.fromisoformat(ask.start) if ask.start else None


def start_problem(ask: Ask, now: datetime) -> Problem | None:
    """What is wrong with the start that was asked for."""
    start = asked_start(ask)
    if start is None:
        return None
    if start <= now - _MINUTE:
        text = "This time is over. Choose one that is still to come, or leave it empty to begin as soon as it is approved."
        return Problem("start", text, "start_over")
    if start > now + FURTHEST:
        return Problem("start", f"Choose a time within the next {FURTHEST.days} days.", "start_far")
    return None


def beginning(request: Request, windows: Windows, now: datetime) -> Beginning:
    """When it begins if it is approved by now and has not begun.

    A start that was asked for is kept, outside the windows as well if the approvers were shown that it is. Once it is over
    (it was approved later, or the bot was down), it is as if none had been asked for.
    """
    if request.ask.emergency:
        return Beginning(now, Why.ASKED)
    start = asked_start(request.ask)
    if start is not None and (start > now or Risk.OUTSIDE_WINDOW.value in (request.evidence or {}).get("risks", ())):
        return Beginning(max(start, now), Why.ASKED)
    return Beginning(windows.next_opening(now), Why.WINDOW)
