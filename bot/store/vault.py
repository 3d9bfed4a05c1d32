"""Secrets at rest: AES-256-GCM (NIST SP 800-38D) under a key that the database never sees.

Three keys are derived from the configured one (HKDF, RFC 5869), so that sealing, keyed digests and the check value share none.
"""

import hmac
import json
import os
from collections.abc import Mapping
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.exceptions import VaultError
from bot.store.tables import MetaRow, SecretRow

_NONCE = 12  # bytes, as GCM wants them
_CHECK = "vault check"


class Vault:
    """Seals and opens with one 32-byte key. Its repr shows nothing."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(_derive(key, b"seal"))
        self._digest_key = _derive(key, b"digest")

    def seal(self, plain: bytes, place: str) -> bytes:
        """Nonce and ciphertext. ``place`` is authenticated: what was sealed for one row does not open in another."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, plain, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """Raises VaultError when the key, the place or the bytes are not those of `seal`."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], place.encode())
        except (InvalidTag, ValueError):
            raise VaultError from None

    def keyed_digest(self, plain: bytes) -> str:
        """HMAC-SHA-256 in hex: tells whether two secrets are the same, to nobody without the key."""
        return hmac.new(self._digest_key, plain, sha256).hexdigest()

    def check(self, session: Session) -> None:
        """Raises VaultError when the database was sealed under another key; seals the check value the first time."""
        dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        first = dialect.insert(MetaRow).values(name=_CHECK, value=self.seal(b"ok", _CHECK))
        session.execute(first.on_conflict_do_nothing(index_elements=[MetaRow.name]))
        if self.open(session.get_one(MetaRow, _CHECK).value, _CHECK) != b"ok":
            raise VaultError

    def put(self, session: Session, request: int, name: str, plain: bytes) -> None:
        """Seal a request's secret, in place of an older one of that name."""
        secret = {"sealed": self.seal(plain, f"{request}/{name}"), "keyed_digest": self.keyed_digest(plain)}
        dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        new = dialect.insert(SecretRow).values(request=request, name=name, **secret)
        session.execute(new.on_conflict_do_update(index_elements=[SecretRow.request, SecretRow.name], set_=secret))

    def take(self, session: Session, request: int, name: str) -> bytes | None:
        row = session.get(SecretRow, (request, name))
        return self.open(row.sealed, f"{request}/{name}") if row else None

    def put_json(self, session: Session, request: int, name: str, value: Mapping[str, str | int | bool]) -> None:
        self.put(session, request, name, json.dumps(dict(value), sort_keys=True).encode())

    def take_json(self, session: Session, request: int, name: str) -> dict[str, str | int | bool]:
        plain = self.take(session, request, name)
        return json.loads(plain) if plain else {}

    def names(self, session: Session, request: int) -> list[str]:
        return list(session.scalars(select(SecretRow.name).filter_by(request=request).order_by(SecretRow.name)))

    def digests(self, session: Session, request: int, names: tuple[str, ...]) -> dict[str, str]:
        """The keyed digests of those of ``names`` that are there."""
        rows = session.execute(select(SecretRow.name, SecretRow.keyed_digest).filter_by(request=request))
        return {name: digest for name, digest in rows if name in names}

    def wipe(self, session: Session, request: int, *names: str) -> list[str]:
        """Delete a request's secrets (all, or the named ones); returns the names of what was there."""
        gone = delete(SecretRow).where(SecretRow.request == request).returning(SecretRow.name)
        return sorted(session.scalars(gone.where(SecretRow.name.in_(names)) if names else gone))


def _derive(key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"pbx-cert-bot/" + purpose).derive(key)
