"""The simulated PBX: the record of its calls, and many of them at once."""

import json
import threading
from collections.abc import Iterator

import pytest

from bot.sandbox.pbx import PbxSimulator, Refusal
from bot.sandbox.pki import Authority
from tests.unit.sandbox_pbx import Caller

ROOT = Authority.make("Example Root CA")
LIST = "certificate/list"


@pytest.fixture
def pbx() -> Iterator[PbxSimulator]:
    with PbxSimulator("hq") as pbx:
        yield pbx


@pytest.fixture
def caller(pbx: PbxSimulator) -> Caller:
    return Caller(pbx).logged_in()


def test_each_answer_closes_its_connection(caller: Caller) -> None:
    """There is no keep-alive: every answer says Connection: close."""
    assert caller.send("GET", LIST).headers["connection"] == "close"
    assert caller.send("GET", LIST, headers={"Connection": "keep-alive"}).headers["connection"] == "close"


def test_record_tells_who_asked_what(caller: Caller, pbx: PbxSimulator) -> None:
    """A call is recorded with its method, path, parameters, result and client."""
    caller.send("GET", "certificate/get", params={"id": "9"}, headers={"User-Agent": "pbx-cert-bot/1.0"})
    call = pbx.calls[-1]
    assert (call.method, call.path, dict(call.params)) == ("GET", "certificate/get", {"id": "9"})
    assert (call.errcode, call.client, call.user_agent) == (60001, "127.0.0.1", "pbx-cert-bot/1.0")
    assert call.delivered
    assert (pbx.logins, pbx.count("certificate/get"), pbx.count("certificate/get", errcode=0)) == (1, 1, 0)


def test_record_holds_no_secret(caller: Caller, pbx: PbxSimulator) -> None:
    """Neither tokens nor the secret nor DNS credentials are in the record, but their keys are."""
    tokens = caller.login()
    caller.post("refresh_token", refresh_token=tokens["refresh_token"])
    caller.apply("pbx.example.com")
    caller.apply("pbx.example.com", auth_info_list={"AccessKeySecret": "s3cret-example"})
    caller.apply("pbx.example.com", auth_info_list=["s3cret-example", {"sv": "s3cret-example"}])
    caller.import_server("web.pem", ROOT.issue("pbx.example.com"))
    text = repr(pbx.calls) + json.dumps([dict(call.params) for call in pbx.calls])
    secrets = [caller.token, tokens["access_token"], tokens["refresh_token"], pbx.client_secret, "s3cret", "PRIVATE KEY"]
    assert [secret for secret in secrets if secret and secret in text] == []
    shown = next(call for call in pbx.calls if call.path == "certificate/create").params["auth_info_list"]
    assert shown[0] == {"k": "AccessKeyId", "sv": "***"}


def test_secrets_are_not_in_any_repr(caller: Caller, pbx: PbxSimulator) -> None:
    """Printing what the simulator hands out shows no key, no credential and no content."""
    caller.apply("pbx.example.com")
    caller.import_server("web.pem", ROOT.issue("pbx.example.com"))
    caller.upload("server", "other.pem", ROOT.issue("pbx.example.com").bundle_pem)
    text = repr((pbx.certificates, pbx.temporary_files, pbx.dns))
    assert "s3cret" not in text
    assert "BEGIN" not in text


def test_waiting_is_woken_by_a_call(caller: Caller, pbx: PbxSimulator) -> None:
    """A waiter goes on as soon as the call that it waits for is recorded."""
    seen = threading.Event()

    def wait() -> None:
        pbx.wait_for(lambda: pbx.count("certificate/get") > 0, timeout=30)
        seen.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    caller.get("certificate/get", id=1)
    assert seen.wait(10)
    waiting.join(10)


def test_waiting_in_vain_tells_the_latest_calls(caller: Caller, pbx: PbxSimulator) -> None:
    """What does not happen ends in a TimeoutError that names the calls there were."""
    caller.get("certificate/get", id=1)
    with pytest.raises(TimeoutError, match="GET certificate/get -> 60001"):
        pbx.wait_for(lambda: pbx.count("certificate/delete") > 0, timeout=0.01)


def test_limits_hold_by_hand_too(pbx: PbxSimulator) -> None:
    """Another administrator cannot add a fourth server certificate, nor one of a name that is taken."""
    pbx.add_certificate("server", "web-1.pem")
    with pytest.raises(Refusal, match="40003"):
        pbx.add_certificate("server", "web-1.pem")
    pbx.add_certificate("server", "web-2.pem")
    pbx.add_certificate("server", "web-3.pem")
    with pytest.raises(Refusal, match="60002"):
        pbx.add_certificate("server", "web-4.pem")


def test_many_clients_at_once(pbx: PbxSimulator) -> None:
    """Twenty imports at the same time for three slots: three succeed, and the others are told that it is full."""
    caller = Caller(pbx).logged_in()
    results: list[int] = []

    def apply(number: int) -> None:
        own = Caller(pbx)
        own.token = caller.token
        results.append(own.apply(f"pbx{number}.example.com")["errcode"])

    threads = [threading.Thread(target=apply, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(results) == [0] * 3 + [60002] * 17
