"""Every function of the client against the simulated PBX over real HTTPS."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from bot.exceptions import PbxBadAnswer, PbxFateUnknown, PbxLimitReached, PbxRefused, PbxUnreachable
from bot.pbx.client import PbxClient
from bot.pbx.models import ApplyStatus, CertificateType, Created, Deleted, DnsSettings
from bot.sandbox.pbx import PbxSimulator
from bot.sandbox.pki import Authority
from tests.unit.pbx_kit import MemoryShelf, RawPbx, client_of, json_answer

TRUSTED, SERVER = CertificateType.TRUSTED, CertificateType.SERVER
CREDENTIAL = "a-dns-credential-nobody-may-see"
DNS = DnsSettings("alidns", {"AccessKeyId": "an-id", "AccessKeySecret": CREDENTIAL, "PropagationTimeout": 300})
LOGIN = '{"errcode": 0, "access_token": "abcdef", "access_token_expire_time": 1800}'


@pytest.fixture
def pbx() -> Iterator[PbxSimulator]:
    with PbxSimulator("hq") as simulator:
        yield simulator


@pytest.fixture
def client(pbx: PbxSimulator) -> PbxClient:
    return client_of(pbx)


def test_trusted(pbx: PbxSimulator, client: PbxClient) -> None:
    """A CA certificate is uploaded, created and listed under the name that the PBX kept."""
    name = client.upload(TRUSTED, "root.crt", Authority.make("Root").cert_pem)
    assert client.create_trusted(name) == Created("root.crt", ApplyStatus.SUCCESS)
    listed = client.list_certificates()
    assert [(one.name, one.type, one.issue_to) for one in listed] == [("root.crt", TRUSTED, "Root")]
    assert listed[0].expires == pbx.certificates[0].expires


def test_import_with_renewal(pbx: PbxSimulator, client: PbxClient) -> None:
    """A server certificate is imported with its renewal, whose credentials arrive typed and never come back."""
    bundle = Authority.make("Root").issue("a.example.com").bundle_pem
    name = client.upload(SERVER, "a.pem", bundle)
    client.create_import(name, auto_renewal=True, dns=DNS)
    listed = client.list_certificates(SERVER)
    assert [(one.ca_type, one.auto_renewal, one.dns_provider) for one in listed] == [("upload", True, "alidns")]
    assert CREDENTIAL not in repr(listed)
    client.update_certificate(listed[0].id, auto_renewal=False)
    assert client.get_certificate(listed[0].id).auto_renewal is False


def test_renewal_needs_credentials(pbx: PbxSimulator, client: PbxClient) -> None:
    """Renewal without DNS settings is a mistake of the caller, which the PBX need not be asked about."""
    with pytest.raises(ValueError, match="needs DNS settings"):
        client.create_import("a.pem", auto_renewal=True)
    assert pbx.calls == []


def test_apply(client: PbxClient) -> None:
    """An applied certificate is listed while it is being issued, and has its expiry when it is."""
    assert client.create_apply("a.example.com", DNS) == Created("a.example.com.pem", ApplyStatus.ISSUING)
    seen = [client.list_certificates(SERVER)[0] for _ in range(5)]
    assert (seen[0].apply_status, seen[0].expires) == (ApplyStatus.ISSUING, None)
    assert seen[-1].apply_status is ApplyStatus.SUCCESS
    assert seen[-1].expires is not None
    assert seen[-1].expires > datetime.now(UTC)


def test_apply_fails(pbx: PbxSimulator, client: PbxClient) -> None:
    """A failed application says so, with the code from the DNS side."""
    pbx.dns.fail("a.example.com", tip_code=1234)
    client.create_apply("a.example.com", DNS)
    last = [client.list_certificates(SERVER)[0] for _ in range(5)][-1]
    assert (last.apply_status, last.apply_tip_code) == (ApplyStatus.FAILED, 1234)


def test_get_and_query(pbx: PbxSimulator, client: PbxClient) -> None:
    """One or several are read by id; those that are gone are missing, or refused with 60001."""
    ids = [pbx.add_certificate("trusted", f"{letter}.crt") for letter in "abc"]
    assert client.get_certificate(ids[1]).name == "b.crt"
    assert [one.name for one in client.query_certificates([ids[2], ids[0], 999])] == ["a.crt", "c.crt"]
    assert client.query_certificates([]) == client.query_certificates([998, 999]) == []
    with pytest.raises(PbxRefused) as caught:
        client.get_certificate(999)
    assert caught.value.errcode == 60001


def test_delete(pbx: PbxSimulator, client: PbxClient) -> None:
    """A deletion tells what the PBX needs afterwards."""
    number = pbx.add_certificate("trusted", "a.crt")
    assert client.delete_certificate(number) == Deleted(reboot=True, apply=True)
    assert pbx.certificates == []


@pytest.mark.parametrize("after_effect", [True, False])
def test_deleted_once(pbx: PbxSimulator, client: PbxClient, after_effect: bool) -> None:
    """A deletion without an answer is sent once, and its fate is unknown whether or not it took place."""
    number = pbx.add_certificate("trusted", "a.crt")
    client.system_information()
    pbx.trouble.drop("certificate/delete", after_effect=after_effect)
    with pytest.raises(PbxFateUnknown):
        client.delete_certificate(number)
    assert pbx.count("certificate/delete") == 1
    assert len(pbx.certificates) == (0 if after_effect else 1)


WRITES: dict[str, Callable[[PbxClient], object]] = {
    "certificate/upload": lambda client: client.upload(TRUSTED, "a.crt", b"PEM"),
    "certificate/create": lambda client: client.create_trusted("a.crt"),
    "certificate/update": lambda client: client.update_certificate(1, name="a.crt"),
    "certificate/delete": lambda client: client.delete_certificate(1),
    "webserver/update": lambda client: client.set_web_certificate("default"),
}


@pytest.mark.parametrize("path", WRITES)
def test_all_that_change_something(pbx: PbxSimulator, client: PbxClient, path: str) -> None:
    """Every call that changes something is sent once, and a gateway's page in answer to it leaves its fate open."""
    pbx.trouble.html(path)
    with pytest.raises(PbxFateUnknown, match="Look at what it lists"):
        WRITES[path](client)
    assert pbx.count(path) == 1


@pytest.mark.parametrize("trouble", ["truncate", "html"])
def test_created_all_the_same(pbx: PbxSimulator, client: PbxClient, trouble: str) -> None:
    """A creation whose answer was lost on the way has taken place, and is not taken for one that has not."""
    name = client.upload(TRUSTED, "root.crt", Authority.make("Root").cert_pem)
    if trouble == "truncate":
        pbx.trouble.truncate("certificate/create")
    else:
        pbx.trouble.html("certificate/create", after_effect=True)
    with pytest.raises(PbxFateUnknown):
        client.create_trusted(name)
    assert len(pbx.certificates) == 1
    assert pbx.count("certificate/create") == 1


def test_web_certificate(pbx: PbxSimulator, client: PbxClient) -> None:
    """The web server's certificate is chosen by name; a client with the old pin then no longer talks to this PBX."""
    pbx.add_certificate("server", "a.pem", issue_to="localhost")
    assert client.certificate_names() == ["default", "a.pem"]
    client.set_web_certificate("a.pem")
    assert pbx.web_certificate == "a.pem"
    with pytest.raises(PbxUnreachable, match="another certificate than the pinned one"):
        client.certificate_names()
    assert client_of(pbx).certificate_names() == ["default", "a.pem"]


def test_full(pbx: PbxSimulator, client: PbxClient) -> None:
    """A fourth server certificate is refused with the limit in words."""
    for letter in "abc":
        pbx.add_certificate("server", f"{letter}.pem")
    with pytest.raises(PbxLimitReached, match="at most 3 server certificates"):
        client.create_apply("d.example.com", DNS)


def test_a_full_list(pbx: PbxSimulator, client: PbxClient) -> None:
    """All 23 certificates of a full PBX are listed by id, in one call; one type is picked from them."""
    for number in range(20):
        pbx.add_certificate("trusted", f"ca{number}.crt")
    for letter in "abc":
        pbx.add_certificate("server", f"{letter}.pem")
    listed = client.list_certificates()
    assert [one.id for one in listed] == sorted(one.id for one in pbx.certificates)
    assert [one.name for one in client.list_certificates(SERVER)] == ["a.pem", "b.pem", "c.pem"]
    assert len(client.list_certificates(TRUSTED)) == 20
    assert pbx.count("certificate/list") == 3


def test_lenient(pbx: PbxSimulator, client: PbxClient) -> None:
    """Numbers as strings and a wrong content type change nothing."""
    pbx.add_certificate("server", "a.pem")
    plain = client.list_certificates(), client.system_information().date_format
    pbx.trouble.strings("*")
    pbx.trouble.content_type("*", "text/html")
    assert (client.list_certificates(), client.system_information().date_format) == plain


def test_gateway(pbx: PbxSimulator, client: PbxClient) -> None:
    """A gateway's page instead of a list is no list, and the next call works again."""
    pbx.trouble.html("certificate/list")
    with pytest.raises(PbxBadAnswer, match="gateway"):
        client.list_certificates()
    assert client.list_certificates() == []


@pytest.mark.parametrize(("date_format", "asked"), [("DD/MM/YYYY", 1), ("MM/DD/YYYY", 1), ("YYYY/MM/DD", 0)])
def test_dates_in_the_system_format(date_format: str, asked: int) -> None:
    """An ambiguous expiry is read by the PBX's own date format, which is asked for once and only if it is needed."""
    expires = datetime(2032, 5, 6, 7, 8, 9, tzinfo=UTC)
    with PbxSimulator("hq", system_date_format=date_format) as pbx:
        pbx.add_certificate("trusted", "a.crt", expires=expires)
        client = client_of(pbx)
        for _ in range(2):
            assert client.list_certificates()[0].expires == expires
        assert pbx.count("system/information") == asked


def test_date_that_cannot_be_read(pbx: PbxSimulator) -> None:
    """Without the PBX's date format an ambiguous expiry is unknown, its text is kept, and the list is read all the same."""
    with PbxSimulator("hq", system_date_format="DD/MM/YYYY") as pbx:
        pbx.add_certificate("trusted", "a.crt", expires=datetime(2032, 5, 6, tzinfo=UTC))
        pbx.trouble.refuse("system/information", 10005)
        told = client_of(pbx).list_certificates()[0]
    assert told.expires is None
    assert told.expiration_text.startswith("06/05/2032")


def test_credentials_come_back_hidden() -> None:
    """A PBX that repeats a credential in its message does not get it into ours."""
    refusal = f'{{"errcode": 40002, "errmsg": "AccessKeySecret={CREDENTIAL} is bad"}}'
    with RawPbx(lambda path: json_answer(LOGIN if path == "get_token" else refusal)) as raw:
        client = PbxClient(raw.endpoint(), MemoryShelf(), now=lambda: datetime.now(UTC))
        with pytest.raises(PbxRefused) as caught:
            client.create_apply("a.example.com", DNS)
    assert "AccessKeySecret=[hidden] is bad" in caught.value.message
    assert CREDENTIAL not in f"{caught.value!r} {vars(caught.value)}"


ODD = {
    "another id": ("get_certificate", '{"errcode": 0, "certificate": {"id": 3}}'),
    "no certificate": ("get_certificate", '{"errcode": 0}'),
    "no stored name": ("upload", '{"errcode": 0}'),
}


@pytest.mark.parametrize(("function", "body"), ODD.values(), ids=ODD.keys())
def test_odd_answers(function: str, body: str) -> None:
    """An answer that lacks what was asked for is not taken for one that has it."""
    with RawPbx(lambda path: json_answer(LOGIN if path == "get_token" else body)) as raw:
        client = PbxClient(raw.endpoint(), MemoryShelf(), now=lambda: datetime.now(UTC))
        with pytest.raises(PbxBadAnswer):
            client.get_certificate(4) if function == "get_certificate" else client.upload(TRUSTED, "a.crt", b"")


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ('"data": [{"text": "Default", "value": "default"}, {"text": "a.pem", "value": "a.pem"}]', ["default", "a.pem"]),
        ('"data": [{"text": "a.pem", "value": "4"}, {"text": "a.pem", "value": 4}]', ["a.pem"]),
        ('"menu_options": ["default", "a.pem"]', ["default", "a.pem"]),
        ('"data": null', []),
    ],
)
def test_menu_options(options: str, names: list[str]) -> None:
    """The names are found whether an option's value is a name or an id."""
    answer = f'{{"errcode": 0, {options}}}'
    with RawPbx(lambda path: json_answer(LOGIN if path == "get_token" else answer)) as raw:
        client = PbxClient(raw.endpoint(), MemoryShelf(), now=lambda: datetime.now(UTC))
        assert client.certificate_names() == names
