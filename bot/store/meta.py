"""Facts about the database and those who share it: one small value each, by name."""

from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.store.tables import MetaRow


def get(session: Session, name: str) -> bytes | None:
    return session.scalars(select(MetaRow.value).where(MetaRow.name == name)).one_or_none()


def put(session: Session, name: str, value: bytes) -> None:
    """Whatever it was before."""
    new = _insert(session, name, value)
    session.execute(new.on_conflict_do_update(index_elements=[MetaRow.name], set_={"value": value}))


def put_first(session: Session, name: str, value: bytes) -> None:
    """Only if there is none. Also takes the writers' lock, so that what is read next stands until this is committed."""
    session.execute(_insert(session, name, value).on_conflict_do_nothing(index_elements=[MetaRow.name]))


def change(session: Session, name: str, old: bytes, new: bytes) -> bool:
    """False when somebody else changed it meanwhile."""
    moved = update(MetaRow).where(MetaRow.name == name, MetaRow.value == old).values(value=new).returning(MetaRow.name)
    return session.execute(moved.execution_options(synchronize_session=False)).one_or_none() is not None


def drop(session: Session, name: str, old: bytes) -> bool:
    """False when somebody else changed or dropped it meanwhile."""
    gone = delete(MetaRow).where(MetaRow.name == name, MetaRow.value == old).returning(MetaRow.name)
    return session.execute(gone.execution_options(synchronize_session=False)).one_or_none() is not None


def _insert(session: Session, name: str, value: bytes) -> Any:
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    return dialect.insert(MetaRow).values(name=name, value=value)
