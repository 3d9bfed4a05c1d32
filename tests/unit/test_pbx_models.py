"""What the PBX tells, read leniently, and without the DNS credentials that its answers can contain."""

import copy
import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.pbx import answers
from bot.pbx.lenient import flag, number, text
from bot.pbx.models import ApplyStatus, CertificateType, DnsSettings, ListedCertificate, SystemInformation

CREDENTIAL = "a-dns-credential-nobody-may-see"

LISTED = {
    "id": 4,
    "name": "a.example.com.pem",
    "type": "server",
    "issue_to": "a.example.com",
    "expiration": "2027/01/16 16:00:49",
    "ca_type": "apply",
    "auto_renewal": 1,
    "dns_provider": "alidns",
    "apply_status": "issuance_fail",
    "apply_tip_code": 403,
    "auth_info_list": [{"k": "AccessKeySecret", "sv": CREDENTIAL}],
}

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def test_all_fields() -> None:
    """Each documented field has its place and its type."""
    told = ListedCertificate.model_validate(LISTED)
    assert (told.id, told.name, told.type, told.issue_to) == (4, "a.example.com.pem", CertificateType.SERVER, "a.example.com")
    assert (told.ca_type, told.auto_renewal, told.dns_provider) == ("apply", True, "alidns")
    assert (told.apply_status, told.apply_tip_code) == (ApplyStatus.FAILED, 403)
    assert (told.expiration_text, told.expires) == ("2027/01/16 16:00:49", None)


def test_credentials_are_dropped() -> None:
    """The credentials are nowhere in the object: not in its repr, its dumps, its copies or what it is made of."""
    told = ListedCertificate.model_validate(LISTED)
    dumps = f"{told!r} {told} {told.model_dump()} {told.model_dump_json()}"
    inside = f"{vars(told)} {told.model_extra} {copy.deepcopy(told)!r}"
    assert CREDENTIAL not in dumps + inside
    assert "auth_info" not in dumps + inside
    assert CREDENTIAL.encode() not in pickle.dumps(told)


def test_strings_for_numbers() -> None:
    """Numbers as strings mean the same."""
    strings = {key: str(value) if isinstance(value, int) else value for key, value in LISTED.items()}
    assert ListedCertificate.model_validate(strings) == ListedCertificate.model_validate(LISTED)


def test_only_an_id() -> None:
    """Nothing but the id has to be there."""
    told = ListedCertificate.model_validate({"id": "7"})
    assert (told.id, told.name, told.type, told.expires, told.auto_renewal, told.apply_status) == (7, "", "", None, None, None)


def test_unknown_values() -> None:
    """A type that we do not know is kept as text, a status that we do not know is none."""
    told = ListedCertificate.model_validate({"id": 1, "type": "client", "apply_status": "revoked", "auto_renewal": "maybe"})
    assert (told.type, told.apply_status, told.auto_renewal) == ("client", None, None)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(LISTED, anything)))
def test_anything_listed(item: dict[str, Any]) -> None:
    """Whatever values the fields have, the certificate can be read, shown and stored."""
    told = ListedCertificate.model_validate({**item, "id": 1, "expires": None})
    json.loads(told.model_dump_json())
    assert "auth_info" not in repr(told)


@given(anything)
def test_anything_about_itself(data: Any) -> None:
    """Whatever the PBX tells about itself can be read."""
    fields = ("model_name", "sn", "firmware_version", "up_time", "system_date_format", "timestamp")
    told = SystemInformation.model_validate(dict.fromkeys(fields, data))
    json.loads(told.model_dump_json())


def test_documented_information() -> None:
    """The vendor's own fields have their place; what is not told is empty."""
    told = SystemInformation.model_validate(
        {"model_name": "P550", "sn": "36", "up_time": "24852", "system_date_format": "DD/MM/YYYY"}
    )
    assert (told.model, told.serial, told.up_time, told.date_format, told.firmware) == ("P550", "36", 24852, "DD/MM/YYYY", "")


def test_typed_credentials() -> None:
    """A value goes out under the key of its type, and a boolean is no integer."""
    settings = DnsSettings("edgedns", {"Host": "h", "TTL": 60, "Debug": True, "Zero": 0, "Off": False})
    assert settings.payload() == {
        "dns_provider": "edgedns",
        "auth_info_list": [
            {"k": "Host", "sv": "h"},
            {"k": "TTL", "iv": 60},
            {"k": "Debug", "bv": True},
            {"k": "Zero", "iv": 0},
            {"k": "Off", "bv": False},
        ],
    }
    assert type(settings.payload()["auth_info_list"][2]["bv"]) is bool


def test_settings_hide_themselves() -> None:
    """The repr of DNS settings names the provider and none of the values."""
    assert repr(DnsSettings("alidns", {"AccessKeySecret": CREDENTIAL})) == "DnsSettings(provider='alidns')"


@pytest.mark.parametrize(
    ("value", "meant"),
    [(3, 3), ("3", 3), (" -2 ", -2), (3.0, 3), (3.5, None), (True, None), (None, None), ("", None), ("1_0", None), ([], None)],
)
def test_numbers(value: object, meant: int | None) -> None:
    """A whole number is one in any spelling, and nothing else is."""
    assert number(value) == meant
    assert number(float("inf")) is number(float("nan")) is None


@pytest.mark.parametrize(
    ("value", "meant"), [(1, True), ("0", False), (True, True), ("False", False), (2, None), ("yes", None), (None, None)]
)
def test_flags(value: object, meant: bool | None) -> None:
    """Yes and no are 1 and 0 or true and false; everything else is neither."""
    assert flag(value) is meant


@given(anything)
def test_texts(value: object) -> None:
    """A text has one line and can be written in UTF-8 and into any database."""
    told = text(value)
    told.encode()
    assert not set(told) & set("\x00\r\n")


@given(anything, st.sampled_from([200, 302, 404, 502]))
def test_any_json(value: object, status: int) -> None:
    """Whatever JSON comes back is success, a refusal or unreadable, and never an error of another kind."""
    try:
        told = answers.read(status, json.dumps(value).encode(), "list its certificates")
    except answers.Unreadable:
        return
    assert isinstance(told, dict | Exception)


@given(st.binary(max_size=60))
def test_any_bytes(body: bytes) -> None:
    """Bytes that are no JSON object with an errcode are unreadable."""
    with pytest.raises(answers.Unreadable):
        answers.read(200, body, "list its certificates")
