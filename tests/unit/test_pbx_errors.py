"""Foreign errors become ours in one place, and every refusal becomes a sentence."""

import http.client
import inspect
import re
import ssl
from types import ModuleType

import pytest
import requests.exceptions
import urllib3.exceptions

from bot.exceptions import PbxBadAnswer, PbxError, PbxFateUnknown, PbxLimitReached, PbxRefused, PbxTokenExpired, PbxUnreachable
from bot.pbx.errors import CAUSES, FOREIGN, Cause, cause_of, refused, translate
from bot.pbx.words import LOGGING_IN, SERVICE_FAULTS, words

SECRET_URL = "/openapi/v1.0/certificate/list?access_token=an-access-token-nobody-may-see"

#: Every code of the vendor's table, as far as it could be read.
CODES = [
    *(-2, -1, 1, 2, 10001, 10002, 10003, 10004, 10005, 10009, 40001, 40002, 40003, 40004, 60001, 60002, 60101, 70004, 70082),
    *(70084, 70087, 70091, 70093, 70106, 70120, 70123, 70128, 70130, 70132, 70510, 70514, 70515, 70516),
]


def errors_of(module: ModuleType) -> list[type[Exception]]:
    """Every error that a module defines; warnings are no errors."""
    found = [kind for _, kind in inspect.getmembers(module, inspect.isclass) if kind.__module__ == module.__name__]
    return [kind for kind in found if issubclass(kind, Exception) and not issubclass(kind, Warning)]


ALL = errors_of(requests.exceptions) + errors_of(urllib3.exceptions)


def bare(kind: type[Exception]) -> Exception:
    """An error with a secret in it, made past its own constructor, as these differ."""
    error = kind.__new__(kind)
    error.args = (SECRET_URL,)
    return error


def test_reflection_finds_them() -> None:
    """The reflection sees the errors that matter most, so an empty list cannot pass for a complete one."""
    assert {requests.exceptions.ReadTimeout, urllib3.exceptions.NameResolutionError} <= set(ALL)
    assert len(ALL) > 45


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_none_forgotten(kind: type[Exception]) -> None:
    """Each error that requests or urllib3 defines has a place of its own in the table, and is caught."""
    assert kind in CAUSES
    assert issubclass(kind, FOREIGN)


@pytest.mark.parametrize("kind", [*ALL, http.client.BadStatusLine, ssl.SSLError, ConnectionResetError, OSError])
@pytest.mark.parametrize("write", [True, False])
def test_what_left_decides(kind: type[Exception], write: bool) -> None:
    """What did not leave is unreachable; a write that left and went wrong is never taken for one that did not happen."""
    not_sent = translate(bare(kind), "pbx:8088", "add the certificate", left=False, write=write)
    sent = translate(bare(kind), "pbx:8088", "add the certificate", left=True, write=write)
    assert type(not_sent) is PbxUnreachable
    assert type(sent) in ({PbxFateUnknown} if write else {PbxFateUnknown, PbxBadAnswer})
    for error in (not_sent, sent):
        assert "nobody-may-see" not in f"{error!r} {error} {error.args} {vars(error)}"
        assert error.__cause__ is None
        assert error.__context__ is None


def test_inner_cause_is_found() -> None:
    """What is wrapped in several errors is named by the one that says most."""
    innermost = ssl.SSLCertVerificationError("certificate verify failed")
    wrapped = requests.exceptions.ConnectionError(urllib3.exceptions.ProtocolError("aborted", innermost))
    assert "tls" in translate(wrapped, "pbx:8088", "tell about itself", left=False, write=False).message
    assert cause_of(wrapped) is Cause.VAGUE


@pytest.mark.parametrize("code", [*CODES, 12345])
def test_words(code: int) -> None:
    """Every code of the vendor's table, and one that is not in it, becomes sentences with the code in brackets at the end."""
    told = words(code, "SOME MESSAGE", "add the certificate")
    assert told.startswith("The PBX did not add the certificate: ")
    assert told.endswith(f". ({code} SOME MESSAGE)")
    assert re.fullmatch(r"[^.]+: [^.]+\. .+\. \([^()]+\)", told)


def test_words_differ() -> None:
    """A known code is not answered with the words for an unknown one."""
    unknown = words(12345, "", "add the certificate").replace("12345", "")
    assert all(words(code, "", "add the certificate").replace(str(code), "") != unknown for code in CODES)


def test_full_of_what() -> None:
    """The same code means no room for a certificate at create, and no room for a token at login."""
    assert "20 trusted" in words(60002, "", "add the certificate")
    assert "up to 30 minutes" in words(60002, "", LOGGING_IN)
    assert "30 minutes" not in words(60002, "", "add the certificate")


@pytest.mark.parametrize("code", [-1, 1, 20002, 40002, 10004, 10005, 60001, 99999])
def test_words_for_a_refused_login(code: int) -> None:
    """Whatever else is answered to a login is taken as wrong credentials, with the warning why we stop."""
    assert code not in SERVICE_FAULTS
    assert "five failures block" in words(code, "", LOGGING_IN)


@pytest.mark.parametrize(
    ("errcode", "errmsg", "kind"),
    [
        (10004, "TOKEN EXPIRED", PbxTokenExpired),
        (1, "Token expired", PbxTokenExpired),
        (60002, "MAX LIMITATION EXCEEDED", PbxLimitReached),
        (40003, "DUPLICATE KEY VALUE", PbxRefused),
        # These three are misread as token errors elsewhere.
        (10001, "INTERFACE NOT EXISTED", PbxRefused),
        (10002, "API VERSION OUT OF MAINTENANCE", PbxRefused),
        (10003, "API VERSION UNSUPPORTED", PbxRefused),
    ],
)
def test_classes(errcode: int, errmsg: str, kind: type[PbxError]) -> None:
    """Only an old token and a limit have classes of their own."""
    error = refused(errcode, errmsg, "add the certificate")
    assert type(error) is kind
    assert (error.errcode, error.errmsg) == (errcode, errmsg)
    assert error.message.endswith(f"({errcode} {errmsg})")
