"""Events that can be reduced: their personal part is hashed apart, and one kind of change is allowed.

The old chain is proven first, or the new one would vouch for whatever somebody made of it. Then every event is chained anew,
and one more event keeps the old chain's head, so that who wrote it down can still tell.

Revision ID: 0004
Revises: 0003
"""

import hashlib
import json
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from bot.exceptions import ChainBroken

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_GENESIS = "0" * 64
_KEPT = "'reduced', 'witnessed', 'rechained', 'restored', 'pbx_silent', 'pbx_answers', 'config_differs'"
_SAME = ("id", "request", "kind", "at", "personal", "previous", "hash")

_EVENTS = sa.table(
    "events",
    sa.column("id", sa.Integer),
    sa.column("request", sa.Integer),
    sa.column("kind", sa.Text),
    sa.column("actor", sa.Text),
    sa.column("at", sa.DateTime(timezone=True)),
    sa.column("data", sa.Text),
    sa.column("salt", sa.Text),
    sa.column("personal", sa.Text),
    sa.column("previous", sa.Text),
    sa.column("hash", sa.Text),
)
_CHAIN = sa.table("chain", sa.column("id", sa.Integer), sa.column("length", sa.Integer), sa.column("hash", sa.Text))


def upgrade() -> None:
    _drop_guards()
    op.add_column("events", sa.Column("salt", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("events", sa.Column("personal", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("events", sa.Column("reduced_at", sa.DateTime(timezone=True), nullable=True))
    length, head = _proven()
    if length:
        _chain_anew(length, head)
    _guard()


def _proven() -> tuple[int, str]:
    """Walk the chain by the formula that it was written by; how long it is, and its head."""
    number, previous = 0, _GENESIS
    for row in _rows():
        number += 1
        written = [row.previous, row.id, row.request, row.kind, row.actor, _moment(row.at), row.data]
        if (row.id, row.previous, row.hash) != (number, previous, _sha256(written)):
            raise ChainBroken(
                f"Event {number} in the audit chain was changed, is missing or was put in after it was written, so the chain "
                "is not written anew. Nothing was migrated. Put back a backup, or keep the version of the bot that you have and"
                " find out what has happened with its `audit verify`."
            )
        previous = row.hash
    head = op.get_bind().execute(sa.select(_CHAIN.c.length, _CHAIN.c.hash).where(_CHAIN.c.id == 1)).one_or_none()
    if head is None or tuple(head) != (number, previous):
        raise ChainBroken(f"The audit chain ends at event {number}, and that is not its head. Nothing was migrated.")
    return number, previous


def _chain_anew(length: int, head: str) -> None:
    previous = _GENESIS
    batch: list[dict[str, Any]] = []
    for row in _rows():
        values = _linked(previous, row._asdict())
        previous = values["hash"]
        batch.append({"number": row.id, **{f"new_{name}": values[name] for name in ("salt", "personal", "previous", "hash")}})
        if len(batch) == 1000:
            _write(batch)
            batch = []
    _write(batch)
    data = json.dumps({"head": head, "length": length}, sort_keys=True, separators=(",", ":"))
    told = {"id": length + 1, "request": None, "kind": "rechained", "actor": "bot", "at": datetime.now(UTC), "data": data}
    last = _linked(previous, told)
    op.get_bind().execute(sa.insert(_EVENTS).values(**last))
    op.get_bind().execute(sa.update(_CHAIN).where(_CHAIN.c.id == 1).values(length=length + 1, hash=last["hash"]))


def _write(batch: list[dict[str, Any]]) -> None:
    change = sa.update(_EVENTS).where(_EVENTS.c.id == sa.bindparam("number"))
    values: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in ("salt", "personal", "previous", "hash")}
    if batch:
        op.get_bind().execute(change.values(**values), batch)


def _linked(previous: str, row: dict[str, Any]) -> dict[str, Any]:
    """The event as the new formula wants it (`bot.domain.trail`; spelt out here, because a migration never changes)."""
    salt = secrets.token_hex(16)
    personal = _sha256([row["actor"], row["data"], salt])
    body = _sha256([row["request"], row["kind"], _moment(row["at"]), personal])
    link = _sha256([previous, row["id"], body])
    return {**row, "salt": salt, "personal": personal, "previous": previous, "hash": link}


def _rows() -> Iterator[Any]:
    """In pages, because nothing may be written while a result is read to its end only later."""
    last = 0
    while page := op.get_bind().execute(sa.select(_EVENTS).where(_EVENTS.c.id > last).order_by(_EVENTS.c.id).limit(1000)).all():
        yield from page
        last = page[-1].id


def _moment(at: datetime) -> str:
    return (at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)).isoformat()


def _sha256(value: list[Any]) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _drop_guards() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER events_no_update")
        return
    op.execute("DROP TRIGGER events_append_only ON events")


def _guard() -> None:
    """The database itself refuses to delete an event, and to change one otherwise than by emptying what is personal, once."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER events_only_reduced BEFORE UPDATE ON events WHEN NOT ({_reduction('IS')}) "
            "BEGIN SELECT RAISE(ABORT, 'events are append-only'); END"
        )
        return
    op.execute(
        "CREATE FUNCTION events_only_reduced() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {_reduction('IS NOT DISTINCT FROM')} THEN RETURN NEW; END IF; "
        "RAISE EXCEPTION 'events are append-only'; END $$"
    )
    op.execute("CREATE TRIGGER events_only_reduced BEFORE UPDATE ON events FOR EACH ROW EXECUTE FUNCTION events_only_reduced()")
    op.execute(
        "CREATE TRIGGER events_append_only BEFORE DELETE OR TRUNCATE ON events "
        "FOR EACH STATEMENT EXECUTE FUNCTION events_append_only()"
    )


def _reduction(equals: str) -> str:
    """The condition of the one change that is allowed."""
    same = " AND ".join(f"NEW.{column} {equals} OLD.{column}" for column in _SAME)
    return (
        f"OLD.reduced_at IS NULL AND NEW.reduced_at IS NOT NULL AND OLD.kind NOT IN ({_KEPT}) "
        f"AND NEW.actor = '' AND NEW.data = '{{}}' AND NEW.salt = '' AND {same}"
    )


def downgrade() -> None:
    """By the old formula nothing vouches for what was reduced, so what is there now is taken as it is."""
    _drop_guards_of_reduction()
    previous = _GENESIS
    for row in _rows():
        link = _sha256([previous, row.id, row.request, row.kind, row.actor, _moment(row.at), row.data])
        op.get_bind().execute(sa.update(_EVENTS).where(_EVENTS.c.id == row.id).values(previous=previous, hash=link))
        previous = link
    op.get_bind().execute(sa.update(_CHAIN).where(_CHAIN.c.id == 1).values(hash=previous))
    for column in ("reduced_at", "personal", "salt"):
        op.drop_column("events", column)
    _guard_everything()


def _drop_guards_of_reduction() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER events_only_reduced")
        return
    op.execute("DROP TRIGGER events_only_reduced ON events")
    op.execute("DROP FUNCTION events_only_reduced()")
    op.execute("DROP TRIGGER events_append_only ON events")


def _guard_everything() -> None:
    """As 0001 did."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER events_no_update BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are append-only'); END"
        )
        return
    op.execute(
        "CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events "
        "FOR EACH STATEMENT EXECUTE FUNCTION events_append_only()"
    )
