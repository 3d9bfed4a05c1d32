"""Tokens and secrets stay out of errors, tracebacks, logs and reprs."""

import logging
import traceback
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.exceptions import PbxError
from bot.pbx.client import PbxClient
from bot.pbx.endpoint import Endpoint
from bot.pbx.models import DnsSettings
from bot.pbx.transport import Call
from tests.unit.pbx_kit import JSON_HEAD, OK, SECRET, TOKEN, Clock, MemoryShelf, RawPbx, error_of, json_answer, page, send

READ = Call("GET", "certificate/list", "list its certificates")


FAILURES = {
    "refused": json_answer(f'{{"errcode": 40002, "errmsg": "bad access_token={TOKEN} and {SECRET} in {TOKEN}"}}'),
    "garbled": page(502, f"<html>{TOKEN} {SECRET}</html>"),
    "cut": JSON_HEAD + b"Content-Length: 500\r\n\r\n{",
    "nothing": b"",
}


@pytest.mark.parametrize("body", FAILURES.values(), ids=FAILURES.keys())
def test_no_secret_in_errors(body: bytes) -> None:
    """Neither token nor secret is in an error, its chain, or a traceback that shows every variable."""
    call = Call("POST", "certificate/create", "add the certificate", json={"password": SECRET}, secrets=(SECRET,))
    with RawPbx(lambda _path: body) as pbx:
        endpoint = pbx.endpoint()
        try:
            send(endpoint, call)
        except PbxError as caught:
            error = caught
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    ours = [frame for frame in shown.stack if "pbx" in Path(frame.filename).parts]
    assert any(frame.locals for frame in ours)
    told = f"{[frame.locals for frame in ours]} {error} {error!r} {error.args} {vars(error)}"
    assert TOKEN not in told
    assert SECRET not in told
    assert error.__cause__ is None
    assert error.__context__ is None


def test_no_credential_in_a_traceback() -> None:
    """Credentials that an answer holds, or that a call sends, are in no variable of ours when something goes wrong."""
    listed = (
        f'{{"errcode": 0, "total_number": 1, "certificate_list": [{{"auth_info_list": [{{"k": "a", "sv": "{SECRET}"}}]}}]}}'
    )
    answers = {"get_token": f'{{"errcode": 0, "access_token": "{TOKEN}"}}', "certificate/list": listed}
    with RawPbx(lambda path: json_answer(answers.get(path, "[]"))) as pbx:
        client = PbxClient(pbx.endpoint(), MemoryShelf(), now=Clock())
        for failing in (client.list_certificates, lambda: client.create_apply("a.example", DnsSettings("x", {"a": SECRET}))):
            with pytest.raises(PbxError) as caught:
                failing()
            shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
            told = repr([frame.locals for frame in shown.stack if "pbx" in Path(frame.filename).parts])
            assert "certificate/" in told or "found" in told
            assert SECRET not in told
            assert TOKEN not in told


def test_no_token_in_logs(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    """Even with every library's debug log on, no token is written down."""
    with caplog.at_level(logging.DEBUG), RawPbx(lambda _path: json_answer(OK)) as pbx:
        send(pbx.endpoint(), READ)
        pbx.hang_up = True
        error_of(pbx.endpoint(), READ)
    assert "access_token=[hidden]" in caplog.text, "the log that would have had it was on"
    assert TOKEN not in caplog.text + "".join(capsys.readouterr())


def test_nothing_hidden_shows() -> None:
    """The repr of an endpoint and of a call hides what is secret in them."""
    call = Call("POST", "get_token", "let the bot log in", json={"password": SECRET}, secrets=(SECRET,), file=("a", b"PRIVATE"))
    endpoint = Endpoint("hq", "https://pbx", "id", SecretStr(SECRET))
    assert SECRET not in repr(call) + repr(endpoint) + endpoint.fingerprint
    assert "PRIVATE" not in repr(call)
