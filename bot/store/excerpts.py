"""Parts of the audit trail: what somebody looks for, in order, a page at a time."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from bot.domain.requests import canonical
from bot.domain.trail import Link
from bot.store import audit
from bot.store.tables import EventRow, RequestRow


@dataclass(frozen=True)
class Wanted:
    """Events that are all of this; ``person`` did it or is named in it, ``pbx`` is the request's or is named in it.

    ``since`` is the first moment, ``until`` the first that is not wanted any more.
    """

    since: datetime | None = None
    until: datetime | None = None
    person: str = ""
    pbx: str = ""
    request: int | None = None


def excerpt(session: Session, wanted: Wanted) -> Iterator[Link]:
    rows = session.execute(_selected(wanted).order_by(EventRow.id).execution_options(yield_per=1000))
    for *values, pbx in rows:
        link = audit.link_of(values)
        if _is_wanted(link, pbx, wanted):
            yield link


def _selected(wanted: Wanted) -> Select[*tuple[Any, ...]]:
    """What can be told in SQL that both databases have; the rest is looked through (`_is_wanted`)."""
    found: Select[*tuple[Any, ...]] = select(*audit.COLUMNS, RequestRow.pbx).outerjoin(
        RequestRow, RequestRow.id == EventRow.request
    )
    if wanted.since:
        found = found.where(EventRow.at >= wanted.since)
    if wanted.until:
        found = found.where(EventRow.at < wanted.until)
    if wanted.request is not None:
        found = found.where(EventRow.request == wanted.request)
    if wanted.person:
        found = found.where(or_(EventRow.actor == wanted.person, EventRow.data.contains(wanted.person, autoescape=True)))
    if wanted.pbx:
        named = EventRow.data.contains(canonical({"pbx": wanted.pbx})[1:-1], autoescape=True)
        found = found.where(or_(RequestRow.pbx == wanted.pbx, named))
    return found


def _is_wanted(link: Link, pbx: str | None, wanted: Wanted) -> bool:
    """The database may have found more: "U1" is part of "U12", and some compare without regard to case."""
    if not wanted.person and not wanted.pbx:
        return True
    try:
        data = json.loads(link.data)
    except (TypeError, ValueError):
        data = {}
    by = not wanted.person or link.actor == wanted.person or wanted.person in _texts(data)
    return by and (not wanted.pbx or wanted.pbx in (pbx, data.get("pbx") if isinstance(data, dict) else None))


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for value in data.values():
            yield from _texts(value)
    elif isinstance(data, list):
        for value in data:
            yield from _texts(value)
