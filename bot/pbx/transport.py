"""One call to the Open API: out over TLS, back as an answer or as one of our errors.

Each call has a connection of its own, as the PBX closes it after answering (vendor page developer-guide/api-request-overview),
and nothing here ever repeats a call. Proxies are those of the environment (``HTTPS_PROXY``, ``NO_PROXY``), as always with
requests; its other habits with the environment (netrc, bundles of authorities) are off.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import requests
import structlog
from pydantic import SecretStr
from requests.utils import get_environ_proxies

from bot import crashpoints
from bot.exceptions import PbxError, PbxTooLate
from bot.pbx import answers, breaker, overheard
from bot.pbx.endpoint import Endpoint
from bot.pbx.errors import FOREIGN, translate, unreadable
from bot.pbx.redaction import guard_logs
from bot.pbx.tls import Adapter

#: The PBX refuses a request without one (vendor page developer-guide/request-structure).
USER_AGENT = f"pbx-cert-bot/{version('pbx-cert-bot')}"

_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Call:
    """A call before it has a token. ``doing`` completes "The PBX did not"; ``write`` means that it changes something."""

    method: str
    path: str
    doing: str
    write: bool = False
    params: Mapping[str, str | int] = field(default_factory=dict)
    json: Mapping[str, Any] | None = field(default=None, repr=False)
    file: tuple[str, bytes] | None = field(default=None, repr=False)
    form: Mapping[str, str] = field(default_factory=dict)
    #: What must not be repeated from the PBX's own words.
    secrets: tuple[str, ...] = field(default=(), repr=False)
    #: Asked at the last moment, when the connection stands: whether it may still leave.
    in_time: Callable[[], bool] | None = field(default=None, repr=False)


class Transport:
    """Carries calls to one PBX. Safe to use from several threads; timeouts are in seconds."""

    def __init__(
        self, endpoint: Endpoint, *, connect_timeout: float, read_timeout: float, reports_to: breaker.Breaker | None = None
    ) -> None:
        guard_logs()
        self._endpoint = endpoint
        self._breaker = reports_to or breaker.Closed()
        self._timeouts = (connect_timeout, read_timeout)

    def send(self, call: Call, token: SecretStr | None = None) -> answers.Answer:
        """The answer with errcode 0.

        Raises PbxUnreachable if the call did not leave (PbxTooLate if it was not `Call.in_time`), PbxFateUnknown if it left and
        no answer came (or, for a write, none that can be read), PbxBadAnswer for what is no answer of a PBX, and PbxRefused for
        any other errcode.
        """
        started = time.monotonic()
        outcome = self._attempt(call, token)
        failed = outcome.code if isinstance(outcome, PbxError) else None
        took = round(time.monotonic() - started, 3)
        overheard.note(call.method, call.path, outcome, took)
        log.debug("pbx.call", pbx=self._endpoint.name, method=call.method, path=call.path, failed=failed, seconds=took)
        breaker.note(self._breaker, self._endpoint.name, call.path, outcome)
        if isinstance(outcome, PbxError):
            raise outcome
        return outcome

    def _attempt(self, call: Call, token: SecretStr | None) -> answers.Answer | PbxError:
        """Returns the error, so that it is raised where no foreign one is its context: tracebacks show contexts."""
        adapter: Adapter | None = None
        try:
            adapter = Adapter(self._endpoint, lambda: self._must_be_in_time(call))
            with crashpoints.around(f"pbx {call.path}"):
                status, body = self._exchange(adapter, call, token)
        except PbxTooLate as late:
            return late.with_traceback(None)  # its frames know the token
        except FOREIGN as error:
            left = adapter is not None and adapter.left
            return translate(error, self._endpoint.place, call.doing, left=left, write=call.write)
        return self._read(call, token, status, body)

    def _must_be_in_time(self, call: Call) -> None:
        if call.in_time is not None and not call.in_time():
            raise PbxTooLate(
                f"The PBX at {self._endpoint.place} was not asked to {call.doing}: the bot took so long to get there that "
                f"another process may have taken over. Nothing was sent. ({PbxTooLate.code})"
            )

    def _exchange(self, adapter: Adapter, call: Call, token: SecretStr | None) -> tuple[int, bytes]:
        url = self._endpoint.base + call.path
        with requests.Session() as session:
            session.trust_env = False
            session.mount("https://", adapter)
            with session.request(
                call.method,
                url,
                params={**call.params, **({"access_token": token.get_secret_value()} if token else {})},
                json=call.json,
                files=_parts(call),
                headers={"User-Agent": USER_AGENT, "Connection": "close", "Accept": "application/json"},
                proxies=self._proxies(),
                timeout=self._timeouts,
                allow_redirects=False,
                stream=True,
            ) as response:
                return response.status_code, _body(response, time.monotonic() + self._timeouts[1])

    def _proxies(self) -> dict[str, str]:
        """No proxy stands between this machine and itself, whatever the environment says about others."""
        return {} if self._endpoint.place.rpartition(":")[0] in _THIS_MACHINE else dict(get_environ_proxies(self._endpoint.url))

    def _read(self, call: Call, token: SecretStr | None, status: int, body: bytes) -> answers.Answer | PbxError:
        secrets = (*call.secrets, *([token.get_secret_value()] if token else []))
        try:
            return answers.read(status, body, call.doing, secrets)
        except answers.Unreadable as trouble:
            place = self._endpoint.place
            return unreadable(place, call.doing, str(trouble), write=call.write, happened=answers.may_have_happened(status))


def _parts(call: Call) -> list[tuple[str, tuple[str | None, str | bytes]]] | None:
    """The multipart form: the fields first and the file after them, as in the vendor's example."""
    if call.file is None:
        return None
    return [*((name, (None, value)) for name, value in call.form.items()), ("file", call.file)]


def _body(response: requests.Response, deadline: float) -> bytes:
    """What came; of an answer that is too large, so much that the reader notices. ``deadline`` by the monotonic clock.

    The socket's timeout alone would wait for ever for a body that comes a byte at a time.
    """
    body = bytearray()
    while part := response.raw.read1(65_536, decode_content=True):
        body += part
        if len(body) > answers.LARGEST:
            break
        if time.monotonic() > deadline:
            raise requests.exceptions.ReadTimeout
    return bytes(body)
