"""A login that goes wrong: which end it for good, which do not, and that none is repeated at once."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from pydantic import SecretStr

from bot.exceptions import (
    PbxError,
    PbxLoginRefused,
    PbxLoginStopped,
    PbxRefused,
    PbxTokenCap,
    PbxUnreachable,
)
from bot.pbx.client import PbxClient
from bot.pbx.endpoint import Endpoint
from bot.pbx.tokens import PAUSE
from bot.sandbox.pbx import PbxSimulator
from tests.unit.pbx_kit import Clock, MemoryShelf, RawPbx, at_once, client_of, endpoint_of, json_answer


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


def test_all_tokens_in_use(pbx: PbxSimulator, clock: Clock) -> None:
    """At the cap of 8 the bot says how long it takes, asks once for all who wait, and does not stop logins for good."""
    for _ in range(8):
        client_of(pbx).system_information()
    shelf = MemoryShelf()
    client = client_of(pbx, shelf)
    for error in at_once(client.system_information):
        assert type(error) is PbxTokenCap
        assert "up to 30 minutes" in error.message
    assert pbx.count("get_token", 60002) == 1
    assert not shelf.stops
    clock.pass_by(minutes=31)
    client.system_information()


def test_wrong_secret(pbx: PbxSimulator, shelf: MemoryShelf) -> None:
    """A refused login is the last one: the others of the burst, and a new process, do not even call."""
    wrong = endpoint_of(pbx, client_secret=SecretStr("wrong"))
    client = PbxClient(wrong, shelf, now=pbx.now)
    outcomes = at_once(client.system_information)
    assert sorted(type(error).__name__ for error in outcomes) == ["PbxLoginRefused"] + ["PbxLoginStopped"] * 19
    with pytest.raises(PbxLoginStopped, match="does not accept the client ID and secret"):
        PbxClient(wrong, shelf, now=pbx.now).list_certificates()
    assert len(pbx.calls) == 1


def test_corrected_secret(pbx: PbxSimulator, shelf: MemoryShelf) -> None:
    """A corrected configuration may log in again without anybody pressing anything."""
    wrong = endpoint_of(pbx, client_secret=SecretStr("wrong"))
    with pytest.raises(PbxLoginRefused, match="five failures block"):
        PbxClient(wrong, shelf, now=pbx.now).system_information()
    client_of(pbx, shelf).system_information()
    assert (pbx.logins, pbx.count("get_token", 0)) == (2, 1)


@pytest.mark.parametrize("errcode", [20002, 20003, -1, 1, 10004, 10005, 40002, 60001, 70087, 99999])
def test_every_other_refusal_stops(pbx: PbxSimulator, shelf: MemoryShelf, errcode: int) -> None:
    """The code for wrong credentials is not documented, so whatever is not plainly a fault of the PBX's stops logins."""
    pbx.trouble.refuse("get_token", errcode, "NO")
    with pytest.raises(PbxLoginRefused) as caught:
        client_of(pbx, shelf).system_information()
    assert (caught.value.errcode, caught.value.errmsg) == (errcode, "NO")
    assert list(shelf.stops) == [endpoint_of(pbx).fingerprint]


@pytest.mark.parametrize("errcode", [-2, 2, 10001, 10002, 10003, 70082, 70123])
def test_faults_do_not_stop(pbx: PbxSimulator, shelf: MemoryShelf, errcode: int) -> None:
    """A login that fails because the PBX is busy, faulty or without an API says nothing about our credentials."""
    client = client_of(pbx, shelf)
    pbx.trouble.refuse("get_token", errcode)
    with pytest.raises(PbxRefused) as caught:
        client.system_information()
    assert type(caught.value) is PbxRefused
    client.system_information()
    assert not shelf.stops


@pytest.mark.parametrize("path", ["get_token", "refresh_token", "certificate/list"])
def test_blocked(pbx: PbxSimulator, shelf: MemoryShelf, clock: Clock, path: str) -> None:
    """A blocked address stops all calls, whichever call is told of it."""
    client = client_of(pbx, shelf)
    if path != "get_token":
        client.system_information()
    if path == "refresh_token":
        clock.pass_by(minutes=31)
    pbx.trouble.refuse(path, 70004)
    with pytest.raises(PbxLoginRefused, match="Blocked IPs") as caught:
        client.list_certificates()
    assert caught.value.errcode == 70004
    before = len(pbx.calls)
    with pytest.raises(PbxLoginStopped):
        client.list_certificates()
    assert len(pbx.calls) == before


def test_let_on_again(pbx: PbxSimulator, shelf: MemoryShelf) -> None:
    """Once the stop is lifted on the shelf, the same client logs in."""
    client = client_of(pbx, shelf)
    pbx.trouble.refuse("get_token", 20002)
    with pytest.raises(PbxLoginRefused):
        client.system_information()
    shelf.stops.clear()
    client.system_information()


def test_unreachable_is_no_refusal(pbx: PbxSimulator, shelf: MemoryShelf) -> None:
    """A PBX that cannot be reached stops nothing; as soon as it can be, the bot logs in."""
    client = client_of(pbx, shelf)
    pbx.make_unreachable()
    with pytest.raises(PbxUnreachable):
        client.system_information()
    pbx.reachable()
    client.system_information()
    assert not shelf.stops


def test_unanswered_login(pbx: PbxSimulator, shelf: MemoryShelf, clock: Clock) -> None:
    """A login without an answer may have used up a token: it is not repeated at once, and the call it was for never left."""
    client = client_of(pbx, shelf)
    pbx.trouble.drop("get_token", after_effect=True, times=20)
    for error in at_once(lambda: client.create_trusted("a.crt")):
        assert type(error) is PbxUnreachable
        assert "nothing else was sent" in error.message
    assert (pbx.logins, pbx.count("certificate/create")) == (1, 0)
    pbx.trouble.clear()
    clock.moment += PAUSE + timedelta(seconds=1)
    client.system_information()
    assert pbx.logins == 2


def test_unanswered_refresh(pbx: PbxSimulator, shelf: MemoryShelf, clock: Clock) -> None:
    """A refresh without an answer may have changed the tokens; the next visit logs in if it did."""
    client = client_of(pbx, shelf)
    client.system_information()
    clock.pass_by(minutes=31)
    pbx.trouble.drop("refresh_token", after_effect=True)
    with pytest.raises(PbxUnreachable):
        client.create_trusted("a.crt")
    clock.moment += PAUSE
    client.system_information()
    assert (pbx.logins, pbx.count("refresh_token")) == (2, 2)


def test_credentials_come_back_hidden(shelf: MemoryShelf, clock: Clock) -> None:
    """Neither secret nor refresh token is repeated when the PBX repeats them in its message, nor kept as a reason."""
    with RawPbx(lambda _path: json_answer('{"errcode": 20002, "errmsg": "no id2 or S3CR3TS3CR3T"}')) as raw:
        endpoint = Endpoint("hq", raw.url, "id2", SecretStr("S3CR3TS3CR3T"), raw.endpoint().tls)
        with pytest.raises(PbxError) as caught:
            PbxClient(endpoint, shelf, now=clock).system_information()
    kept = repr(caught.value) + repr(vars(caught.value)) + repr(shelf.stops)
    assert "S3CR3T" not in kept
    assert "[hidden]" in kept


def test_fingerprint_of_a_configuration() -> None:
    """It changes with the address, the id and the secret, not with the way TLS is checked or a slash at the end."""

    def of(url: str = "https://pbx", client: str = "id", key: str = "key", tls: str = "system") -> str:
        return Endpoint("hq", url, client, SecretStr(key), tls).fingerprint

    assert len({of(), of(url="https://other"), of(client="other"), of(key="other")}) == 4
    assert of() == of(tls="sha256:" + "0" * 64) == of(url="https://pbx/")
