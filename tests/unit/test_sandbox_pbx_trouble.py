"""The simulated PBX: misbehaving on demand, and being off."""

import gc
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from bot.sandbox.pbx import PbxSimulator
from tests.unit.sandbox_pbx import ALIDNS, Caller

LIST = "certificate/list"


@pytest.fixture
def pbx() -> Iterator[PbxSimulator]:
    with PbxSimulator("hq") as pbx:
        yield pbx


@pytest.fixture
def caller(pbx: PbxSimulator) -> Caller:
    return Caller(pbx).logged_in()


def test_refusal_is_used_up(caller: Caller, pbx: PbxSimulator) -> None:
    """A refusal told for two calls meets two calls, with the vendor's text or another, and has no effect."""
    pbx.trouble.refuse("certificate/create", 70082, times=2)
    pbx.trouble.refuse("certificate/create", -2, "BROKEN")
    answers = [caller.apply("pbx.example.com") for _ in range(4)]
    assert [(one["errcode"], one["errmsg"]) for one in answers] == [
        (70082, "OVERLOAD_TASK_RUNNING"),
        (70082, "OVERLOAD_TASK_RUNNING"),
        (-2, "BROKEN"),
        (0, "SUCCESS"),
    ]
    assert len(pbx.certificates) == 1


def test_refused_login_does_not_count_as_a_failure(caller: Caller, pbx: PbxSimulator) -> None:
    """Refusals that were told block no address."""
    pbx.trouble.refuse("get_token", 70123, times=6)
    assert [caller.login()["errcode"] for _ in range(7)] == [70123] * 6 + [0]


def test_trouble_on_one_path_leaves_the_others(caller: Caller, pbx: PbxSimulator) -> None:
    """A refusal for one path does not meet another; ``*`` meets any."""
    pbx.trouble.refuse("certificate/create", 70082)
    assert caller.get(LIST)["errcode"] == 0
    pbx.trouble.refuse("*", 10005)
    assert caller.get(LIST)["errcode"] == 10005


@pytest.mark.parametrize("after_effect", [False, True])
def test_gateway_answers_with_a_page(caller: Caller, pbx: PbxSimulator, after_effect: bool) -> None:
    """A gateway's page has its status and HTML; the call behind it happened only if told so."""
    pbx.trouble.html("certificate/create", status=502, after_effect=after_effect)
    response = caller.send("POST", "certificate/create", json=apply_body())
    assert (response.status_code, response.headers["content-type"]) == (502, "text/html; charset=utf-8")
    assert len(pbx.certificates) == after_effect
    assert (pbx.calls[-1].errcode, pbx.calls[-1].delivered) == (0 if after_effect else None, False)


@pytest.mark.parametrize("after_effect", [False, True])
def test_connection_drops_before_or_after_the_effect(caller: Caller, pbx: PbxSimulator, after_effect: bool) -> None:
    """A dropped connection gives no answer; whether the call took effect is what was told."""
    pbx.trouble.drop("certificate/create", after_effect=after_effect)
    with pytest.raises(requests.exceptions.ConnectionError):
        caller.send("POST", "certificate/create", json=apply_body())
    assert len(pbx.certificates) == after_effect
    assert (pbx.calls[-1].errcode, pbx.calls[-1].delivered) == (0 if after_effect else None, False)
    assert caller.get(LIST)["total_number"] == after_effect


def test_truncated_answer_breaks_off(caller: Caller, pbx: PbxSimulator) -> None:
    """Half of the announced answer comes, and the call took effect."""
    pbx.trouble.truncate("certificate/create")
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        caller.send("POST", "certificate/create", json=apply_body())
    assert (len(pbx.certificates), pbx.calls[-1].delivered) == (1, False)


def test_slow_call_has_its_effect_at_once(caller: Caller, pbx: PbxSimulator) -> None:
    """A slow call takes effect before the client gives up, and its answer goes nowhere."""
    pbx.trouble.slow("certificate/create", 60)
    with pytest.raises(requests.exceptions.ReadTimeout):
        caller.send("POST", "certificate/create", json=apply_body(), timeout=0.2)
    assert len(pbx.certificates) == 1
    assert (pbx.calls[-1].errcode, pbx.calls[-1].delivered) == (0, False)


def test_slow_answer_arrives_late(caller: Caller, pbx: PbxSimulator) -> None:
    """The answer of a slow call comes after the seconds that were told."""
    pbx.trouble.slow("*", 0.2)
    started = time.monotonic()
    assert caller.get(LIST)["errcode"] == 0
    assert time.monotonic() - started >= 0.2
    assert pbx.calls[-1].delivered


def test_slow_calls_do_not_wait_for_each_other(caller: Caller, pbx: PbxSimulator) -> None:
    """While one call is slow, others are answered."""
    pbx.trouble.slow("certificate/create", 60)
    waiting = threading.Thread(target=swallow_broken_connection, args=(caller,))
    waiting.start()
    assert pbx.wait_for(lambda: pbx.count("certificate/create") == 1)
    other = Caller(pbx)
    other.token = caller.token
    assert other.get(LIST)["total_number"] == 1
    pbx.stop()
    waiting.join(10)
    assert not waiting.is_alive()


def test_wrong_content_type_leaves_the_body(caller: Caller, pbx: PbxSimulator) -> None:
    """An answer can be labelled as HTML while it is JSON."""
    pbx.trouble.content_type(LIST, "text/html")
    response = caller.send("GET", LIST)
    assert response.headers["content-type"].startswith("text/html")
    assert response.json()["errcode"] == 0


def test_numbers_as_strings(caller: Caller, pbx: PbxSimulator) -> None:
    """Told so, a PBX answers every number as a string, in lists too, but leaves booleans."""
    pbx.trouble.strings("*")
    caller.apply("pbx.example.com", auth_info_list=[*ALIDNS, {"k": "Sandbox", "bv": True}])
    answer = caller.get(LIST)
    assert (answer["errcode"], answer["total_number"]) == ("0", "1")
    listed = answer["certificate_list"][0]
    assert (listed["id"], listed["auto_renewal"]) == ("1", "1")
    assert listed["auth_info_list"][-1] == {"k": "Sandbox", "bv": True}


def test_clear_ends_all_trouble(caller: Caller, pbx: PbxSimulator) -> None:
    """After clear the PBX behaves."""
    pbx.trouble.refuse("*", -2, times=100)
    pbx.trouble.slow("*", 60)
    pbx.trouble.strings("*")
    pbx.trouble.content_type("*", "text/html")
    pbx.trouble.clear()
    response = caller.send("GET", LIST)
    assert (response.json()["errcode"], response.headers["content-type"]) == (0, "application/json")


def test_unreachable_pbx_refuses_connections_and_keeps_its_state(caller: Caller, pbx: PbxSimulator) -> None:
    """Without its network a PBX refuses connections; afterwards the port, the tokens and the certificates are there."""
    pbx.add_certificate("server", "web.pem")
    pbx.make_unreachable()
    with pytest.raises(requests.exceptions.ConnectionError, match="refused"):
        caller.get(LIST)
    pbx.reachable()
    assert caller.get(LIST)["total_number"] == 1


def test_restart_keeps_certificates_and_forgets_tokens(caller: Caller, pbx: PbxSimulator) -> None:
    """After a restart on the same port the certificates are there, and clients have to log in again."""
    pbx.add_certificate("server", "web.pem")
    url, port, fingerprint = pbx.url, pbx.port, pbx.fingerprint
    pbx.stop()
    pbx.start(port)
    assert (pbx.url, pbx.fingerprint) == (url, fingerprint)
    assert caller.get(LIST)["errcode"] == 10004
    assert caller.logged_in().get(LIST)["total_number"] == 1


def test_stopping_breaks_a_handshake_that_never_ends(pbx: PbxSimulator) -> None:
    """A client that connects and says nothing is hung up on, and nothing is left open."""
    with socket.create_connection(("127.0.0.1", pbx.port), timeout=10) as silent:
        caller = Caller(pbx)
        caller.login()
        pbx.stop()
        assert silent.recv(1) == b""
    gc.collect()  # An unclosed socket would now be a ResourceWarning, which fails the test.


def test_port_is_unknown_before_the_start() -> None:
    """A PBX that was never started has no URL."""
    with pytest.raises(RuntimeError, match="never started"):
        _ = PbxSimulator("hq").url


def test_url_has_the_chosen_host() -> None:
    """The URL is made with the host name that was given, and its certificate covers it."""
    with PbxSimulator("hq", hostname="127.0.0.1") as pbx:
        assert pbx.url == f"https://127.0.0.1:{pbx.port}"
        assert Caller(pbx).login()["errcode"] == 0


def apply_body() -> dict[str, Any]:
    return {
        "type": "server",
        "ca_type": "apply",
        "issue_to": "pbx.example.com",
        "dns_provider": "alidns",
        "auth_info_list": ALIDNS,
    }


def swallow_broken_connection(caller: Caller) -> None:
    """Apply, and expect that no answer comes."""
    with pytest.raises(requests.exceptions.ConnectionError):
        caller.send("POST", "certificate/create", json=apply_body(), timeout=60)
