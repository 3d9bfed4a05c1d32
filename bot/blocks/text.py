"""Text for Slack: escaped, cut to a length, and unable to do anything that its writer was not asked for.

What people and certificates bring along is data. It is escaped after docs.slack.dev/messaging/formatting-message-text, loses
its control characters, and is shown as inline code or as a quotation, so that it can neither mention anybody nor look like a
line of ours.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

#: The most that one text object of a section may hold (docs.slack.dev/reference/block-kit/blocks/section-block).
MAX_TEXT = 3000

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_MARK = "\N{REPLACEMENT CHARACTER}"
#: Characters that reorder the text around them (Unicode Standard Annex 9) or hide in it.
_UNSEEN = re.compile("[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def clean(text: str) -> str:
    """One line. Control, reordering and invisible characters show as a replacement mark instead of doing anything."""
    seen = _UNSEEN.sub(_MARK, text).strip()
    return "".join(" " if c.isspace() else _MARK if unicodedata.category(c) in ("Cc", "Cs") else c for c in seen)


def escape(text: str, limit: int = MAX_TEXT) -> str:
    """One line in which Slack finds no mention and no link, at most ``limit`` characters long once escaped."""
    return "".join(_fit([_ENTITIES.get(c, c) for c in clean(text)], limit))


def code(text: str, limit: int = 300) -> str:
    """Inline code. A backtick would end it, so it becomes an apostrophe."""
    words = " ".join(text.replace("`", "'").split())
    return f"`{escape(words, limit - 2) or '-'}`"


def quote(text: str, limit: int = 2800, lines: int = 12) -> str:
    """A quotation with a mark before each line, so that no line of it can pass for one of ours."""
    kept = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    shown = [f"> {escape(line, limit)}" for line in kept[:lines]]
    while len("\n".join(shown)) > limit:
        shown.pop()
    left = len(kept) - len(shown)
    rest = [f"> _+ {many(left, 'more line')}_"] if left else []
    return "\n".join([*shown, *rest]) or "> _nothing_"


def plain(text: str, limit: int) -> str:
    """One line for a plain text object, in which nothing is special."""
    return "".join(_fit(list(clean(text)), limit)) or "-"


def pieces(text: str, limit: int) -> list[str]:
    """The whole of a long line in parts, each at most ``limit`` characters once escaped."""
    parts, length = [""], 0
    for character in clean(text):
        length += len(_ENTITIES.get(character, character))
        if length > limit:
            parts.append("")
            length = len(_ENTITIES.get(character, character))
        parts[-1] += character
    return parts


def packed(lines: Iterable[str], limit: int = MAX_TEXT) -> list[str]:
    """The lines in as few texts as hold them; no line is broken, and none may be longer than ``limit``."""
    texts: list[str] = []
    for line in lines:
        if texts and len(texts[-1]) + 1 + len(line) <= limit:
            texts[-1] += "\n" + line
        else:
            texts.append(line)
    return texts


def listed(items: Sequence[str], most: int, limit: int = 1500, more: str = "") -> str:
    """The first items with commas between them, and how many were left out, with a word on where they are."""
    shown: list[str] = []
    for item in items[:most]:
        if len(", ".join([*shown, item])) > limit:
            break
        shown.append(item)
    left = len(items) - len(shown)
    return ", ".join(shown) + (f" + {left} more{more}" if left else "")


def at(moment: datetime, form: str = "{date_short_pretty} {time}") -> str:
    """A moment in the reader's own time zone; the part after the bar is for clients that cannot tell it."""
    return f"<!date^{int(moment.timestamp())}^{form}|{moment:%Y-%m-%d %H:%M} {moment.tzname() or 'UTC'}>"


def duration(seconds: float) -> str:
    """A length of time in its two largest units."""
    whole = max(0, round(seconds))
    parts = [(whole // 86400, "d"), (whole // 3600 % 24, "h"), (whole // 60 % 60, "min"), (whole % 60, "s")]
    told = [f"{count} {unit}" for count, unit in parts if count]
    return " ".join(told[:2]) or "0 s"


def size(count: int) -> str:
    """A file's size; sizes are rounded up, so that only an empty file has 0."""
    return f"{count} bytes" if count < 1000 else f"{-(-count // 1000)} KB"


def many(count: int, one: str, several: str = "") -> str:
    return f"{count} {one if count == 1 else several or one + 's'}"


def _fit(characters: list[str], limit: int) -> Iterator[str]:
    """As many as fit, with an ellipsis in place of the rest."""
    if sum(map(len, characters)) <= limit:
        yield from characters
        return
    room = limit - 1
    for character in characters:
        room -= len(character)
        if room < 0:
            break
        yield character
    yield "…"
