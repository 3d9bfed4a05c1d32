"""One shared token a PBX, for all threads and processes.

A PBX allows 8 at once and blocks an address after five failed logins, so this asks for as few as it can: refreshed before it
expires, renewed once when the PBX says it has, one login at a time, and none at all after a refused one until somebody acts
(vendor pages developer-guide/get-access-token and refresh-access-token).
"""

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Protocol

from pydantic import SecretStr

from bot.domain.tokens import Tokens
from bot.exceptions import (
    PbxBadAnswer,
    PbxError,
    PbxFateUnknown,
    PbxLimitReached,
    PbxLoginRefused,
    PbxLoginStopped,
    PbxRefused,
    PbxTokenCap,
    PbxUnreachable,
)
from bot.pbx.answers import Answer
from bot.pbx.endpoint import Endpoint
from bot.pbx.lenient import number, text
from bot.pbx.transport import Call, Transport
from bot.pbx.words import LOGGING_IN, SERVICE_FAULTS, words

#: A token this close to its end is renewed before it is used.
MARGIN = timedelta(seconds=60)

#: For so long after a login that went unanswered or met the cap, those who waited for it get its error, not another login.
PAUSE = timedelta(seconds=10)

#: What the vendor's page gives, for an answer that does not say.
ACCESS_SECONDS = 1_800

#: ACCOUNT IP BLOCKED.
BLOCKED = 70004

#: PROCESSING, OVERLOAD_TASK_RUNNING, API UNAVAILABLE: a refresh token that meets these is still good.
BUSY = frozenset({2, 70082, 70123})


class TokenShelf(Protocol):
    """Where tokens lie between calls and restarts, for every process."""

    def load(self, pbx: str) -> Tokens | None: ...

    def save(self, pbx: str, tokens: Tokens) -> None: ...

    def drop(self, pbx: str, access: str) -> None:
        """Forget the tokens if they are still these."""

    def stopped(self, pbx: str, fingerprint: str) -> str | None:
        """Why logins are stopped for this configuration; None if they are not."""

    def stop(self, pbx: str, fingerprint: str, reason: str) -> None: ...

    def exclusive(self, pbx: str) -> AbstractContextManager[None]:
        """The right to log in, across processes; held for one refresh and one login. May raise StoreBusy."""


class TokenKeeper:
    """Gives the token to use; every failure here means that the call it was for did not leave."""

    def __init__(self, endpoint: Endpoint, shelf: TokenShelf, transport: Transport, now: Callable[[], datetime]) -> None:
        self._endpoint = endpoint
        self._shelf = shelf
        self._transport = transport
        self._now = now
        self._lock = threading.Lock()
        self._failed: tuple[datetime, PbxError] | None = None

    def current(self) -> SecretStr:
        """A token with at least a minute left."""
        return self._told(refused=None)

    def instead_of(self, refused: SecretStr) -> SecretStr:
        """Another token than this one, which the PBX no longer accepts."""
        return self._told(refused=refused)

    def stop(self, refusal: PbxRefused) -> PbxLoginRefused:
        """No more logins with this configuration; the error to raise for it."""
        told = words(refusal.errcode, refusal.errmsg, LOGGING_IN)
        self._shelf.stop(self._endpoint.name, self._endpoint.fingerprint, told)
        return PbxLoginRefused(refusal.errcode, refusal.errmsg, told)

    def _told(self, refused: SecretStr | None) -> SecretStr:
        """Says of every failure that it came before the call; what it means for that call is not what its errcode says."""
        try:
            return SecretStr(self._get(refused).access)
        except PbxError as error:
            error.before_the_call = True
            raise

    def _get(self, refused: SecretStr | None) -> Tokens:
        if held := self._usable(refused):
            return held
        with self._lock:
            if held := self._usable(refused):
                return held
            with self._shelf.exclusive(self._endpoint.name):
                return self._usable(refused) or self._renew()

    def _usable(self, refused: SecretStr | None) -> Tokens | None:
        """Asked anew each time: while we waited, another thread or process may have logged in, or have been refused."""
        if reason := self._shelf.stopped(self._endpoint.name, self._endpoint.fingerprint):
            raise PbxLoginStopped(
                f"The bot does not log in to the PBX {self._endpoint.name} until its configuration changes or somebody presses "
                f"Try again. The last answer was: {reason}",
                last_answer=reason,
            )
        held = self._shelf.load(self._endpoint.name)
        if held is None or (refused and held.access == refused.get_secret_value()):
            return None
        return held if held.access_expires_at - MARGIN > self._now() else None

    def _renew(self) -> Tokens:
        self._raise_recent_failure()
        try:
            held = self._shelf.load(self._endpoint.name)
            tokens = (held and self._refresh(held)) or self._login()
        except PbxFateUnknown:
            raise self._remember(self._unanswered()) from None
        self._shelf.save(self._endpoint.name, tokens)
        return tokens

    def _refresh(self, held: Tokens) -> Tokens | None:
        """None if the PBX does not take the refresh token; it is then forgotten. Both tokens change each time."""
        if not held.refresh or held.refresh_expires_at - MARGIN <= self._now():
            return None
        latest = {"refresh_token": SecretStr(held.refresh)}
        try:
            return self._ask("refresh_token", latest)
        except PbxLimitReached as refusal:
            raise self._remember(_cap(refusal)) from None
        except PbxRefused as refusal:
            if refusal.errcode == BLOCKED:
                raise self.stop(refusal) from None
            if refusal.errcode in BUSY:
                raise
        self._shelf.drop(self._endpoint.name, held.access)
        return None

    def _login(self) -> Tokens:
        credentials = {"username": SecretStr(self._endpoint.client_id), "password": self._endpoint.client_secret}
        try:
            return self._ask("get_token", credentials)
        except PbxLimitReached as refusal:
            raise self._remember(_cap(refusal)) from None
        except PbxRefused as refusal:
            if refusal.errcode not in SERVICE_FAULTS:
                raise self.stop(refusal) from None
            raise

    def _ask(self, path: str, credentials: Mapping[str, SecretStr]) -> Tokens:
        asked_at = self._now()
        return self._tokens(self._transport.send(_login_call(path, credentials)), asked_at)

    def _unanswered(self) -> PbxUnreachable:
        """The fate of the login is unknown; that of the call it was for is not, and it is that one the caller asks about."""
        return PbxUnreachable(
            f"The PBX at {self._endpoint.place} did not answer when the bot logged in, so nothing else was sent. "
            f"Check that it is up; it may only be slow. ({PbxUnreachable.code}: login)"
        )

    def _remember(self, error: PbxError) -> PbxError:
        self._failed = self._now(), error
        return error

    def _raise_recent_failure(self) -> None:
        if self._failed and self._failed[0] <= self._now() < self._failed[0] + PAUSE:
            raise self._failed[1].with_traceback(None)

    def _tokens(self, answer: Answer, asked_at: datetime) -> Tokens:
        access = text(answer.get("access_token"))
        if not access:
            raise PbxBadAnswer(f"The PBX at {self._endpoint.place} gave no token when it let us in. ({PbxBadAnswer.code})")
        return Tokens(
            access=access,
            refresh=text(answer.get("refresh_token")),
            access_expires_at=asked_at + _seconds(answer, "access_token_expire_time", ACCESS_SECONDS),
            refresh_expires_at=asked_at + _seconds(answer, "refresh_token_expire_time", 0),
        )


def _login_call(path: str, credentials: Mapping[str, SecretStr]) -> Call:
    """Opened here and nowhere else: a variable with a secret in it would show in a traceback that shows variables."""
    opened = {key: value.get_secret_value() for key, value in credentials.items()}
    return Call("POST", path, LOGGING_IN, json=opened, secrets=tuple(opened.values()))


def _seconds(answer: Answer, key: str, missing: int) -> timedelta:
    told = number(answer.get(key))
    return timedelta(seconds=min(max(told, 0), 10**8) if told is not None else missing)


def _cap(refusal: PbxLimitReached) -> PbxTokenCap:
    """At a login the code speaks of tokens, whatever the call was that needed one."""
    return PbxTokenCap(refusal.errcode, refusal.errmsg, refusal.message)
