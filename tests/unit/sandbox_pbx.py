"""What the tests of the simulated PBX share: a clock to turn, and a caller that pins whatever is served."""

import ssl
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from bot.sandbox.pbx import PbxSimulator
from bot.sandbox.pki import Authority, Issued

ALIDNS = [
    {"k": "AccessKeyId", "sv": "LTAI-example"},
    {"k": "AccessKeySecret", "sv": "s3cret-example"},
    {"k": "TTL", "iv": 600},
]
APPLY = {"type": "server", "ca_type": "apply", "dns_provider": "alidns", "auth_info_list": ALIDNS}


class Clock:
    """Time that passes when told."""

    def __init__(self, start: datetime | None = None) -> None:
        self.time = start or datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **by: float) -> None:
        self.time += timedelta(**by)


class Pinned(HTTPAdapter):
    """TLS that trusts one certificate by its SHA-256 fingerprint."""

    def __init__(self, fingerprint: str) -> None:
        self._fingerprint = fingerprint
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        # Without a context of its own, each connection would first read the system's authorities, for 20 ms.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        super().init_poolmanager(*args, **kwargs, assert_fingerprint=self._fingerprint, ssl_context=context)


class Caller:
    """A client of the Open API without any manners of its own."""

    def __init__(self, pbx: PbxSimulator) -> None:
        self.pbx = pbx
        self.token: str | None = None
        self._pin = ""
        self._session = requests.Session()

    def send(self, method: str, path: str, *, version: str = "v1.0", **options: Any) -> requests.Response:
        """One request as given; the token is added to the query when there is one."""
        query = ({"access_token": self.token} if self.token else {}) | options.pop("params", {})
        headers = {"User-Agent": "OpenAPI"} | options.pop("headers", {})
        url = f"{self.pbx.url}/openapi/{version}/{path}"
        options = {"timeout": 10, "verify": False} | options
        return self._trusting().request(method, url, params=query, headers=headers, **options)

    def _trusting(self) -> requests.Session:
        """A session that pins what is served now."""
        if self._pin != self.pbx.fingerprint:
            self._pin, self._session = self.pbx.fingerprint, requests.Session()
            self._session.trust_env = False
            self._session.mount("https://", Pinned(self._pin))
        return self._session

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        return _object(self.send("GET", path, params=query))

    def post(self, path: str, /, **body: Any) -> dict[str, Any]:
        return _object(self.send("POST", path, json=body))

    def login(self, **wrong: str) -> dict[str, Any]:
        """``get_token``, with the right id and secret unless told otherwise."""
        body = {"username": self.pbx.client_id, "password": self.pbx.client_secret} | wrong
        return _object(self.send("POST", "get_token", json=body))

    def logged_in(self) -> "Caller":
        self.token = self.login()["access_token"]
        return self

    def upload(self, kind: str, filename: str, content: bytes) -> dict[str, Any]:
        return _object(self.send("POST", "certificate/upload", data={"type": kind}, files={"file": (filename, content)}))

    def import_server(self, name: str, issued: Issued, **more: Any) -> dict[str, Any]:
        """Upload and create a server certificate."""
        self.upload("server", name, issued.bundle_pem)
        return self.post("certificate/create", type="server", ca_type="upload", name=name, **more)

    def import_trusted(self, name: str, authority: Authority) -> dict[str, Any]:
        """Upload and create a trusted CA certificate."""
        self.upload("trusted", name, authority.cert_pem)
        return self.post("certificate/create", type="trusted", name=name)

    def apply(self, domain: str, **more: Any) -> dict[str, Any]:
        return self.post("certificate/create", **(APPLY | {"issue_to": domain} | more))


def _object(response: requests.Response) -> dict[str, Any]:
    answer = response.json()
    assert isinstance(answer, dict)
    return answer
