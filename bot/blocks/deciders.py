"""Who decides, in words: what a rule asks for, what is still missing, and what has changed since."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from bot.blocks import words
from bot.blocks.text import code
from bot.domain.requests import Request
from bot.domain.rules import Rule, Seats
from bot.domain.wanted import silent, standing_of

#: As many groups, and characters for all of them, as are told in one line.
MOST, ROOM = 8, 1200


def asked_for(rule: Rule) -> str:
    """All that a rule asks for, as "1 of @leads, and 1 of @security"."""
    return together(rule.all, [rule.any], rule.silent)


def still_wanted(request: Request, rule: Rule, quiet: Collection[str]) -> str:
    """What is missing under one of its rules; "" when nothing is. Who is ``quiet`` is not mentioned."""
    found = standing_of(request, rule)
    return "" if found.reached else together(found.missing, [found.one_of], quiet)


def lines(request: Request) -> list[str]:
    """For the card: who is still wanted, who may besides, and whether the rule has changed."""
    if request.rule is None:
        return []
    quiet = silent(request)
    wanted = still_wanted(request, request.rule, quiet) or "nobody under the rule that it was asked under"
    told = [f"*Still wanted*: {wanted} ({code(request.rule.line, 100)})"]
    if request.rule_now is not None:
        told.append(_has_changed(request.rule_now))
        told.append(f"*Still wanted under that one*: {still_wanted(request, request.rule_now, quiet) or 'nobody'}")
    if quiet:
        told.append("More people may approve who are not pinged; *Why?* names them.")
    if any(rule.comment for rule in request.rules):
        told.append("Whoever approves is asked for a comment.")
    return told


def lacked(request: Request) -> list[str]:
    """What a request had and what it lacked when it expired."""
    told, quiet = [f"It had {words.votes_so_far(request)}."], silent(request)
    for rule in request.rules:
        if wanted := still_wanted(request, rule, quiet):
            told.append(f"*It lacked* {wanted} ({code(rule.line, 100)})")
    return told


def _has_changed(today: Rule) -> str:
    return (
        f"⚠️ *The rule has changed since this was asked*: today it takes {asked_for(today)} ({code(today.line, 100)}). Both"
        " count, so the stricter one decides."
    )


def told(data: Mapping[str, Any], quiet: Collection[str]) -> str:
    """What an event says is still to be taken; "" when it says nothing of it."""
    return together(_seats(data.get("missing")), [_seats(choice) for choice in data.get("one_of") or ()], quiet)


def seats_in(data: Mapping[str, Any]) -> list[Seats]:
    """All seats that an event says are still to be taken, those included of which one is enough."""
    return [*_seats(data.get("missing")), *(seats for choice in data.get("one_of") or () for seats in _seats(choice))]


def _seats(data: Iterable[Mapping[str, Any]] | None) -> list[Seats]:
    return [Seats.from_json(seats) for seats in data or ()]


def seats_in_words(seats: Sequence[Seats], quiet: Collection[str] = ()) -> list[str]:
    """Each as "2 of @ana or @leads"; who is silent is not mentioned, because a mention pings."""
    room = ROOM // max(1, min(len(seats), MOST))
    told = [f"{each.count} of {_people(each.subjects, quiet, room)}" for each in seats[:MOST]]
    return told if len(seats) <= MOST else [*told, f"{len(seats) - MOST} more groups"]


def together(every: Sequence[Seats], choices: Iterable[Sequence[Seats]], quiet: Collection[str]) -> str:
    """As "1 of @leads, and either 1 of @security, or 2 of @ana or @ben"; of each choice, one is enough."""
    parts = seats_in_words(every, quiet)
    for options in (seats_in_words(choice, quiet) for choice in choices if choice):
        parts.append(options[0] if len(options) == 1 else f"either {', or '.join(options)}")
    return ", and ".join(parts)


def _people(subjects: Sequence[str], quiet: Collection[str], room: int) -> str:
    if not subjects:
        return "nobody"
    loud = [subject for subject in subjects if subject not in quiet]
    if not loud:
        return "those who are not pinged"
    return words.people(loud, room).replace(", ", " or ")
