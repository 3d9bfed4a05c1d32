"""The catalogue of DNS providers, and the typing of what is given for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.dns_providers import Catalogue, CheckedParams, Param, Provider, Value, check_params, is_secret

CATALOGUE = Catalogue.load()
ALIDNS: dict[str, Value] = {"AccessKeyId": "id", "AccessKeySecret": "s3cret"}


def check(flag: str, **raw: Value) -> CheckedParams:
    return check_params(flag, raw, CATALOGUE)


def codes(checked: CheckedParams) -> dict[str, str]:
    return {problem.field: problem.code for problem in checked.problems}


def flags(text: str, limit: int = 100) -> list[str]:
    return [provider.flag for provider in CATALOGUE.search(text, limit)]


def test_the_catalogue_is_read_once() -> None:
    """The shipped list is loaded one time and then shared."""
    assert Catalogue.load() is CATALOGUE


def test_the_catalogue_is_sound() -> None:
    """Flags are unique, types are the three of the API, defaults have their type, and keys are unique in a provider."""
    python = {"string": str, "integer": int, "boolean": bool}
    assert len(CATALOGUE.providers) == len({provider.flag for provider in CATALOGUE.providers}) > 200
    for provider in CATALOGUE.providers:
        assert len({param.key for param in provider.params}) == len(provider.params) > 0
        assert all(param.default is None or type(param.default) is python[param.type] for param in provider.params)


def test_the_vendors_own_entries_are_marked_verified() -> None:
    """The six providers that were read from the vendor's page are verified, and no others."""
    verified = {provider.flag for provider in CATALOGUE.providers if provider.verified}
    assert verified == {"edgedns", "alidns", "allinkl", "route53", "arvancloud", "auroradns"}


def test_a_provider_is_found_by_its_flag() -> None:
    """An unknown flag is None; a known one has its parameters with the vendor's defaults."""
    assert CATALOGUE.get("nobody") is None
    alidns = CATALOGUE.get("alidns")
    assert alidns is not None
    assert alidns.param("PropagationTimeout") == Param(
        "PropagationTimeout",
        "integer",
        300,
        False,
        "how long to wait, in seconds, for the TXT record to become visible",
    )
    assert alidns.param("Nothing") is None


def test_fields_come_in_the_order_of_filling_in() -> None:
    """What is required first, optional settings next, waiting times last."""
    route53 = CATALOGUE.get("route53")
    assert route53 is not None
    assert [param.key for param in route53.fields()] == [
        "AccessKeyId",
        "SecretAccessKey",
        "Region",
        "HostedZoneId",
        "PropagationTimeout",
        "PollingInterval",
        "TTL",
    ]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("route 53", "route53"),
        ("ROUTE53", "route53"),
        ("Go Daddy", "godaddy"),
        ("godaddy", "godaddy"),
        ("cloudflare", "cloudflare"),
        ("ovh", "ovh"),
        ("三五", "com35"),
        ("google", "gcloud"),
        ("dns made easy", "dnsmadeeasy"),
    ],
)
def test_search_finds_by_name_or_flag(text: str, first: str) -> None:
    """Case, spaces and punctuation do not matter."""
    assert flags(text)[0] == first


def test_search_ranks_verified_then_closest() -> None:
    """Verified providers come first, beginnings before middles, an exact match before all."""
    assert flags("")[:6] == ["edgedns", "alidns", "allinkl", "route53", "arvancloud", "auroradns"]
    cloud = flags("cloud")
    assert cloud[:2] == ["alidns", "arvancloud"]
    assert cloud.index("cloudflare") < cloud.index("huaweicloud")
    few = Catalogue(
        [Provider("Dyn DNS", "dyndns", True, True, ()), Provider("Dyn", "dyn", False, True, ())],
    )
    assert [provider.flag for provider in few.search("dyn")] == ["dyn", "dyndns"]


def test_search_keeps_its_limit_and_may_find_nothing() -> None:
    """Slack takes at most 100 options; every word must occur."""
    assert len(flags("")) == 100
    assert len(flags("", 7)) == 7
    assert flags("aws zzz") == []


@given(st.text(max_size=30))
def test_any_search_has_an_answer(text: str) -> None:
    """Whatever is typed, known providers come back, each once."""
    found = flags(text)
    assert len(found) == len(set(found)) <= 100


def test_values_are_typed_as_the_provider_wants() -> None:
    """Digits become integers where integers are wanted, and stay text where text is wanted."""
    checked = check("alidns", AccessKeyId="123", AccessKeySecret=" s3cret\n", TTL="600", PollingInterval=5)
    assert checked.values == {"AccessKeyId": "123", "AccessKeySecret": "s3cret", "TTL": 600, "PollingInterval": 5}
    assert (checked.problems, checked.warnings) == ((), ())
    assert check("alidns", AccessKeyId=123, AccessKeySecret="s").values["AccessKeyId"] == "123"


@pytest.mark.parametrize(
    ("given_", "typed"),
    [("yes", True), ("TRUE", True), ("on", True), (1, True), (True, True), ("no", False), ("False", False), (0, False)],
)
def test_booleans_are_read_as_people_write_them(given_: Value, typed: bool) -> None:
    """yes, true, on and 1 are true; no, false, off and 0 are false."""
    assert check("gcloud", Debug=given_).values == {"Debug": typed}
    assert check("gcloud", Debug=given_).values["Debug"] is typed


@pytest.mark.parametrize(
    ("flag", "key", "value"),
    [
        ("alidns", "TTL", "300s"),
        ("alidns", "TTL", "-5"),
        ("alidns", "TTL", -5),
        ("alidns", "TTL", "3.5"),
        ("alidns", "TTL", True),
        ("alidns", "TTL", "٣"),
        ("alidns", "TTL", 2**31),
        ("alidns", "TTL", "9" * 11),
        ("alidns", "AccessKeyId", True),
        ("gcloud", "Debug", "maybe"),
        ("gcloud", "Debug", 2),
    ],
)
def test_wrongly_typed_values_are_problems_beside_their_field(flag: str, key: str, value: Value) -> None:
    """The problem belongs to the parameter, and the parameter is not also said to be missing."""
    raw = {**(ALIDNS if flag == "alidns" else {}), key: value}
    checked = check_params(flag, raw, CATALOGUE)
    assert codes(checked) == {f"dns.{key}": "dns_param_type"}
    assert key not in checked.values


def test_what_a_verified_provider_needs_must_be_there() -> None:
    """Missing and empty required parameters are problems; optional ones left empty are left out."""
    assert codes(check("alidns")) == {
        "dns.AccessKeyId": "dns_param_missing",
        "dns.AccessKeySecret": "dns_param_missing",
    }
    assert codes(check("alidns", AccessKeyId="id", AccessKeySecret="  ")) == {"dns.AccessKeySecret": "dns_param_missing"}
    checked = check("alidns", **ALIDNS, TTL="")
    assert (checked.values, checked.problems) == (ALIDNS, ())


def test_what_nobody_said_is_required_is_optional() -> None:
    """Route 53 without region and hosted zone is complete."""
    checked = check("route53", AccessKeyId="id", SecretAccessKey="s")
    assert (checked.problems, checked.warnings) == ((), ())


def test_an_unknown_provider_is_passed_on_as_given() -> None:
    """Nothing is refused or changed, and a warning says that the provider is not known."""
    checked = check("brandnew", Token="abc", TTL="300", On="yes")
    assert checked.values == {"Token": "abc", "TTL": "300", "On": "yes"}
    assert checked.problems == ()
    assert "brandnew" in checked.warnings[0]


def test_no_provider_is_a_problem() -> None:
    """Without a provider there is nothing to judge by."""
    assert codes(check(" ")) == {"dns": "dns_provider_missing"}


def test_unknown_keys_are_passed_on_with_a_hint() -> None:
    """A key that differs only in case is asked about; a value of an unknown key keeps its type."""
    checked = check("alidns", **ALIDNS, Extra="12", accesskeyid="x")
    assert (checked.values["Extra"], checked.values["accesskeyid"]) == ("12", "x")
    assert checked.problems == ()
    assert len(checked.warnings) == 2
    assert "Is AccessKeyId meant?" in checked.warnings[1]
    assert check("cloudflare", AuthToken="t", Extra="12").warnings == ()


def test_what_is_only_likely_is_a_warning() -> None:
    """An unverified provider without any credential, or without what is likely required, is warned about, never refused."""
    bare = check("cloudflare", TTL=60)
    assert bare.problems == ()
    assert "AuthToken" in bare.warnings[0]
    likely = Catalogue([Provider("X", "x", False, True, (Param("Token", "string", required=True),))])
    checked = check_params("x", {"Other": "v"}, likely)
    assert checked.problems == ()
    assert checked.warnings == ("Token is missing, which X probably needs.",)


@given(
    st.sampled_from([provider.flag for provider in CATALOGUE.providers]),
    st.dictionaries(
        st.sampled_from(["TTL", "APIKey", "Token", "Debug", "Host", "Odd"]), st.text() | st.integers() | st.booleans()
    ),
)
def test_any_values_have_an_answer_without_the_values(flag: str, raw: dict[str, Value]) -> None:
    """Every known value comes out in the provider's type, and neither repr nor sentences hold what was given."""
    marked = {key: f"SECRET{value}" if isinstance(value, str) else value for key, value in raw.items()}
    checked = check_params(flag, marked, CATALOGUE)
    provider = CATALOGUE.get(flag)
    assert provider is not None
    python = {"string": str, "integer": int, "boolean": bool}
    for key, value in checked.values.items():
        param = provider.param(key)
        assert param is None or type(value) is python[param.type]
    assert "SECRET" not in repr(checked)


def test_credentials_are_secret_and_settings_are_not() -> None:
    """Every text is a secret unless it is known to be none; an unknown key is one."""
    assert all(map(is_secret, ["AccessKeySecret", "AccessKeyId", "Password", "Token", "BaseURL", "Anything"]))
    assert not any(map(is_secret, ["Region", "HostedZoneId", "Host", "TTL", "PropagationTimeout"]))
    shown = [param for provider in CATALOGUE.providers for param in provider.params if param.type != "string"]
    assert not any(param.secret for param in shown)
