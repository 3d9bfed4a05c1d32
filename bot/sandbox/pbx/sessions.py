"""Logins and tokens (developer-guide/get-access-token, refresh-access-token): cap, rotation, expiry, blocked addresses.

The vendor does not say what a refresh does to the access token before it; here the new pair replaces the old one whole.
"""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.sandbox.pbx.answers import ADDRESS_BLOCKED, LIMIT_REACHED, LOGIN_FAILED, TOKEN_EXPIRED, Answer, Refusal, success

ACCESS_SECONDS = 1800
REFRESH_SECONDS = 86400
MOST_TOKENS = 8
MOST_FAILURES = 5
BLOCK_SECONDS = 600


@dataclass(frozen=True)
class Session:
    """One access token with the refresh token that goes with it."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    access_until: datetime
    refresh_until: datetime


@dataclass
class Sessions:
    """Who may call. The simulator's lock guards it."""

    now: Callable[[], datetime]
    client_id: str
    client_secret: str = field(repr=False)
    refused_with: int = LOGIN_FAILED
    _open: list[Session] = field(default_factory=list, repr=False)
    _failures: dict[str, int] = field(default_factory=dict)
    _blocked_until: dict[str, datetime] = field(default_factory=dict)

    def log_in(self, address: str, username: str, password: str) -> Answer:
        """Tokens for the right client id and secret; the fifth wrong pair in a row blocks the address."""
        if not self._knows(username, password):
            self._count_failure(address)
            raise Refusal(self.refused_with)
        self._failures.pop(address, None)
        return self._new_pair()

    def refresh(self, token: str) -> Answer:
        """A new pair for the latest refresh token, which is then dead."""
        session = next((one for one in self._open if one.refresh == token and one.refresh_until > self.now()), None)
        if session is None:
            raise Refusal(TOKEN_EXPIRED)
        self._open.remove(session)
        try:
            return self._new_pair()
        except Refusal:
            self._open.append(session)
            raise

    def revoke(self, token: str) -> None:
        self._open = [one for one in self._open if one.access != token]

    def check(self, token: str | None) -> None:
        """10004 unless this access token is valid."""
        if token is None or token not in {one.access for one in self._live()}:
            raise Refusal(TOKEN_EXPIRED)

    def check_address(self, address: str) -> None:
        """70004 with the seconds that are left, while the address is blocked."""
        until = self._blocked_until.get(address)
        if until is None:
            return
        left = (until - self.now()).total_seconds()
        if left > 0:
            raise Refusal(ADDRESS_BLOCKED, block_expire_time=int(left))
        del self._blocked_until[address]

    def unblock(self) -> None:
        """What an administrator does at Security > Security Rules > Blocked IPs."""
        self._blocked_until.clear()
        self._failures.clear()

    def count(self) -> int:
        """How many access tokens are valid now."""
        return len(self._live())

    def forget(self) -> None:
        """Every token is dead, as after a restart of the PBX."""
        self._open.clear()

    def _live(self) -> list[Session]:
        return [one for one in self._open if one.access_until > self.now()]

    def _knows(self, username: str, password: str) -> bool:
        return hmac.compare_digest(f"{self.client_id}\n{self.client_secret}".encode(), f"{username}\n{password}".encode())

    def _count_failure(self, address: str) -> None:
        self._failures[address] = self._failures.get(address, 0) + 1
        if self._failures[address] >= MOST_FAILURES:
            self._blocked_until[address] = self.now() + timedelta(seconds=BLOCK_SECONDS)
            del self._failures[address]

    def _new_pair(self) -> Answer:
        if self.count() >= MOST_TOKENS:
            raise Refusal(LIMIT_REACHED)
        now = self.now()
        session = Session(
            access=secrets.token_hex(16),
            refresh=secrets.token_hex(16),
            access_until=now + timedelta(seconds=ACCESS_SECONDS),
            refresh_until=now + timedelta(seconds=REFRESH_SECONDS),
        )
        self._open = [one for one in self._open if one.refresh_until > now] + [session]
        return success(
            access_token_expire_time=ACCESS_SECONDS,
            access_token=session.access,
            refresh_token_expire_time=REFRESH_SECONDS,
            refresh_token=session.refresh,
        )
