"""Values as they come: numbers as strings, missing ones, ones of another type."""

import re
from collections.abc import Mapping
from typing import Any

_WHOLE_NUMBER = re.compile(r"\s*[+-]?[0-9]{1,20}\s*")

#: Control characters, which break lines and which PostgreSQL refuses, and halves of characters, which no encoding can write.
_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


def number(value: object) -> int | None:
    """A whole number, also from a string; None for whatever is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return int(value) if isinstance(value, str) and _WHOLE_NUMBER.fullmatch(value) else None


def flag(value: object) -> bool | None:
    """Yes or no, from 0 and 1 or true and false in any spelling; None for whatever is neither."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    known = number(value)
    return bool(known) if known in (0, 1) else None


def text(value: object) -> str:
    """A text of one line, also from a number; empty for nothing and for what has parts."""
    if isinstance(value, str):
        return _UNWRITABLE.sub(" ", value).strip()
    return str(value) if isinstance(value, int | float) else ""


def items(value: object) -> list[Mapping[str, Any]]:
    """The objects of a list; empty for whatever is none."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
