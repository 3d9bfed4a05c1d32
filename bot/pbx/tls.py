"""How a connection to a PBX is made: over TLS that is always checked, and so that we know afterwards whether it was made.

P-Series PBXs come with a self-signed certificate (vendor page developer-guide/update-web-server-certificate-setting), so a
pinned fingerprint is a choice of its own: it replaces the checks of chain and host name by something stricter, not by nothing.
"""

import ssl
from collections.abc import Callable
from functools import partial
from typing import Any

from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from urllib3 import HTTPSConnectionPool
from urllib3.connection import HTTPSConnection
from urllib3.util.ssl_ import create_urllib3_context

from bot.pbx.endpoint import SYSTEM_STORE, Endpoint


class NotingConnection(HTTPSConnection):
    """Tells when the connection stands: TCP is open, TLS has been agreed on, and the certificate has passed.

    Nothing of the call has been sent by then, and nothing is if whoever is told raises.
    """

    def __init__(self, *args: Any, note: Callable[[], None], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._note = note

    def connect(self) -> None:
        super().connect()
        self._note()


class Adapter(HTTPAdapter):
    """Carries one call. ``left`` says whether anything of it can have reached the PBX; ``may_leave`` is asked just before.

    Retries are off, because even a GET can delete. The arguments ``verify`` and ``cert`` of requests are not looked at; the
    endpoint alone decides. Raises OSError if a CA file cannot be read.
    """

    def __init__(self, endpoint: Endpoint, may_leave: Callable[[], None]) -> None:
        self.left = False
        self._may_leave = may_leave
        self._tls = trust(endpoint)
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def build_connection_pool_key_attributes(self, request: PreparedRequest, verify: Any, cert: Any = None) -> Any:
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, dict(self._tls)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> HTTPSConnectionPool:
        pool: HTTPSConnectionPool = super().get_connection_with_tls_context(*args, **kwargs)  # type: ignore[assignment]
        pool.ConnectionCls = partial(NotingConnection, note=self._note_left)  # type: ignore[assignment]
        return pool

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Leave the pool as `trust` made it; requests would add its own bundle of authorities here."""

    def _note_left(self) -> None:
        self._may_leave()
        self.left = True


def trust(endpoint: Endpoint) -> dict[str, Any]:
    """What urllib3 needs to know the right PBX by. ``system`` is what OpenSSL on this machine trusts, not a bundled list."""
    if endpoint.pin:
        context = create_urllib3_context(cert_reqs=ssl.CERT_NONE)
        return {"ssl_context": context, "cert_reqs": "CERT_NONE", "assert_fingerprint": endpoint.pin}
    file = None if endpoint.tls == SYSTEM_STORE else endpoint.tls
    return {"ssl_context": ssl.create_default_context(cafile=file), "cert_reqs": "CERT_REQUIRED"}
