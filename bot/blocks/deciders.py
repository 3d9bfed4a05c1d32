"""Who decides, in words: what a rule asks for, what is still missing, and what has changed since."""

from collections.abc import Iterable, Sequence

from bot.blocks import words
from bot.blocks.text import code
from bot.domain.quorum import Standing, standing
from bot.domain.requests import Request
from bot.domain.rules import Rule, Seats

#: As many groups, and characters for all of them, as are told in one line.
MOST, ROOM = 8, 1200


def asked_for(rule: Rule) -> str:
    """All that a rule asks for, as "1 of @leads, and 1 of @security"."""
    return together(rule.all, [rule.any], rule.silent)


def still_wanted(request: Request) -> str:
    """What is missing under the rule that it was asked under; "" when nothing is, or when there is no rule."""
    if request.rule is None:
        return ""
    found = standing_of(request, request.rule)
    return "" if found.reached else together(found.missing, [found.one_of], request.rule.silent)


def standing_of(request: Request, rule: Rule) -> Standing:
    """By the groups that each voter was in when the vote was counted."""
    voters = {vote.user: vote.seats for vote in request.votes if vote.verdict == words.APPROVE}
    return standing(rule, voters).besides({request.requester, *voters})


def lines(request: Request) -> list[str]:
    """For the card: who is still wanted, who may besides, and whether the rule has changed."""
    if request.rule is None:
        return []
    told = [f"*Still wanted*: {still_wanted(request) or 'nobody under the rule that it was asked under'}"]
    told[0] += f" ({code(request.rule.line, 100)})"
    if request.rule.silent:
        told.append("More people may approve who are not pinged; *Why?* names them.")
    if request.rule.comment or (request.rule_now and request.rule_now.comment):
        told.append("Whoever approves is asked for a comment.")
    if request.rule_now is not None:
        told.append(
            f"⚠️ *The rule has changed since this was asked*: today it takes {asked_for(request.rule_now)} "
            f"({code(request.rule_now.line, 100)}). Both count, so the stricter one decides."
        )
    return told


def seats_in_words(seats: Sequence[Seats], silent: Sequence[str] = ()) -> list[str]:
    """Each as "2 of @ana or @leads"; who is silent is not mentioned, because a mention pings."""
    room = ROOM // max(1, min(len(seats), MOST))
    told = [f"{each.count} of {_people(each.subjects, silent, room)}" for each in seats[:MOST]]
    return told if len(seats) <= MOST else [*told, f"{len(seats) - MOST} more groups"]


def together(every: Sequence[Seats], choices: Iterable[Sequence[Seats]], silent: Sequence[str]) -> str:
    """As "1 of @leads, and either 1 of @security, or 2 of @ana or @ben"; of each choice, one is enough."""
    parts = seats_in_words(every, silent)
    for options in (seats_in_words(choice, silent) for choice in choices if choice):
        parts.append(options[0] if len(options) == 1 else f"either {', or '.join(options)}")
    return ", and ".join(parts)


def _people(subjects: Sequence[str], silent: Sequence[str], room: int) -> str:
    if not subjects:
        return "nobody"
    loud = [subject for subject in subjects if subject not in silent]
    if not loud:
        return "those who are not pinged"
    return words.people(loud, room).replace(", ", " or ")
