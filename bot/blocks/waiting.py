"""What is said of a request that nobody decides: reminders, the word to others, and its end."""

from collections.abc import Mapping
from typing import Any

from bot.blocks import deciders, words
from bot.blocks.text import at, escape
from bot.domain.events import Event
from bot.domain.requests import Request


def reminded(event: Event, request: Request) -> str:
    number = event.data.get("number")
    which = f" {escape(str(number), 20)}" if number not in (None, 1) else ""
    return f"⏰ *Reminder{which}*: this still waits for its approval, {_since(request)}.{_wanted(event.data)}"


def escalated(event: Event, request: Request) -> str:
    told = _people(event.data, "to")
    to = f"{words.people(told, 1000)}, nobody" if told else "Nobody"
    return (
        f"📣 {to} has decided this yet: *{escape(words.title(request), 300)}*, asked for by <@{request.requester}>,"
        f" {_since(request)}.{_wanted(event.data)}"
    )


def expired(event: Event, request: Request) -> str:
    """Everybody who had to do with it hears that nothing more is to be done."""
    involved = (*words.approvers_of(request), *_people(event.data, "wanted"), *_people(event.data, "to"))
    others = [person for person in dict.fromkeys(involved) if person != request.requester]
    known = f" {words.people(others, 800)}: nothing is left to be done about it." if others else ""
    missing = _in_words(event.data)
    lacked = f" It lacked {missing}." if missing else ""
    return (
        f"⌛ *expired*: nobody decided in time, so nothing was done.{lacked} <@{request.requester}>, if it is still needed,"
        f" please ask again with `/pbx-cert`.{known}"
    )


def _since(request: Request) -> str:
    until = f" and until {at(request.expires_at)}" if request.expires_at else ""
    return f"since {at(request.created_at)}{until}"


def _wanted(data: Mapping[str, Any]) -> str:
    missing = _in_words(data)
    return f" Still wanted: {missing}." if missing else ""


def _in_words(data: Mapping[str, Any]) -> str:
    """The seats that are missing; mentioned are those who are to be, and nobody else."""
    mentioned = _people(data, "wanted")
    named = (subject for seats in deciders.seats_in(data) for subject in seats.subjects)
    return deciders.told(data, [subject for subject in named if subject not in mentioned])


def _people(data: Mapping[str, Any], name: str) -> list[str]:
    return [str(subject) for subject in data.get(name) or ()]
