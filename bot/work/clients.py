"""The clients of the configured PBXs."""

import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bot.config import Config, Settings
from bot.exceptions import ConfigError
from bot.pbx.client import PbxClient
from bot.pbx.endpoint import SYSTEM_STORE, Endpoint
from bot.store.breakers import Breakers
from bot.store.engine import Store
from bot.store.tokens import TokenShelf


@dataclass(frozen=True)
class _Made:
    """A client, and the configuration that it was made by."""

    config: Config
    endpoint: Endpoint
    anchor: bytes
    client: PbxClient


class Clients:
    """One client a PBX, made when it is first needed, and anew when its part of the configuration has changed.

    Whoever is in a call goes on with the client that they have. ``read_timeout`` is in seconds.
    """

    def __init__(self, settings: Settings, store: Store, read_timeout: float) -> None:
        self._settings = settings
        self._store = store
        self._read_timeout = read_timeout
        self._shelf = TokenShelf(store)
        self._breaker = Breakers(store)
        self._made: dict[str, _Made] = {}
        self._lock = threading.Lock()

    def __call__(self, name: str) -> PbxClient:
        config = self._settings.config
        with self._lock:
            known = self._made.get(name)
            if known is None or known.config is not config:
                known = self._made[name] = self._made_by(config, name, known)
            return known.client

    def _made_by(self, config: Config, name: str, known: _Made | None) -> _Made:
        """The same client, if for this PBX nothing has changed; the file of a CA may hold another one under the same name."""
        endpoint = _endpoint(config, name)
        anchor = _anchor(endpoint)
        if known is not None and (known.endpoint, known.anchor) == (endpoint, anchor):
            return _Made(config, endpoint, anchor, known.client)
        client = PbxClient(endpoint, self._shelf, now=self._store.now, read_timeout=self._read_timeout, breaker=self._breaker)
        return _Made(config, endpoint, anchor, client)


def _endpoint(config: Config, name: str) -> Endpoint:
    pbx = config.pbx_named(name)
    if pbx is None:
        raise ConfigError(f"There is no PBX named {name} in the configuration.")
    return Endpoint(pbx.name, pbx.url, pbx.client_id, pbx.client_secret, pbx.tls)


def _anchor(endpoint: Endpoint) -> bytes:
    """What the CA file holds, where there is one; if it is gone, whoever calls is told."""
    with suppress(OSError):
        return b"" if endpoint.pin or endpoint.tls == SYSTEM_STORE else Path(endpoint.tls).read_bytes()
    return b""
