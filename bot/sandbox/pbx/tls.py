"""The certificate that a PBX serves, which can change while it listens.

A context keeps one certificate for each kind of key, so loading another into the same one would leave the first in
place. Each certificate gets a context of its own instead, and every handshake is given the latest.
"""

import ssl
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from bot.sandbox.pki import Issued


class ServedCertificate:
    """What new HTTPS connections see."""

    def __init__(self, default: Issued) -> None:
        self._default = default
        self.fingerprint = ""
        self.show_default()
        #: The context to listen with; it hands each handshake over to the latest one.
        self.front = _context(default.cert_pem, default.key_pem)
        self.front.sni_callback = self._hand_over

    def show(self, pem: bytes, key: bytes) -> None:
        """Serve this certificate from now on; ``ssl.SSLError`` if TLS cannot use it."""
        self._latest = _context(pem, key)
        self.fingerprint = x509.load_pem_x509_certificates(pem)[0].fingerprint(hashes.SHA256()).hex()

    def show_default(self) -> None:
        self.show(self._default.cert_pem, self._default.key_pem)

    def _hand_over(self, connection: ssl.SSLObject, _name: str | None, _front: ssl.SSLContext) -> None:
        connection.context = self._latest


def _context(pem: bytes, key: bytes) -> ssl.SSLContext:
    """A server context; the standard library reads certificates from files only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "served.pem")
        path.touch(mode=0o600)
        path.write_bytes(pem + b"\n" + key)
        context.load_cert_chain(path)
    return context
