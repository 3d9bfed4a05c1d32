"""One PBX behind its API: what it holds, and what it does beyond one call (issuing, serving)."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.sandbox.pbx.certificates import FAILED, ISSUED, ISSUING, Inventory, StoredCertificate
from bot.sandbox.pbx.content import Content
from bot.sandbox.pbx.dates import DateStyle
from bot.sandbox.pbx.dns import DnsZone
from bot.sandbox.pbx.sessions import Sessions
from bot.sandbox.pbx.tls import ServedCertificate
from bot.sandbox.pbx.uploads import Uploads
from bot.sandbox.pki import Authority

FIRMWARE = "37.23.0.123"
HARDWARE = "V1.00 0000-0000"
MODEL = "P550"
ISSUED_FOR_DAYS = 90
DEFAULT = "default"


def serial_of(name: str) -> str:
    """A serial number in the vendor's shape, always the same for a name."""
    return f"3631A{int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], 'big') % 10**8:08d}"


@dataclass
class Appliance:
    """The state that the calls work on. The simulator's lock guards it."""

    name: str
    now: Callable[[], datetime]
    sessions: Sessions
    uploads: Uploads
    served: ServedCertificate
    dates: DateStyle
    issuance_polls: int
    most_per_page: int
    dns: DnsZone = field(default_factory=DnsZone)
    certificates: Inventory = field(default_factory=Inventory)
    #: The certificate that the web server uses; None is the built-in one.
    web: StoredCertificate | None = None

    def __post_init__(self) -> None:
        self.booted_at = self.now()
        made_at = self.booted_at - timedelta(days=1)
        self.root = Authority.make(f"{self.name} Sandbox Root CA", not_before=made_at)
        self.issuer = self.root.intermediate(f"{self.name} Sandbox Issuing CA", not_before=made_at)

    @property
    def serial(self) -> str:
        return serial_of(self.name)

    def fill(self, certificate: StoredCertificate, content: Content) -> None:
        """Put a file's content into an entry."""
        certificate.pem, certificate.key = content.pem, content.key
        certificate.issue_to = content.issue_to
        self._expires(certificate, content.expires)

    def start_issuing(self, certificate: StoredCertificate) -> None:
        certificate.apply_status, certificate.apply_tip_code = ISSUING, None
        certificate.polls_left = self.issuance_polls

    def look_at(self, certificate: StoredCertificate) -> dict[str, object]:
        """The entry as it is shown now; an issuing ends after it was seen often enough."""
        if certificate.apply_status == ISSUING and certificate.polls_left > 0:
            certificate.polls_left -= 1
        elif certificate.apply_status == ISSUING:
            self._settle(certificate)
        return certificate.listed()

    def use_for_web(self, certificate: StoredCertificate | None) -> None:
        """Serve this certificate to new HTTPS connections."""
        if certificate is None:
            self.served.show_default()
        else:
            self.served.show(certificate.pem, certificate.key)
        self.web = certificate

    def _settle(self, certificate: StoredCertificate) -> None:
        if certificate.dns is None:
            raise ValueError("a certificate cannot be issued without DNS settings")
        tip_code = self.dns.verdict(certificate.issue_to, certificate.dns)
        if tip_code is not None:
            certificate.apply_status, certificate.apply_tip_code = FAILED, tip_code
            return
        certificate.apply_status = ISSUED
        start = self.now() - timedelta(hours=1)
        issued = self.issuer.issue(certificate.issue_to, days=ISSUED_FOR_DAYS, not_before=start)
        certificate.pem, certificate.key = issued.cert_pem + issued.chain_pem, issued.key_pem
        self._expires(certificate, issued.cert.not_valid_after_utc)
        if certificate is self.web:
            self.use_for_web(certificate)

    def _expires(self, certificate: StoredCertificate, moment: datetime) -> None:
        certificate.expires, certificate.expiration = moment, self.dates.expiration(moment)
