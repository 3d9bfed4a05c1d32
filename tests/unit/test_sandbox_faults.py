"""What the fault matrices ask of the simulators: silence, trickles, faults of a certain call, and others who act meanwhile."""

from collections.abc import Iterator

import pytest
import requests

from bot.sandbox.pbx import PbxSimulator
from tests.unit.sandbox_pbx import Caller
from tests.unit.slack_app import client, refusal, workspace

LIST, CREATE = "certificate/list", "certificate/create"


@pytest.fixture
def pbx() -> Iterator[PbxSimulator]:
    with PbxSimulator("hq") as pbx:
        yield pbx


@pytest.fixture
def caller(pbx: PbxSimulator) -> Caller:
    return Caller(pbx).logged_in()


@pytest.mark.parametrize("after_effect", [False, True])
def test_a_pbx_can_be_silent(caller: Caller, pbx: PbxSimulator, after_effect: bool) -> None:
    """A call that hangs is answered by nobody until its caller gives up; whether it took effect is what was told."""
    pbx.trouble.hang("certificate/upload", after_effect=after_effect)
    with pytest.raises(requests.exceptions.ReadTimeout):
        caller.send("POST", "certificate/upload", files=_file(), timeout=0.3)
    assert len(pbx.temporary_files) == after_effect
    assert not pbx.calls[-1].delivered
    assert caller.get(LIST)["errcode"] == 0


def test_an_answer_can_trickle(caller: Caller, pbx: PbxSimulator) -> None:
    """Every byte of an answer that trickles comes soon, so a limit between two bytes does not end it."""
    pbx.trouble.trickle(LIST)
    with caller.send("GET", LIST, stream=True, timeout=5) as response:
        read = [response.raw.read(1) for _ in range(3)]
    assert b"".join(read) == b'{"e'
    assert not pbx.calls[-1].delivered


def test_a_fate_can_spare_the_first_calls(caller: Caller, pbx: PbxSimulator) -> None:
    """A fault told with a skip meets that call to its path and no other; until then it is pending."""
    pbx.trouble.refuse(LIST, 10005, skip=2)
    assert [caller.get(LIST)["errcode"] for _ in range(2)] == [0, 0]
    assert pbx.trouble.pending == 1
    assert [caller.get(LIST)["errcode"] for _ in range(2)] == [10005, 0]
    assert pbx.trouble.pending == 0


def test_somebody_else_acts_before_the_answer_leaves(caller: Caller, pbx: PbxSimulator) -> None:
    """What happens meanwhile is not in the answer to that call, and is in the answer to the next one; it happens once."""
    pbx.trouble.meanwhile(LIST, lambda: pbx.add_certificate("trusted", "theirs.crt"), skip=1)
    assert [caller.get(LIST)["total_number"] for _ in range(4)] == [0, 0, 1, 1]


def test_connections_are_refused_after_a_certain_call(caller: Caller, pbx: PbxSimulator) -> None:
    """The call itself is answered; whoever connects after it is refused, until the network is mended on the same port."""
    port = pbx.port
    pbx.unreachable_after(LIST)
    assert caller.get(LIST)["errcode"] == 0
    with pytest.raises(requests.exceptions.ConnectionError, match="refused"):
        caller.get(LIST)
    pbx.reachable()
    assert pbx.port == port
    assert caller.get(LIST)["errcode"] == 0


@pytest.mark.parametrize("after_effect", [False, True])
def test_slack_can_be_silent(after_effect: bool) -> None:
    """A call that hangs is answered by nobody until its caller gives up; whether it took effect is what was told."""
    with workspace() as ws:
        room = ws.add_channel("certs")
        ws.trouble.fail("chat.postMessage", hang=True, after_effect=after_effect)
        headers = {"Authorization": f"Bearer {ws.bot_token}"}
        with pytest.raises(requests.exceptions.ReadTimeout):
            requests.post(f"{ws.url}chat.postMessage", {"channel": room.id, "text": "x"}, headers=headers, timeout=0.3)
        assert len(ws.messages(room)) == after_effect


def test_a_failure_of_slack_can_spare_the_first_calls() -> None:
    """A failure told with a skip meets that call of its method and no other; until then it is pending."""
    with workspace() as ws:
        ws.trouble.fail("auth.test", skip=1)
        assert client(ws).auth_test()["ok"]
        assert ws.trouble.pending == 1
        assert refusal(client(ws).auth_test)["error"] == "internal_error"
        assert client(ws).auth_test()["ok"]
        assert ws.trouble.pending == 0


def _file() -> dict[str, tuple[str | None, str]]:
    return {"type": (None, "trusted"), "file": ("corp-root.crt", "not looked at before create")}
