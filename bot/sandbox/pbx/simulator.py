"""A P-Series PBX to try things on: its Open API over real HTTPS, and handles for whoever drives it."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from types import TracebackType
from typing import Self

from bot.sandbox.pbx import api
from bot.sandbox.pbx.answers import Answer, Refusal
from bot.sandbox.pbx.appliance import DEFAULT, Appliance, serial_of
from bot.sandbox.pbx.calls import PbxCall
from bot.sandbox.pbx.certificates import SERVER, UPLOAD, StoredCertificate
from bot.sandbox.pbx.content import read_server, read_trusted
from bot.sandbox.pbx.dates import DateStyle
from bot.sandbox.pbx.dns import DnsZone
from bot.sandbox.pbx.incoming import Incoming
from bot.sandbox.pbx.listener import Listener
from bot.sandbox.pbx.record import Record
from bot.sandbox.pbx.sessions import MOST_TOKENS, Sessions
from bot.sandbox.pbx.tls import ServedCertificate
from bot.sandbox.pbx.trouble import Mischief, Trouble
from bot.sandbox.pbx.uploads import TemporaryFile, Uploads
from bot.sandbox.pbx.web import WebServer
from bot.sandbox.pki import Authority, Issued, self_signed


def utc_now() -> datetime:
    return datetime.now(UTC)


@lru_cache(maxsize=16)
def built_in_certificate(serial: str, hostname: str) -> Issued:
    """The certificate that a PBX comes with; made once in a process, as an RSA key takes its time."""
    return self_signed(serial, sorted({"localhost", "127.0.0.1", hostname}), key="rsa2048")


class PbxSimulator:
    """One PBX. Everything here can be called from any thread, before, while and after it listens.

    >>> with PbxSimulator("hq") as pbx:
    ...     requests.post(f"{pbx.url}/openapi/v1.0/get_token", json={...}, verify=False)
    """

    def __init__(
        self,
        name: str,
        *,
        now: Callable[[], datetime] = utc_now,
        issuance_polls: int = 3,
        system_date_format: str = "YYYY/MM/DD",
        expiration_format: str | None = None,
        hostname: str = "localhost",
        most_per_page: int = 100,
    ) -> None:
        self.name, self.hostname, self.now = name, hostname, now
        self.trouble = Trouble()
        self._record = Record()
        self._lock = self._record.changed
        self._served = ServedCertificate(built_in_certificate(serial_of(name), hostname))
        self._appliance = Appliance(
            name=name,
            now=now,
            sessions=Sessions(now, client_id=secrets.token_hex(16), client_secret=secrets.token_hex(16)),
            uploads=Uploads(now),
            served=self._served,
            dates=DateStyle(system_date_format, expiration_format=expiration_format),
            issuance_polls=issuance_polls,
            most_per_page=most_per_page,
        )
        self._listener = Listener(WebServer(self._work, self._record.delivered), self._served)
        self._port = 0

    # The machine

    def start(self, port: int = 0) -> Self:
        """Listen on 127.0.0.1, on a free port unless one is given."""
        self._port = self._listener.start(port)
        return self

    def stop(self) -> None:
        """Switch it off: connections break and tokens are forgotten, but certificates and files are kept."""
        self._listener.stop()
        with self._lock:
            self._appliance.sessions.forget()

    def make_unreachable(self) -> None:
        """Break the network: connections are refused, everything else stays as it is."""
        self._listener.stop()

    def unreachable_after(self, path: str, *, skip: int = 0) -> None:
        """Break the network for everybody who calls after this call to ``path``, which itself is answered."""
        self.trouble.meanwhile(path, self._listener.refuse, skip=skip)

    def reachable(self) -> None:
        """Mend the network: listen on the same port again."""
        if self._listener.refusing:
            self._listener.stop()
        if not self._listener.open:
            self._listener.start(self.port)

    def __enter__(self) -> Self:
        return self if self._listener.open else self.start()

    def __exit__(self, _type: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None) -> None:
        self.stop()

    @property
    def port(self) -> int:
        if not self._port:
            raise RuntimeError(f"The simulated PBX {self.name} was never started.")
        return self._port

    @property
    def url(self) -> str:
        return f"https://{self.hostname}:{self.port}"

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate that is served now, as lower-case hex."""
        with self._lock:
            return self._served.fingerprint

    # Who may call

    @property
    def client_id(self) -> str:
        return self._appliance.sessions.client_id

    @property
    def client_secret(self) -> str:
        return self._appliance.sessions.client_secret

    def set_secret(self, secret: str) -> None:
        """Give the API application another secret; tokens stay valid."""
        with self._changing():
            self._appliance.sessions.client_secret = secret

    def refuse_logins_with(self, errcode: int) -> None:
        """Answer a wrong id or secret with this errcode; the vendor does not document which it is."""
        with self._changing():
            self._appliance.sessions.refused_with = errcode

    def unblock(self) -> None:
        """Lift every block of an address."""
        with self._changing():
            self._appliance.sessions.unblock()

    @property
    def logins(self) -> int:
        """How often ``get_token`` was called."""
        return self.count("get_token")

    @property
    def live_tokens(self) -> int:
        """How many access tokens are valid now."""
        with self._lock:
            return self._appliance.sessions.count()

    def take_all_tokens(self) -> None:
        """Let somebody else's client hold every access token that there is; all others are dead."""
        with self._changing():
            sessions = self._appliance.sessions
            sessions.forget()
            while sessions.count() < MOST_TOKENS:
                sessions.log_in("elsewhere", sessions.client_id, sessions.client_secret)

    def forget_tokens(self) -> None:
        """Kill every token, as a restart of the PBX does."""
        with self._changing():
            self._appliance.sessions.forget()

    # What it holds

    @property
    def certificates(self) -> list[StoredCertificate]:
        """Copies, in the order of their ids; looking does not advance an issuing."""
        with self._lock:
            return [replace(one) for one in self._appliance.certificates]

    @property
    def web_certificate(self) -> str:
        """The name of the certificate that the web server uses, or ``default``."""
        with self._lock:
            return self._appliance.web.name if self._appliance.web else DEFAULT

    @property
    def temporary_files(self) -> list[TemporaryFile]:
        with self._lock:
            return self._appliance.uploads.all()

    @property
    def dns(self) -> DnsZone:
        return self._appliance.dns

    @property
    def ca_pem(self) -> bytes:
        """The PBX's own CA, which signs what it applies for: the root, then the intermediate."""
        return self._appliance.root.cert_pem + self._appliance.issuer.cert_pem

    def add_certificate(
        self,
        type: str,  # noqa: A002
        name: str,
        *,
        issue_to: str | None = None,
        expires: datetime | None = None,
        ca_type: str = UPLOAD,
    ) -> int:
        """Let another administrator add one by hand; its id. Limits and names hold for them too (``Refusal``)."""
        issued = self._made_elsewhere(type, issue_to or name, expires or self.now() + timedelta(days=365))
        content = read_server(issued.bundle_pem) if type == SERVER else read_trusted(issued.cert_pem)
        with self._changing():
            inventory = self._appliance.certificates
            inventory.check_room(type)
            inventory.check_name(name)
            certificate = StoredCertificate(inventory.next_id(), name, type, "", ca_type)
            self._appliance.fill(certificate, content)
            return inventory.add(certificate).id

    def remove_certificate(self, certificate_id: int) -> None:
        """Let another administrator delete one by hand; the web server falls back to the built-in one."""
        with self._changing():
            if self._appliance.web is self._appliance.certificates.get(certificate_id):
                self._appliance.use_for_web(None)
            self._appliance.certificates.remove(certificate_id)

    # What happened

    @property
    def calls(self) -> list[PbxCall]:
        """Every call to the API so far, in order."""
        return self._record.all()

    def count(self, path: str, errcode: int | None = None) -> int:
        """How many calls went to this path, or how many of them had this errcode."""
        return sum(call.path == path and errcode in (None, call.errcode) for call in self.calls)

    def wait_for(self, predicate: Callable[[], bool], timeout: float = 10) -> bool:
        """Wait until the predicate holds; it is asked at each call and each change. TimeoutError after so many seconds."""
        return self._record.wait_for(predicate, timeout)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call this at each call and each change, under the PBX's lock."""
        self._record.changed.listen(listener)

    # The inside

    def _work(self, call: Incoming) -> tuple[Mischief, Answer | None, int]:
        """One call, whole, while everybody else stands still."""
        mischief = self.trouble.meet(call.path)
        with self._lock:
            answer = self._answer(call, mischief)
            number = self._record.add(call, answer["errcode"] if answer else None, self.now())
            for act in mischief.meanwhile:
                act()
        return mischief, answer, number

    def _answer(self, call: Incoming, mischief: Mischief) -> Answer | None:
        fate = mischief.fate
        if fate is None or fate.after_effect:
            return api.answer(self._appliance, call)
        return Refusal(fate.errcode, fate.errmsg).answer() if fate.kind == "refuse" else None

    def _made_elsewhere(self, kind: str, host: str, expires: datetime) -> Issued:
        """A certificate that ends then, from a CA that is not the PBX's."""
        start = min(self.now(), expires) - timedelta(days=1)
        authority = Authority.make(host, days=(expires - start) / timedelta(days=1), not_before=start)
        if kind != SERVER:
            return authority
        return authority.issue(host, days=(expires - start) / timedelta(days=1), not_before=start)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._lock:
            yield
            self._lock.notify_all()
