"""What the tests of the circuit breakers share: one in a real database, and calls that go unanswered."""

from datetime import datetime

import pytest
from sqlalchemy import select

from bot.domain.events import EventKind
from bot.exceptions import PbxAway, PbxUnreachable
from bot.store import audit
from bot.store.breakers import THRESHOLD, Breakers
from bot.store.engine import Store
from bot.store.tables import AgendaRow
from tests.unit.store_kit import read


def silent(breaker: Breakers, pbx: str = "hq", times: int = 1, *, lost_login: bool = False) -> None:
    for _ in range(times):
        breaker.silent(pbx, PbxUnreachable("Nothing answers there."), lost_login=lost_login)


def opened(store: Store, pbx: str = "hq") -> Breakers:
    breaker = Breakers(store)
    silent(breaker, pbx, THRESHOLD)
    return breaker


def away(breaker: Breakers, pbx: str = "hq") -> PbxAway:
    with pytest.raises(PbxAway) as caught:
        breaker.check(pbx)
    return caught.value


def told(store: Store, pbx: str = "hq") -> list[EventKind]:
    return [event.kind for event in reversed(read(store, lambda session: audit.of_pbx(session, pbx, 1000)))]


def due(store: Store, key: str) -> list[datetime]:
    return list(read(store, lambda session: session.scalars(select(AgendaRow.due_at).filter_by(key=key)).all()))
