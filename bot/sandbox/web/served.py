"""What each PBX really serves: a TLS handshake with its port, as any client would see it."""

import socket
import ssl
import threading
from collections.abc import Sequence
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from bot.sandbox.pbx import PbxSimulator

SECONDS = 2.0


def handshake(host: str, port: int) -> dict[str, Any]:
    """The certificate that is served there, whoever signed it; or an ``error`` in a few words."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection(("127.0.0.1", port), SECONDS) as connection,
            context.wrap_socket(connection, server_hostname=host) as served,
        ):
            der = served.getpeercert(binary_form=True)
    except OSError as error:
        return {"error": error.strerror or type(error).__name__}
    return _facts(x509.load_der_x509_certificate(der)) if der else {"error": "no certificate"}


def _facts(certificate: x509.Certificate) -> dict[str, Any]:
    return {
        "subject": _common_name(certificate.subject),
        "issuer": _common_name(certificate.issuer),
        "fingerprint": certificate.fingerprint(hashes.SHA256()).hex(),
        "until": certificate.not_valid_after_utc.timestamp(),
    }


def _common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string()


class Handshakes:
    """The latest of each PBX, by its name."""

    def __init__(self, pbxs: Sequence[PbxSimulator]) -> None:
        self._pbxs = pbxs
        self._lock = threading.Lock()
        self._latest: dict[str, dict[str, Any]] = {}

    def look(self) -> bool:
        """Shake hands with each PBX; whether anything is new. It takes a few milliseconds, or seconds where nobody answers."""
        now = {pbx.name: handshake(pbx.hostname, pbx.port) for pbx in self._pbxs}
        with self._lock:
            before, self._latest = self._latest, now
        return before != now

    def of(self, name: str) -> dict[str, Any] | None:
        with self._lock:
            return self._latest.get(name)
