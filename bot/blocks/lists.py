"""Lists of requests as the command answers them: a few lines for each, the newest first, with buttons to turn the page."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from bot.blocks import parts, words
from bot.blocks.parts import Block
from bot.blocks.text import at, code, packed
from bot.domain.requests import MOST, Request, canonical
from bot.domain.rules import mention

#: How many requests a page has.
SIZE = 10
#: As much of what was typed as a name can be long.
LONGEST = 300

PENDING, MINE, HISTORY = "pending", "mine", "history"

_UNSURE = (
    "⚠️ Slack did not say who is in one of the user groups, so something can be missing here, or lack its mark. Please try again"
    " in a minute. [membership_unknown]"
)


@dataclass(frozen=True)
class ListPlace:
    """Which list, of what, and after which request it goes on; what a button brings is only a hint."""

    kind: str
    text: str = ""
    after: int = 0

    def dump(self) -> str:
        return canonical({"l": self.kind, "q": self.text[:LONGEST], "a": self.after})

    @classmethod
    def load(cls, value: str) -> Self:
        """Raises ValueError for anything that is not such a value."""
        try:
            data = json.loads(value)
            kind, text, after = data["l"], data["q"], data["a"]
        except (KeyError, TypeError, RecursionError) as error:
            raise ValueError("not a value of one of our buttons") from error
        if type(text) is not str or len(text) > LONGEST or type(after) is not int or not 0 <= after < MOST:
            raise ValueError("not a value of one of our buttons")
        if kind not in (PENDING, MINE, HISTORY):
            raise ValueError("not one of our lists")
        return cls(kind, text, after)


@dataclass(frozen=True)
class Line:
    """One request of the list; ``link`` leads to its card, and is empty where that is not known."""

    request: Request
    link: str = ""
    waits: bool | None = False


def page(
    title: str, lines: Sequence[Line], place: ListPlace, goes_on: ListPlace | None, *, unsure: bool = False
) -> tuple[list[Block], str]:
    """The blocks, and the text for notifications. ``goes_on`` is where the next page is, None on the last one."""
    told = [_line(line) for line in lines] or ["Nothing more." if place.after else "There is none."]
    blocks = [parts.section(f"*{title}*"), *parts.sections(packed(told))]
    if unsure:
        blocks.append(parts.context(_UNSURE))
    buttons = [parts.button("Older", "list_older", goes_on.dump())] if goes_on else []
    if place.after:
        buttons.append(parts.button("Back to the newest", "list_newest", ListPlace(place.kind, place.text).dump()))
    return [*blocks, *([parts.actions(*buttons)] if buttons else [])], f"{title}: {len(lines)} on this page"


def _line(line: Line) -> str:
    request = line.request
    number = f"<{line.link}|#{request.number}>" if line.link else f"#{request.number}"
    waits = " 👉 *waits for you*" if line.waits else ""
    what = f"{words.sign(request)} *{number}* {words.KINDS[request.ask.kind]} for {code(request.ask.pbx, 100)}{_for(request)}"
    who = f"{mention(request.requester)}, {at(request.created_at)}"
    return f"{what}: *{_state(request)}*{waits}\n> {who}{_voters(request)}{_until(request)}"


def _for(request: Request) -> str:
    return f", {code(request.ask.domain, 200)}" if request.ask.domain else ""


def _state(request: Request) -> str:
    return f"{request.decision}, {request.execution}" if request.execution else str(request.decision)


def _voters(request: Request) -> str:
    said: Mapping[str, list[str]] = {
        verdict: [vote.user for vote in request.votes if vote.verdict == verdict] for verdict in (words.APPROVE, words.REJECT)
    }
    approved, rejected = (words.people(said[verdict], 300) if said[verdict] else "" for verdict in said)
    return (f"; approved by {approved}" if approved else "") + (f"; rejected by {rejected}" if rejected else "")


def _until(request: Request) -> str:
    return f"; open until {at(request.expires_at)}" if request.is_open and request.expires_at else ""
