"""Reading a paged list to its end, although it can change meanwhile and servers page in ways of their own."""

from collections.abc import Callable, Mapping
from typing import Any

from bot.exceptions import PbxBadAnswer
from bot.pbx.answers import Answer
from bot.pbx.lenient import items, number

#: A full PBX (3 + 20) fits on one page of this size.
PAGE_SIZE = 25

#: More pages than the smallest page size would ever need: against an answer that never ends.
MOST_PAGES = 60

#: How often a list that changed while it was read is read from the start.
ATTEMPTS = 3

Item = Mapping[str, Any]


def read_all(page: Callable[[int], Answer], key: str) -> list[Item]:
    """All items, each id once, in the order of their ids. ``page`` fetches one page by its number, from 1.

    Raises PbxBadAnswer if the PBX never shows as many as it says there are: a part is not passed off as the whole.
    """
    for _ in range(ATTEMPTS):
        found = _read_once(page, key)
        if found is not None:
            return [found[each] for each in sorted(found)]
    raise PbxBadAnswer(
        "The PBX shows fewer certificates than it says it has, each time it is asked. Somebody may be changing them right now; "
        f"try again in a minute. ({PbxBadAnswer.code})"
    )


def _read_once(page: Callable[[int], Answer], key: str) -> dict[int, Item] | None:
    """None if what was found does not fit the total, or if the total changed from one page to the next."""
    found: dict[int, Item] = {}
    totals: set[int | None] = set()
    for at in range(1, MOST_PAGES + 1):
        answer = page(at)
        new = {identity(item): item for item in items(answer.get(key)) if identity(item) not in found}
        found |= new
        totals.add(total := number(answer.get("total_number")))
        if not new or (total is not None and len(found) >= total):
            break
    return found if len(totals) == 1 and len(found) >= (total or 0) else None


def identity(item: Item) -> int:
    """The id by which a certificate is asked for again. Raises PbxBadAnswer for an item without one."""
    told = number(item.get("id"))
    if told is None:
        raise PbxBadAnswer(f"The PBX listed a certificate without an id, so it cannot be told apart. ({PbxBadAnswer.code})")
    return told
