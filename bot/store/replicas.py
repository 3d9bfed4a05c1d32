"""Which processes share this database, by which configuration each of them works, and the order to read it anew.

That is one row a process and two rows of facts, each changed by conditional updates: whoever changes one first tells of it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.domain.events import BOT, EventKind
from bot.domain.requests import canonical
from bot.exceptions import Stale
from bot.store import agenda, audit, bulletins, meta
from bot.store.tables import ReplicaRow

#: How often a process says that it is there, and for how long one is believed that has not said so again.
BEAT, ALIVE = timedelta(seconds=10), timedelta(seconds=40)
#: A difference that lasts for longer is told: by then a change has reached every process that follows it.
PATIENCE = timedelta(minutes=1)
#: So long after its last sign a row is of no use any more.
FORGOTTEN = timedelta(days=1)

_ORDER, _DIFFERS = "reload order", "config differs"


@dataclass(frozen=True)
class Order:
    """The latest order to read the configuration anew; the first has the number 1. ``by`` is a user's id."""

    number: int = 0
    by: str = ""

    def dump(self) -> bytes:
        return canonical({"number": self.number, "by": self.by}).encode()

    @classmethod
    def load(cls, value: bytes | None) -> Self:
        return cls(**json.loads(value)) if value else cls()


@dataclass(frozen=True)
class Replica:
    """One process that is alive."""

    owner: str
    config_hash: str


def order(session: Session, by: str) -> Order:
    """Let every process read its configuration anew; committing it wakes them all."""
    meta.put_first(session, _ORDER, Order().dump())
    old = meta.get(session, _ORDER) or b""
    new = Order(Order.load(old).number + 1, by)
    if not meta.change(session, _ORDER, old, new.dump()):
        raise Stale
    agenda.wake(session)
    return new


def ordered(session: Session) -> Order:
    return Order.load(meta.get(session, _ORDER))


def beat(session: Session, now: datetime, owner: str, config_hash: str, followed: int) -> None:
    """This process is there, works by this configuration and has followed this order."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    values: dict[str, Any] = {"config_hash": config_hash, "reloaded": followed, "seen_at": now}
    new = dialect.insert(ReplicaRow).values(owner=owner, **values)
    session.execute(new.on_conflict_do_update(index_elements=[ReplicaRow.owner], set_=values))
    session.execute(delete(ReplicaRow).where(ReplicaRow.seen_at < now - FORGOTTEN))


def leave(session: Session, owner: str) -> None:
    """This process ends, and says so."""
    session.execute(delete(ReplicaRow).where(ReplicaRow.owner == owner))


def forget_others(session: Session, owner: str) -> None:
    """Nobody else is alive."""
    session.execute(delete(ReplicaRow).where(ReplicaRow.owner != owner))


def alive(session: Session, now: datetime) -> list[Replica]:
    rows = session.scalars(select(ReplicaRow).where(ReplicaRow.seen_at > now - ALIVE).order_by(ReplicaRow.owner))
    return [Replica(row.owner, row.config_hash) for row in rows]


def compare(session: Session, now: datetime) -> None:
    """Note that the configurations differ or agree again; what lasts is an event, once over all processes."""
    hashes = {replica.owner: replica.config_hash for replica in alive(session, now)}
    value = meta.get(session, _DIFFERS)
    if len(set(hashes.values())) < 2:
        if value is not None:
            _agreed(session, now, value, hashes)
        return
    if value is None:
        meta.put_first(session, _DIFFERS, canonical({"since": now.isoformat(), "told": False}).encode())
        return
    known = json.loads(value)
    lasts = now - datetime.fromisoformat(known["since"]) > PATIENCE
    if lasts and not known["told"] and meta.change(session, _DIFFERS, value, canonical(known | {"told": True}).encode()):
        _tell(session, now, hashes, agree=False)


def _agreed(session: Session, now: datetime, value: bytes, hashes: Mapping[str, str]) -> None:
    if meta.drop(session, _DIFFERS, value) and json.loads(value)["told"]:
        _tell(session, now, hashes, agree=True)


def _tell(session: Session, now: datetime, hashes: Mapping[str, str], *, agree: bool) -> None:
    audit.append(session, now, EventKind.CONFIG_DIFFERS, BOT, hashes=dict(hashes), agree=agree)
    bulletins.due(session, now)
