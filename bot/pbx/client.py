"""The certificate functions of a P-Series PBX (vendor pages developer-guide/upload-a-certificate and those beside it).

Every function raises a PbxError whose message is a sentence for people. Only a call that the PBX refused because of its token
is sent a second time; what else to repeat, and when, is for the caller to decide, who can look first.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.exceptions import PbxBadAnswer, PbxRefused, PbxTokenExpired
from bot.pbx.answers import Answer
from bot.pbx.breaker import Breaker, Closed
from bot.pbx.calendar import Calendar
from bot.pbx.endpoint import Endpoint
from bot.pbx.lenient import flag, items, text
from bot.pbx.listing import PAGE_SIZE, Item, identity, read_all
from bot.pbx.models import (
    CertificateType,
    Created,
    Deleted,
    DnsSettings,
    ListedCertificate,
    SystemInformation,
    status_of,
)
from bot.pbx.tokens import BLOCKED, TokenKeeper, TokenShelf
from bot.pbx.transport import Call, Transport

#: DATA NOT FOUND.
NOT_FOUND = 60001

NO_DNS = DnsSettings("", {})

#: Seconds to wait for the answer to a login or a refresh, so that both together fit into the lease of a shelf.
LOGIN_READ_TIMEOUT = 10.0


class PbxClient:
    """One PBX. Safe to use from several threads; timeouts are in seconds, for each call."""

    def __init__(
        self,
        endpoint: Endpoint,
        shelf: TokenShelf,
        *,
        now: Callable[[], datetime],
        connect_timeout: float = 5.0,
        read_timeout: float = 20.0,
        breaker: Breaker | None = None,
    ) -> None:
        login_timeout = min(read_timeout, LOGIN_READ_TIMEOUT)
        self.endpoint = endpoint
        self._now = now
        self._breaker = breaker or Closed()
        login = Transport(endpoint, read_timeout=login_timeout, connect_timeout=connect_timeout, reports_to=self._breaker)
        self._transport = Transport(
            endpoint, read_timeout=read_timeout, connect_timeout=connect_timeout, reports_to=self._breaker
        )
        self._keeper = TokenKeeper(endpoint, shelf, login, now)
        self._calendar = Calendar(self.system_information, now)

    def ready(self) -> None:
        """Raises PbxAway while this PBX is left alone because it does not answer; without a call."""
        self._breaker.check(self.endpoint.name)

    def probe(self) -> None:
        """One harmless call, of the kind that all work begins with, to see whether a PBX that was away answers again.

        Raises PbxAway when it is not time for that or somebody else is at it.
        """
        self._breaker.probe(self.endpoint.name)
        self._ask(_listing(1, 1))

    def list_certificates(self, type: CertificateType | None = None) -> list[ListedCertificate]:  # noqa: A002
        """All of them, or those of one type, by id.

        The type is picked out here and not by the PBX, because ``total_number`` is not documented for a filtered list.
        """
        found = [self._listed(item) for item in read_all(self._page, "certificate_list")]
        return [each for each in found if type is None or each.type == type]

    def get_certificate(self, id: int) -> ListedCertificate:  # noqa: A002
        """Raises PbxRefused with errcode 60001 if there is none."""
        answer = self._call(Call("GET", "certificate/get", "show the certificate", params={"id": id}))
        item = answer.get("certificate")
        if not isinstance(item, dict) or identity(item) != id:
            raise PbxBadAnswer(f"The PBX was asked for certificate {id} and showed another one or none. ({PbxBadAnswer.code})")
        return self._listed(item)

    def query_certificates(self, ids: Sequence[int]) -> list[ListedCertificate]:
        """Those of these ids that are there, by id."""
        if not ids:
            return []
        joined = ",".join(str(each) for each in ids)
        try:
            answer = self._call(Call("GET", "certificate/query", "show the certificates", params={"ids": joined}))
        except PbxRefused as refusal:
            if refusal.errcode == NOT_FOUND:
                return []
            raise
        found = [self._listed(item) for item in items(answer.get("certificate_list"))]
        return sorted(found, key=lambda each: each.id)

    def upload(self, type: CertificateType, filename: str, content: bytes) -> str:  # noqa: A002
        """The name under which the file is kept until 01:00 at the earliest an hour later; to be used in create or update."""
        form = {"type": CertificateType(type).value}
        call = Call("POST", "certificate/upload", "take the file", write=True, form=form, file=(filename, content))
        stored = text(self._call(call).get("file"))
        if not stored:
            raise PbxBadAnswer(f"The PBX took the file and did not say under which name. ({PbxBadAnswer.code})")
        return stored

    def create_trusted(self, name: str, *, not_after: datetime | None = None) -> Created:
        """Make an uploaded file a trusted CA certificate.

        This and the two below raise PbxTooLate, and send nothing, after ``not_after``: whoever did not get so far by then may
        have been asleep, and somebody else may have taken over.
        """
        return self._create({"type": "trusted", "name": name}, not_after)

    def create_import(
        self, name: str, *, auto_renewal: bool, dns: DnsSettings | None = None, not_after: datetime | None = None
    ) -> Created:
        """Make an uploaded file a server certificate. Automatic renewal needs DNS settings (ValueError without)."""
        if auto_renewal and dns is None:
            raise ValueError("automatic renewal needs DNS settings")
        renewal = {"auto_renewal": int(auto_renewal)}
        return self._create({"type": "server", "ca_type": "upload", "name": name, **renewal}, not_after, dns)

    def create_apply(self, domain: str, dns: DnsSettings, *, not_after: datetime | None = None) -> Created:
        """Let the PBX apply for a certificate; it is listed at once and issued later."""
        return self._create({"type": "server", "ca_type": "apply", "issue_to": domain}, not_after, dns)

    def update_certificate(
        self,
        id: int,  # noqa: A002
        *,
        name: str | None = None,
        issue_to: str | None = None,
        auto_renewal: bool | None = None,
        dns: DnsSettings | None = None,
    ) -> None:
        """Change a server certificate; only what is given. The PBX does not say whether it is issued anew at once."""
        renewal = None if auto_renewal is None else int(auto_renewal)
        changes = {"name": name, "issue_to": issue_to, "auto_renewal": renewal}
        given = {key: value for key, value in changes.items() if value is not None}
        self._write("certificate/update", "change the certificate", {"id": id, **given}, dns)

    def delete_certificate(self, id: int) -> Deleted:  # noqa: A002
        """A GET that deletes. If its fate is unknown, look at the list; ids are not documented to stay unused."""
        answer = self._call(Call("GET", "certificate/delete", "delete the certificate", write=True, params={"id": id}))
        return Deleted(reboot=bool(flag(answer.get("reboot"))), apply=bool(flag(answer.get("apply"))))

    def set_web_certificate(self, name: str) -> None:
        """Choose what the HTTPS port serves, by name; ``default`` is the built-in self-signed one.

        From then on this client, too, meets the new certificate: with a pin or for another host name it will refuse the PBX.
        """
        self._write("webserver/update", "use the certificate for its web server", {"https_cert": name})

    def system_information(self) -> SystemInformation:
        answer = self._call(Call("GET", "system/information", "tell about itself"))
        data = answer.get("data")
        return SystemInformation.model_validate(data if isinstance(data, dict) else answer)

    def certificate_names(self) -> list[str]:
        """The names that `set_web_certificate` takes (vendor page developer-guide/get-menu-options)."""
        params = {"menu": "certificate"}
        answer = self._call(Call("GET", "system/get_menuoptions", "list the names of its certificates", params=params))
        return _names(answer)

    def _create(self, payload: Mapping[str, Any], not_after: datetime | None, dns: DnsSettings | None = None) -> Created:
        answer = self._write("certificate/create", "add the certificate", payload, dns, not_after)
        return Created(text(answer.get("name")) or payload.get("name", ""), status_of(answer.get("apply_status")))

    def _write(
        self,
        path: str,
        doing: str,
        payload: Mapping[str, Any],
        dns: DnsSettings | None = None,
        not_after: datetime | None = None,
    ) -> Answer:
        in_time = None if not_after is None else lambda: self._now() <= not_after
        # The credentials go from one object that hides them into another, past all variables: tracebacks can show those.
        hidden = dns or NO_DNS
        call = Call("POST", path, doing, write=True, json={**payload, **hidden.payload()}, secrets=hidden.secrets())
        return self._call(replace(call, in_time=in_time))

    def _page(self, at: int) -> Answer:
        return self._call(_listing(at, PAGE_SIZE))

    def _listed(self, item: Item) -> ListedCertificate:
        told = ListedCertificate.model_validate({**item, "id": identity(item), "expires": None})
        return told.model_copy(update={"expires": self._calendar.read(told.expiration_text)})

    def _call(self, call: Call) -> Answer:
        """Asked before anything leaves, also before a login: a PBX that is away costs no connection."""
        self._breaker.check(self.endpoint.name)
        return self._ask(call)

    def _ask(self, call: Call) -> Answer:
        """The answer to a call made with the shared token, renewed once if the PBX no longer takes it."""
        try:
            token = self._keeper.current()
            try:
                return self._transport.send(call, token)
            except PbxTokenExpired:
                # Repeated even if it deletes: the refusal itself says that nothing happened.
                return self._transport.send(call, self._keeper.instead_of(token))
        except PbxRefused as refusal:
            if refusal.errcode == BLOCKED:
                raise self._keeper.stop(refusal) from None
            raise


def _listing(page: int, size: int) -> Call:
    params: dict[str, str | int] = {"page": page, "page_size": size, "sort_by": "id", "order_by": "asc"}
    return Call("GET", "certificate/list", "list its certificates", params=params)


def _names(answer: Answer) -> list[str]:
    """Each option has a text and a value; of the two, the name is the one that is not merely a number."""
    lists = (value for value in answer.values() if isinstance(value, list))
    options = [option if isinstance(option, dict) else {"value": option} for option in next(lists, [])]
    told = [(text(option.get("value")), text(option.get("text"))) for option in options]
    names = [label if value.isdigit() or not value else value for value, label in told]
    return list(dict.fromkeys(name for name in names if name))
