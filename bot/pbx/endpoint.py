"""Where a PBX is, as whom we log in there, and how we know that it is the right one."""

import hashlib
import hmac
import re
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

from pydantic import SecretStr

from bot.exceptions import ConfigError

SYSTEM_STORE = "system"
PIN = "sha256:"


@dataclass(frozen=True)
class Endpoint:
    """One PBX. ``tls`` is ``system``, the path of a CA file, or ``sha256:`` and the certificate's fingerprint in hex.

    Raises ConfigError for an address without TLS or for a fingerprint that is none, so that nothing is ever sent unprotected.
    """

    name: str
    url: str
    client_id: str
    client_secret: SecretStr
    tls: str = SYSTEM_STORE

    def __post_init__(self) -> None:
        if not self.url.lower().startswith("https://") or not urlsplit(self.url).hostname:
            raise ConfigError(f"The address of the PBX {self.name} must begin with https:// and name a host.")
        if self.tls.startswith(PIN) and not re.fullmatch(r"[0-9a-f]{64}", self.pin or ""):
            raise ConfigError(f"The fingerprint of the PBX {self.name} must be {PIN} and 64 hexadecimal digits.")

    @property
    def base(self) -> str:
        """The address before every endpoint (vendor page developer-guide/request-structure)."""
        return f"{self.url.rstrip('/')}/openapi/v1.0/"

    @property
    def place(self) -> str:
        """Host and port, for people; never a path or a query."""
        parts = urlsplit(self.url)
        return f"{parts.hostname}:{parts.port or 443}"

    @property
    def pin(self) -> str | None:
        """The pinned SHA-256 of the certificate in plain lower-case hex; None when the chain is checked instead."""
        return self.tls.removeprefix(PIN).replace(":", "").lower() if self.tls.startswith(PIN) else None

    @cached_property
    def fingerprint(self) -> str:
        """Changes with the address, the client id or the secret, and reveals none of them."""
        told = f"{self.url.rstrip('/')}\0{self.client_id}".encode()
        return hmac.new(self.client_secret.get_secret_value().encode(), told, hashlib.sha256).hexdigest()
