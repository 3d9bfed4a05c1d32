"""The simulated PBX: who may call it."""

from collections.abc import Iterator

import pytest

from bot.sandbox.pbx import PbxSimulator
from tests.unit.sandbox_pbx import Caller, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pbx(clock: Clock) -> Iterator[PbxSimulator]:
    with PbxSimulator("hq", now=clock) as pbx:
        yield pbx


@pytest.fixture
def caller(pbx: PbxSimulator) -> Caller:
    return Caller(pbx)


def works(caller: Caller, token: str) -> bool:
    """Whether this access token is valid."""
    answer = caller.get("certificate/list", access_token=token)
    assert answer["errcode"] in (0, 10004)
    return bool(answer["errcode"] == 0)


def test_login_gives_two_tokens_with_their_lifetimes(caller: Caller) -> None:
    """get_token answers an access token for 1800 s and a refresh token for 86400 s."""
    answer = caller.login()
    assert (answer["errcode"], answer["errmsg"]) == (0, "SUCCESS")
    assert (answer["access_token_expire_time"], answer["refresh_token_expire_time"]) == (1800, 86400)
    assert len(answer["access_token"]) == len(answer["refresh_token"]) == 32
    assert works(caller, answer["access_token"])


def test_access_token_ends_after_half_an_hour(caller: Caller, clock: Clock, pbx: PbxSimulator) -> None:
    """An access token is valid for 1800 s and not one second longer."""
    token = caller.login()["access_token"]
    clock.forward(seconds=1799)
    assert works(caller, token)
    assert pbx.live_tokens == 1
    clock.forward(seconds=1)
    assert not works(caller, token)
    assert pbx.live_tokens == 0


def test_refresh_rotates_both_tokens(caller: Caller, pbx: PbxSimulator) -> None:
    """A refresh gives a new pair; the old refresh token is dead, and so is the old access token."""
    first = caller.login()
    second = caller.post("refresh_token", refresh_token=first["refresh_token"])
    assert second["errcode"] == 0
    assert not {first["access_token"], first["refresh_token"]} & {second["access_token"], second["refresh_token"]}
    assert works(caller, second["access_token"])
    assert not works(caller, first["access_token"])
    assert caller.post("refresh_token", refresh_token=first["refresh_token"])["errcode"] == 10004
    assert pbx.live_tokens == 1


def test_refresh_token_outlives_the_access_token_by_a_day(caller: Caller, clock: Clock) -> None:
    """A refresh works after the access token's end, but not after 86400 s."""
    answer = caller.login()
    clock.forward(hours=23)
    answer = caller.post("refresh_token", refresh_token=answer["refresh_token"])
    assert answer["errcode"] == 0
    clock.forward(hours=24)
    assert caller.post("refresh_token", refresh_token=answer["refresh_token"])["errcode"] == 10004


@pytest.mark.parametrize("field", ["refreshToken", "refreshtoken", "access_token"])
def test_refresh_wants_its_field_by_its_name(caller: Caller, field: str) -> None:
    """A refresh token under another name is a missing parameter."""
    token = caller.login()["refresh_token"]
    assert caller.post("refresh_token", **{field: token})["errcode"] == 40002


def test_revoked_token_is_dead(caller: Caller, pbx: PbxSimulator) -> None:
    """del_token ends the access token that it carries, and the refresh token with it."""
    answer = caller.login()
    assert caller.get("del_token", access_token=answer["access_token"])["errcode"] == 0
    assert not works(caller, answer["access_token"])
    assert caller.post("refresh_token", refresh_token=answer["refresh_token"])["errcode"] == 10004
    assert pbx.live_tokens == 0


def test_ninth_token_is_refused_until_one_ends(caller: Caller, clock: Clock, pbx: PbxSimulator) -> None:
    """Eight access tokens are valid at once; the ninth login is answered 60002, also later, until one has ended."""
    for _ in range(8):
        assert caller.login()["errcode"] == 0
        clock.forward(minutes=1)
    assert caller.login()["errcode"] == 60002
    assert pbx.live_tokens == 8
    clock.forward(minutes=22)
    assert caller.login()["errcode"] == 0


def test_refresh_works_at_the_cap(caller: Caller) -> None:
    """A refresh replaces its own token, so it does not need a ninth place."""
    answers = [caller.login() for _ in range(8)]
    assert caller.post("refresh_token", refresh_token=answers[0]["refresh_token"])["errcode"] == 0


def test_refresh_token_survives_a_refusal_at_the_cap(caller: Caller, clock: Clock) -> None:
    """When other logins took every place, the refresh is refused but can be repeated later."""
    early = caller.login()
    clock.forward(minutes=31)
    for _ in range(8):
        caller.login()
    assert caller.post("refresh_token", refresh_token=early["refresh_token"])["errcode"] == 60002
    clock.forward(minutes=31)
    assert caller.post("refresh_token", refresh_token=early["refresh_token"])["errcode"] == 0


@pytest.mark.parametrize("wrong", [{"username": "nobody"}, {"password": "wrong"}])
def test_wrong_id_or_secret_is_refused(caller: Caller, wrong: dict[str, str]) -> None:
    """A wrong client id or secret is answered with the likely code, 20002."""
    answer = caller.login(**wrong)
    assert answer["errcode"] == 20002
    assert "access_token" not in answer


def test_code_of_a_refused_login_can_be_chosen(caller: Caller, pbx: PbxSimulator) -> None:
    """As the vendor does not document the code, the simulator takes another one."""
    pbx.refuse_logins_with(1)
    assert caller.login(password="wrong")["errcode"] == 1


def test_changed_secret_refuses_the_old_one(caller: Caller, pbx: PbxSimulator) -> None:
    """After set_secret the old secret is wrong, and tokens stay valid."""
    old, token = pbx.client_secret, caller.login()["access_token"]
    pbx.set_secret("another")
    assert caller.login(password=old)["errcode"] == 20002
    assert caller.login(password="another")["errcode"] == 0
    assert works(caller, token)


def test_five_failures_block_the_address_for_ten_minutes(caller: Caller, clock: Clock) -> None:
    """After five wrong logins even the right one is answered 70004 with the remaining seconds, for ten minutes."""
    assert [caller.login(password="wrong")["errcode"] for _ in range(5)] == [20002] * 5
    clock.forward(minutes=4)
    answer = caller.login()
    assert (answer["errcode"], answer["errmsg"]) == (70004, "ACCOUNT IP BLOCKED")
    assert answer["block_expire_time"] == 360
    clock.forward(minutes=6)
    assert caller.login()["errcode"] == 0


def test_block_holds_for_every_call(caller: Caller) -> None:
    """A blocked address gets 70004 for a call with a valid token too."""
    caller.logged_in()
    for _ in range(5):
        caller.login(password="wrong")
    assert caller.get("certificate/list")["errcode"] == 70004


def test_right_login_forgets_the_failures_before(caller: Caller) -> None:
    """Four failures, a success and four failures block nobody."""
    for _ in range(2):
        for _ in range(4):
            assert caller.login(password="wrong")["errcode"] == 20002
        assert caller.login()["errcode"] == 0


def test_administrator_lifts_a_block(caller: Caller, pbx: PbxSimulator) -> None:
    """After unblock the address may log in at once, and has five attempts again."""
    for _ in range(5):
        caller.login(password="wrong")
    pbx.unblock()
    for _ in range(4):
        assert caller.login(password="wrong")["errcode"] == 20002
    assert caller.login()["errcode"] == 0


def test_login_without_a_field_is_a_parameter_error(caller: Caller) -> None:
    """A login without its password is 40002, and does not count as a failed attempt."""
    for _ in range(6):
        assert caller.post("get_token", username="x")["errcode"] == 40002
    assert caller.login()["errcode"] == 0


@pytest.mark.parametrize("body", [b"", b"username=x&password=y", b"[1]", b"\xff"])
def test_body_that_is_no_json_object_is_a_syntax_error(caller: Caller, body: bytes) -> None:
    """A body that is not a JSON object is answered 40001."""
    assert caller.send("POST", "get_token", data=body).json()["errcode"] == 40001


@pytest.mark.parametrize("token", [None, "", "0" * 32])
def test_call_without_a_valid_token_is_refused(caller: Caller, token: str | None) -> None:
    """A missing, empty or unknown access token is answered 10004 under status 200."""
    response = caller.send("GET", "certificate/list", params={} if token is None else {"access_token": token})
    assert (response.status_code, response.json()) == (200, {"errcode": 10004, "errmsg": "TOKEN EXPIRED"})


def test_token_in_a_header_is_ignored(caller: Caller) -> None:
    """A bearer token is no token: 10004."""
    headers = {"Authorization": f"Bearer {caller.login()['access_token']}"}
    assert caller.send("GET", "certificate/list", headers=headers).json()["errcode"] == 10004


def test_token_in_the_body_is_ignored(caller: Caller) -> None:
    """The token belongs into the query, also on POST."""
    token = caller.login()["access_token"]
    assert caller.post("webserver/update", https_cert="default", access_token=token)["errcode"] == 10004


@pytest.mark.parametrize("path", ["get_token", "certificate/list"])
def test_call_without_a_user_agent_is_refused(caller: Caller, path: str) -> None:
    """An empty User-Agent is 40002, before anything else is looked at."""
    method = "POST" if path == "get_token" else "GET"
    assert caller.send(method, path, headers={"User-Agent": ""}, json={}).json()["errcode"] == 40002
