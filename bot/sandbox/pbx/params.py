"""Reading parameters as strictly as the vendor types them; what does not fit is 40002 PARAMETER ERROR."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from bot.sandbox.pbx.answers import BAD_PARAMETER, Refusal

Params = Mapping[str, Any]

DOMAIN = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)


def text(params: Params, key: str) -> str:
    """A string that is there and not empty."""
    value = params.get(key)
    if not isinstance(value, str) or not value:
        raise Refusal(BAD_PARAMETER)
    return value


def choice(params: Params, key: str, allowed: Collection[str]) -> str:
    value = text(params, key)
    if value not in allowed:
        raise Refusal(BAD_PARAMETER)
    return value


def switch(params: Params, key: str) -> bool | None:
    """0 or 1, as a JSON number; None where it is left out."""
    value = params.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or value not in (0, 1) or not isinstance(value, int):
        raise Refusal(BAD_PARAMETER)
    return value == 1


def number(params: Params, key: str) -> int:
    """A whole number: a JSON number in a body, digits in a query string."""
    value = params.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise Refusal(BAD_PARAMETER)


def digits(params: Params, key: str, default: int | None = None) -> int:
    """A whole number above 0 from a query string."""
    value = params.get(key, default)
    if isinstance(value, int):
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and 0 < int(value) < 2**31:
        return int(value)
    raise Refusal(BAD_PARAMETER)


def domain(params: Params, key: str) -> str:
    """A host name with at least two labels, or a wildcard for one."""
    value = text(params, key)
    if len(value) > 253 or not DOMAIN.fullmatch(value):
        raise Refusal(BAD_PARAMETER)
    return value
