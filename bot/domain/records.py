"""Events of the audit trail as they leave the database: as JSON, to be hashed again, as CSV, and as lines to read."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.domain.problems import printable
from bot.domain.requests import canonical
from bot.domain.trail import Link, Outline

#: In this order.
COLUMNS = (
    "number", "request", "kind", "actor", "at", "data", "salt", "personal", "previous", "hash", "reduced_at",
)  # fmt: skip
#: What begins a formula in a spreadsheet (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


def to_json(link: Link | Outline) -> dict[str, Any]:
    if isinstance(link, Outline):
        return dict(vars(link))
    return {**vars(link), "at": moment(link.at), "data": _data(link.data), "reduced_at": moment(link.reduced_at)}


def _data(text: str) -> Any:
    """As an object, where that is as good as the text that was hashed."""
    try:
        data = json.loads(text)
    except (TypeError, ValueError):
        return text
    return data if isinstance(data, dict) and canonical(data) == text else text


def from_json(data: Mapping[str, Any]) -> Link | Outline:
    """Raises KeyError, TypeError or ValueError for what `to_json` does not make."""
    if "body" in data:
        return Outline(data["number"], data["previous"], data["body"], data["hash"])
    text = data["data"] if isinstance(data["data"], str) else canonical(data["data"])
    times = {"at": _time(data["at"]), "reduced_at": _time(data["reduced_at"])}
    return Link(**{name: data[name] for name in COLUMNS} | {"data": text} | times)


def to_csv(link: Link) -> list[str]:
    """One row, in which no cell can be taken for a formula."""
    values = {**vars(link), "at": moment(link.at), "reduced_at": moment(link.reduced_at)}
    return [_cell(values[name]) for name in COLUMNS]


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def to_line(link: Link) -> str:
    """One line for a terminal, which it cannot control."""
    request = f"#{link.request}" if link.request is not None else "-"
    said = f"(reduced {moment(link.reduced_at)})" if link.is_reduced else f"{link.actor}  {link.data}"
    return printable(f"{link.number:>6}  {moment(link.at) or '?':<20}  {request:>5}  {link.kind:<14}  {said}", 2000)


def moment(at: datetime | None) -> str | None:
    """ISO 8601 in UTC, to the microsecond where there is one."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)
