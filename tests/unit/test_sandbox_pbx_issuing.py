"""The simulated PBX: applying for a certificate, and editing one."""

from collections.abc import Iterator
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from bot.sandbox.pbx import PbxSimulator
from bot.sandbox.pki import Authority
from tests.unit.sandbox_pbx import ALIDNS, Caller

ROOT = Authority.make("Example Root CA")


@pytest.fixture
def pbx() -> Iterator[PbxSimulator]:
    with PbxSimulator("hq") as pbx:
        yield pbx


@pytest.fixture
def caller(pbx: PbxSimulator) -> Caller:
    return Caller(pbx).logged_in()


def statuses(caller: Caller, number: int, polls: int) -> list[str]:
    """What so many looks at one certificate show."""
    return [caller.get("certificate/get", id=number)["certificate"]["apply_status"] for _ in range(polls)]


def test_applying_answers_a_name_and_no_id(caller: Caller) -> None:
    """An application is answered at once, with the domain's file name and ``issuing``."""
    assert caller.apply("docstest.example.com") == {
        "errcode": 0,
        "errmsg": "SUCCESS",
        "name": "docstest.example.com.pem",
        "apply_status": "issuing",
    }


def test_wildcard_gets_an_underscore_in_its_name(caller: Caller) -> None:
    """A wildcard's file name has ``_`` for ``*``; the domain stays as it is."""
    assert caller.apply("*.example.com")["name"] == "_.example.com.pem"
    assert caller.get("certificate/get", id=1)["certificate"]["issue_to"] == "*.example.com"


def test_issuing_lasts_three_looks(caller: Caller) -> None:
    """A certificate is seen as issuing three times and then as issued, whichever call looks."""
    caller.apply("pbx.example.com")
    seen = [
        caller.get("certificate/list")["certificate_list"][0],
        caller.get("certificate/query", ids="1")["certificate_list"][0],
        caller.get("certificate/get", id=1)["certificate"],
        caller.get("certificate/list", type="server")["certificate_list"][0],
    ]
    assert [one["apply_status"] for one in seen] == ["issuing"] * 3 + ["issuance_success"]
    assert [one["expiration"] == "" for one in seen] == [True] * 3 + [False]


def test_number_of_looks_can_be_chosen() -> None:
    """With no polls the first look shows the issued certificate, but create still answers issuing."""
    with PbxSimulator("hq", issuance_polls=0) as pbx:
        caller = Caller(pbx).logged_in()
        assert caller.apply("pbx.example.com")["apply_status"] == "issuing"
        assert statuses(caller, 1, 1) == ["issuance_success"]


def test_looks_at_others_do_not_count(caller: Caller) -> None:
    """A list that does not show the certificate does not advance it, nor does the simulator's own property."""
    caller.apply("pbx.example.com")
    for _ in range(5):
        caller.get("certificate/list", type="trusted")
        caller.get("certificate/list", page=2)
    assert caller.pbx.certificates[0].apply_status == "issuing"
    assert statuses(caller, 1, 4) == ["issuing"] * 3 + ["issuance_success"]


@pytest.mark.parametrize(("domain", "host"), [("pbx.example.com", "pbx.example.com"), ("*.example.com", "a.example.com")])
def test_issued_certificate_chains_to_the_pbx_ca(caller: Caller, pbx: PbxSimulator, domain: str, host: str) -> None:
    """What is issued really is: it covers the domain, and its chain ends at the PBX's own root."""
    caller.apply(domain)
    statuses(caller, 1, 4)
    leaf, *chain = x509.load_pem_x509_certificates(pbx.certificates[0].pem)
    root = x509.load_pem_x509_certificates(pbx.ca_pem)[0]
    verifier = PolicyBuilder().store(Store([root])).build_server_verifier(x509.DNSName(host))
    assert verifier.verify(leaf, chain)[-1] == root


def test_issuing_takes_its_slot_from_the_start(caller: Caller) -> None:
    """Three applications that still run leave no room for a fourth certificate."""
    assert [caller.apply(f"pbx{n}.example.com")["errcode"] for n in range(4)] == [0, 0, 0, 60002]


def test_second_application_for_a_domain_is_a_duplicate(caller: Caller) -> None:
    """The domain's file name can be there only once."""
    caller.apply("pbx.example.com")
    assert caller.apply("pbx.example.com")["errcode"] == 40003


def test_failed_validation_ends_with_a_tip_code(caller: Caller, pbx: PbxSimulator) -> None:
    """A domain that cannot be validated ends in issuance_fail with its tip code, and keeps its slot."""
    pbx.dns.fail("pbx.example.com", tip_code=17)
    caller.apply("pbx.example.com")
    assert statuses(caller, 1, 5) == ["issuing"] * 3 + ["issuance_fail"] * 2
    shown = caller.get("certificate/get", id=1)["certificate"]
    assert (shown["apply_tip_code"], shown["expiration"]) == (17, "")


def test_tip_code_is_shown_for_failures_only(caller: Caller) -> None:
    """Neither an issuing nor an issued certificate has an apply_tip_code."""
    caller.apply("pbx.example.com")
    assert not any("apply_tip_code" in caller.get("certificate/get", id=1)["certificate"] for _ in range(4))


def test_wrong_dns_credentials_fail_later(caller: Caller, pbx: PbxSimulator) -> None:
    """Wrong credentials of the right shape are taken at first; the issuing fails, and the right ones succeed."""
    pbx.dns.credentials("alidns", {"AccessKeyId": "LTAI-example", "AccessKeySecret": "the right one"})
    assert caller.apply("pbx.example.com")["errcode"] == 0
    assert statuses(caller, 1, 4)[-1] == "issuance_fail"
    right = [ALIDNS[0], {"k": "AccessKeySecret", "sv": "the right one"}]
    caller.apply("other.example.com", auth_info_list=right)
    assert statuses(caller, 2, 4)[-1] == "issuance_success"


def test_applied_certificate_lists_its_credentials(caller: Caller) -> None:
    """The list shows auth_info_list in the clear for an applied certificate."""
    caller.apply("pbx.example.com")
    assert caller.get("certificate/list")["certificate_list"][0]["auth_info_list"] == ALIDNS


@pytest.mark.parametrize("domain", ["", "localhost", "https://pbx.example.com", "a.*.example.com", "a_b.example.com", 7])
def test_what_is_no_domain_is_refused(caller: Caller, domain: Any) -> None:
    """issue_to is a domain name, at most with one wildcard in front."""
    assert caller.apply(domain)["errcode"] == 40002


SECRET = {"k": "AccessKeySecret", "sv": "s"}


@pytest.mark.parametrize(
    "entries",
    [
        None,
        [],
        {},
        "AccessKeyId",
        [SECRET],
        [SECRET, {"k": "AccessKeyId", "sv": ""}],
        [SECRET, {"k": "AccessKeyId", "iv": 5}],
        [SECRET, {"k": "AccessKeyId", "sv": 5}],
        [SECRET, {"k": "AccessKeyId"}],
        [SECRET, {"sv": "x"}],
        [SECRET, {"k": "AccessKeyId", "sv": "x", "iv": 5}],
        [*ALIDNS, {"k": "PollingInterval", "sv": "5"}],
        [*ALIDNS, {"k": "PollingInterval", "iv": "5"}],
        [*ALIDNS, {"k": "PollingInterval", "iv": True}],
        [*ALIDNS, {"k": "PollingInterval", "bv": True}],
        [*ALIDNS, {"k": "Other", "bv": 1}],
    ],
)
def test_incomplete_or_wrongly_typed_dns_settings_are_refused(caller: Caller, entries: Any) -> None:
    """Every value has one key of its own type, and a known provider's required set is complete."""
    assert caller.apply("pbx.example.com", auth_info_list=entries)["errcode"] == 40002


@pytest.mark.parametrize(
    ("provider", "keys"),
    [
        ("edgedns", ["Host", "ClientToken", "ClientSecret", "AccessToken"]),
        ("alidns", ["AccessKeyId", "AccessKeySecret"]),
        ("allinkl", ["Login", "Password"]),
        ("route53", ["AccessKeyId", "SecretAccessKey"]),
        ("arvancloud", ["APIKey"]),
    ],
)
def test_each_known_provider_wants_its_own_set(caller: Caller, provider: str, keys: list[str]) -> None:
    """A known provider is refused while one key is missing and taken with all of them."""
    entries = [{"k": key, "sv": "x"} for key in keys]
    for missing in entries:
        rest = [one for one in entries if one is not missing] + [{"k": "TTL", "iv": 60}]
        assert caller.apply("pbx.example.com", dns_provider=provider, auth_info_list=rest)["errcode"] == 40002
    assert caller.apply("pbx.example.com", dns_provider=provider, auth_info_list=entries)["errcode"] == 0


def test_unknown_provider_needs_at_least_one_entry(caller: Caller) -> None:
    """Of a provider that is not in the table any typed entry is taken, but not none."""
    assert caller.apply("a.example.com", dns_provider="newdns", auth_info_list=[])["errcode"] == 40002
    entries = [{"k": "Token", "sv": "x"}, {"k": "Sandbox", "bv": False}]
    assert caller.apply("a.example.com", dns_provider="newdns", auth_info_list=entries)["errcode"] == 0


@pytest.mark.parametrize("provider", [None, "", 3])
def test_application_needs_a_provider(caller: Caller, provider: Any) -> None:
    """dns_provider is a string that is not empty."""
    assert caller.apply("pbx.example.com", dns_provider=provider)["errcode"] == 40002


def test_update_switches_renewal(caller: Caller) -> None:
    """auto_renewal 1 brings DNS settings, and 0 takes them away again."""
    caller.import_server("web.pem", ROOT.issue("pbx.example.com"))
    assert caller.post("certificate/update", id=1, auto_renewal=1)["errcode"] == 40002
    on = caller.post("certificate/update", id=1, auto_renewal=1, dns_provider="alidns", auth_info_list=ALIDNS)
    assert on == {"errcode": 0, "errmsg": "SUCCESS"}
    assert caller.get("certificate/get", id=1)["certificate"]["auto_renewal"] == 1
    assert caller.post("certificate/update", id=1, auto_renewal=0)["errcode"] == 0
    assert "auth_info_list" not in caller.get("certificate/get", id=1)["certificate"]


def test_update_replaces_the_file_under_the_same_id(caller: Caller) -> None:
    """A newly uploaded file takes the place of the old one, which keeps its id."""
    caller.import_server("web-2026.pem", ROOT.issue("old.example.com"))
    caller.upload("server", "web-2027.pem", ROOT.issue("new.example.com").bundle_pem)
    assert caller.post("certificate/update", id=1, name="web-2027.pem")["errcode"] == 0
    (listed,) = caller.get("certificate/list")["certificate_list"]
    assert (listed["id"], listed["name"], listed["issue_to"]) == (1, "web-2027.pem", "new.example.com")


def test_update_of_an_applied_domain_issues_again(caller: Caller) -> None:
    """Another issue_to renames the certificate and has it issued anew."""
    caller.apply("old.example.com")
    statuses(caller, 1, 4)
    dns = {"dns_provider": "alidns", "auth_info_list": ALIDNS}
    assert caller.post("certificate/update", id=1, issue_to="new.example.com", **dns)["errcode"] == 0
    shown = caller.get("certificate/get", id=1)["certificate"]
    assert (shown["name"], shown["apply_status"]) == ("new.example.com.pem", "issuing")


def test_update_of_an_applied_one_wants_dns_settings(caller: Caller) -> None:
    """For an applied certificate the same rules hold as at create."""
    caller.apply("pbx.example.com")
    assert caller.post("certificate/update", id=1, issue_to="new.example.com")["errcode"] == 40002


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({}, 40002),
        ({"id": "1"}, 40002),
        ({"id": True}, 40002),
        ({"id": 2, "auto_renewal": 0}, 40002),
        ({"id": 9, "auto_renewal": 0}, 60001),
        ({"id": 1, "name": "never-uploaded.pem"}, 60001),
        ({"id": 1, "name": "corp-root.crt"}, 40003),
    ],
)
def test_update_is_refused(caller: Caller, body: dict[str, Any], errcode: int) -> None:
    """The id is a number of a server certificate that is there, and a new file is uploaded and has a free name."""
    caller.import_server("web.pem", ROOT.issue("pbx.example.com"))
    caller.import_trusted("corp-root.crt", ROOT)
    assert caller.post("certificate/update", **body)["errcode"] == errcode
