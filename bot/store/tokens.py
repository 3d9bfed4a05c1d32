"""The shelf on which the PBXs' shared tokens lie, sealed; and the word that logins to one are stopped."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.domain.tokens import Tokens
from bot.exceptions import StoreBusy
from bot.store.engine import Store
from bot.store.tables import TokenRow

#: How long a login may take before another process may try: longer than its timeouts.
LOGIN_LEASE = timedelta(seconds=60)


class TokenShelf:
    """Implements `bot.pbx.tokens.TokenShelf` in the database, so that all processes and restarts share one token a PBX."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def load(self, pbx: str) -> Tokens | None:
        with self._store.begin() as session:
            row = session.get(TokenRow, pbx)
            return self._open(row) if row and row.sealed else None

    def save(self, pbx: str, tokens: Tokens) -> None:
        plain = json.dumps(
            {
                "access": tokens.access,
                "refresh": tokens.refresh,
                "access_expires_at": tokens.access_expires_at.isoformat(),
                "refresh_expires_at": tokens.refresh_expires_at.isoformat(),
            }
        )
        with self._store.begin() as session:
            _row(session, pbx).sealed = self._store.vault.seal(plain.encode(), _place(pbx))

    def drop(self, pbx: str, access: str) -> None:
        """Forget the token if it is still this one."""
        with self._store.begin() as session:
            row = _row(session, pbx)
            if row.sealed and self._open(row).access == access:
                row.sealed = None

    def stopped(self, pbx: str, fingerprint: str) -> str | None:
        """Why logins are stopped for this configuration; None when they are not."""
        with self._store.begin() as session:
            row = session.get(TokenRow, pbx)
            return row.stopped_why if row and row.stopped_for == fingerprint else None

    def stop(self, pbx: str, fingerprint: str, reason: str) -> None:
        with self._store.begin() as session:
            row = _row(session, pbx)
            row.stopped_for, row.stopped_why, row.sealed = fingerprint, reason, None

    @contextmanager
    def exclusive(self, pbx: str) -> Iterator[None]:
        """The right to log in, across processes. Raises StoreBusy while another one has it."""
        with self._store.begin() as session:
            _row(session, pbx)
        self._take(pbx, self._store.now())
        try:
            yield
        finally:
            with self._store.begin() as session:
                mine = update(TokenRow).where(TokenRow.pbx == pbx, TokenRow.login_owner == self._store.owner)
                session.execute(mine.values(login_until=None, login_owner=""))

    def _take(self, pbx: str, now: datetime) -> None:
        free = or_(TokenRow.login_until.is_(None), TokenRow.login_until < now)
        take = update(TokenRow).where(TokenRow.pbx == pbx, free).returning(TokenRow.pbx)
        with self._store.begin() as session:
            lease = take.values(login_until=now + LOGIN_LEASE, login_owner=self._store.owner)
            if session.execute(lease).one_or_none() is None:
                raise StoreBusy("Another process is logging in to this PBX.")

    def _open(self, row: TokenRow) -> Tokens:
        data = json.loads(self._store.vault.open(row.sealed or b"", _place(row.pbx)))
        access_until, refresh_until = (
            datetime.fromisoformat(data[name]) for name in ("access_expires_at", "refresh_expires_at")
        )
        return Tokens(data["access"], data["refresh"], access_until, refresh_until)


def stopped(session: Session, pbx: str) -> str:
    """Why logins to this PBX are stopped, whatever its configuration; empty when they are not."""
    return session.scalars(select(TokenRow.stopped_why).filter_by(pbx=pbx)).one_or_none() or ""


def resume(session: Session, pbx: str) -> bool:
    """Let logins go on; False when they were not stopped."""
    halted = update(TokenRow).where(TokenRow.pbx == pbx, TokenRow.stopped_for != "").returning(TokenRow.pbx)
    return session.execute(halted.values(stopped_for="", stopped_why="")).one_or_none() is not None


def end_all_logins(session: Session) -> None:
    """Nobody else is alive, so nobody is logging in."""
    session.execute(update(TokenRow).values(login_until=None, login_owner=""))


def _row(session: Session, pbx: str) -> TokenRow:
    """The PBX's row, made if need be, and locked: nobody changes it until this is committed."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    new = dialect.insert(TokenRow).values(pbx=pbx, stopped_for="", stopped_why="", login_owner="")
    session.execute(new.on_conflict_do_nothing(index_elements=[TokenRow.pbx]))
    return session.get_one(TokenRow, pbx, with_for_update=True)


def _place(pbx: str) -> str:
    return f"token/{pbx}"
