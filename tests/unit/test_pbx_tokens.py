"""One shared token a PBX, and as few logins as possible; the PBX's own log of calls is the witness."""

from collections.abc import Iterator

import pytest

from bot.domain.tokens import Tokens
from bot.exceptions import (
    PbxBadAnswer,
    PbxRefused,
    PbxTokenExpired,
)
from bot.pbx.client import PbxClient
from bot.sandbox.pbx import PbxSimulator
from tests.unit.pbx_kit import Clock, MemoryShelf, RawPbx, at_once, client_of, json_answer


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pbx(clock: Clock) -> Iterator[PbxSimulator]:
    with PbxSimulator("hq", now=clock) as simulator:
        yield simulator


@pytest.fixture
def shelf() -> MemoryShelf:
    return MemoryShelf()


def test_single_flight(pbx: PbxSimulator, shelf: MemoryShelf) -> None:
    """Twenty threads without a token log in once."""
    client = client_of(pbx, shelf)
    assert at_once(client.system_information) == [None] * 20
    assert pbx.logins == 1
    assert pbx.count("system/information", 0) == 20


def test_single_flight_of_processes(pbx: PbxSimulator, shelf: MemoryShelf) -> None:
    """Of clients that share nothing but the shelf one logs in, and the others use what it got."""
    clients = [client_of(pbx, shelf) for _ in range(5)]
    waiting = iter(clients)
    assert at_once(lambda: next(waiting).system_information(), threads=5) == [None] * 5
    assert (pbx.logins, pbx.count("refresh_token")) == (1, 0)


def test_survives_a_restart(pbx: PbxSimulator, shelf: MemoryShelf) -> None:
    """A new client uses the token that lies on the shelf."""
    client_of(pbx, shelf).system_information()
    client_of(pbx, shelf).system_information()
    assert pbx.logins == 1


def test_refreshed_before_it_expires(pbx: PbxSimulator, shelf: MemoryShelf, clock: Clock) -> None:
    """A minute before its end a token is refreshed; each refresh uses the refresh token of the one before."""
    client = client_of(pbx, shelf)
    client.system_information()
    for refreshes in range(1, 4):
        clock.pass_by(seconds=1800 - 61)
        client.system_information()
        assert pbx.count("refresh_token") == refreshes - 1
        clock.pass_by(seconds=2)
        client.system_information()
        assert pbx.count("refresh_token", 0) == refreshes
    assert pbx.logins == 1
    assert pbx.count("system/information", 10004) == 0


def test_refresh_token_too_old(pbx: PbxSimulator, shelf: MemoryShelf, clock: Clock) -> None:
    """After a day of silence nothing can be refreshed, so the bot logs in without trying."""
    client = client_of(pbx, shelf)
    client.system_information()
    clock.pass_by(days=1)
    client.system_information()
    assert pbx.logins == 2
    assert pbx.count("refresh_token") == 0


def test_refresh_refused(pbx: PbxSimulator, shelf: MemoryShelf, clock: Clock) -> None:
    """When the PBX does not take the refresh token, the bot logs in, once."""
    client = client_of(pbx, shelf)
    client.system_information()
    pbx.stop()
    pbx.start(pbx.port)
    clock.pass_by(seconds=1800)
    client.system_information()
    assert pbx.count("refresh_token", 10004) == 1
    assert pbx.logins == 2


def test_refresh_while_busy(pbx: PbxSimulator, shelf: MemoryShelf, clock: Clock) -> None:
    """A PBX that is busy is not asked for a login instead, as the refresh token is still good."""
    client = client_of(pbx, shelf)
    client.system_information()
    clock.pass_by(seconds=1800)
    pbx.trouble.refuse("refresh_token", 70082)
    with pytest.raises(PbxRefused) as caught:
        client.system_information()
    assert caught.value.errcode == 70082
    client.system_information()
    assert pbx.logins == 1


@pytest.mark.parametrize(("errcode", "errmsg"), [(10004, "TOKEN EXPIRED"), (1, "token expired")])
def test_renewed_once(pbx: PbxSimulator, shelf: MemoryShelf, errcode: int, errmsg: str) -> None:
    """A token that the PBX calls expired, by code or by words, is renewed and the call repeated, also a deletion."""
    client = client_of(pbx, shelf)
    number = pbx.add_certificate("trusted", "a.crt")
    client.system_information()
    pbx.trouble.refuse("certificate/delete", errcode, errmsg)
    client.delete_certificate(number)
    assert pbx.count("certificate/delete") == 2
    assert pbx.count("certificate/delete", 0) == 1
    assert (pbx.logins, pbx.count("refresh_token")) == (1, 1)


def test_renewed_only_once(pbx: PbxSimulator, shelf: MemoryShelf) -> None:
    """When a new token does not help either, that is told, and nothing goes round in circles."""
    client = client_of(pbx, shelf)
    client.system_information()
    pbx.trouble.refuse("system/information", 10004, times=50)
    with pytest.raises(PbxTokenExpired, match="a new one did not help"):
        client.system_information()
    assert pbx.count("system/information", 10004) == 2
    assert (pbx.logins, pbx.count("refresh_token")) == (1, 1)


def test_renewed_by_another_thread(pbx: PbxSimulator, shelf: MemoryShelf) -> None:
    """Twenty threads whose token has died renew it once."""
    client = client_of(pbx, shelf)
    client.system_information()
    pbx.stop()
    pbx.start(pbx.port)
    assert at_once(client.system_information) == [None] * 20
    assert pbx.logins == 2
    assert pbx.count("refresh_token") == 1


@pytest.mark.parametrize(
    "body",
    [
        '{"errcode": 0, "access_token": "abcdef", "access_token_expire_time": "1800"}',
        '{"errcode": "0", "access_token": "abcdef"}',
        '{"errcode": 0, "access_token": "abcdef", "access_token_expire_time": "soon", "refresh_token": null}',
        '{"errcode": 0, "access_token": "abcdef", "access_token_expire_time": 99999999999999, "refresh_token_expire_time": -1}',
    ],
)
def test_sparse_login_answer(shelf: MemoryShelf, clock: Clock, body: str) -> None:
    """An answer to a login is usable if it has a token; without a refresh token none is used."""
    with RawPbx(lambda path: json_answer(body if path == "get_token" else '{"errcode": 0}')) as raw:
        client = PbxClient(raw.endpoint(), shelf, now=clock)
        client.system_information()
        client.system_information()
        assert raw.count("get_token") == 1
        clock.pass_by(days=40_000)
        client.system_information()
    assert (raw.count("get_token"), raw.count("refresh_token")) == (2, 0)


def test_login_without_a_token(shelf: MemoryShelf, clock: Clock) -> None:
    """Success without a token is no answer of a PBX, and nothing is kept of it."""
    with RawPbx(lambda _path: json_answer('{"errcode": 0, "access_token": ""}')) as raw, pytest.raises(PbxBadAnswer):
        PbxClient(raw.endpoint(), shelf, now=clock).system_information()
    assert shelf.tokens is None


def test_tokens_hide_themselves(clock: Clock) -> None:
    """The repr of a pair of tokens shows when they end and not what they are."""
    assert "nobody" not in repr(Tokens("nobody-may-see", "nobody-may-see", clock(), clock()))
