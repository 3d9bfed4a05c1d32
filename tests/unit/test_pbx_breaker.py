"""The client and the circuit breaker: asked before anything leaves, told of every exchange, logins included."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from bot.exceptions import PbxAway, PbxError, PbxRefused
from bot.pbx.client import PbxClient
from bot.sandbox.pbx import PbxSimulator
from tests.unit.pbx_kit import MemoryShelf, endpoint_of

SINCE = datetime(2027, 1, 16, 10, 31, tzinfo=UTC)


@dataclass
class Recorder:
    """A breaker that only takes note; ``open`` refuses everything but a probe."""

    open: bool = False
    noted: list[str] = field(default_factory=list)

    def check(self, pbx: str) -> None:
        self.noted.append("check")
        if self.open:
            raise PbxAway(pbx, SINCE, SINCE)

    def probe(self, pbx: str) -> None:
        self.noted.append("probe")

    def answered(self, pbx: str) -> None:
        self.noted.append("answered")

    def silent(self, pbx: str, error: PbxError, *, lost_login: bool) -> None:
        self.noted.append(f"silent {type(error).__name__}{' lost login' if lost_login else ''}")


@pytest.fixture
def pbx() -> Iterator[PbxSimulator]:
    with PbxSimulator("hq") as simulator:
        yield simulator


@pytest.fixture
def breaker() -> Recorder:
    return Recorder()


@pytest.fixture
def client(pbx: PbxSimulator, breaker: Recorder) -> PbxClient:
    return PbxClient(endpoint_of(pbx), MemoryShelf(), now=pbx.now, read_timeout=5, breaker=breaker)


def test_every_exchange_is_told(client: PbxClient, breaker: Recorder) -> None:
    """A call that logs in first is one question and two answers; the next one is one of each."""
    client.list_certificates()
    client.list_certificates()
    assert breaker.noted == ["check", "answered", "answered", "check", "answered"]


def test_nothing_leaves_while_it_is_open(client: PbxClient, pbx: PbxSimulator, breaker: Recorder) -> None:
    """Neither a call nor the login before it reaches a PBX that is left alone."""
    breaker.open = True
    for work in (client.list_certificates, client.system_information, lambda: client.create_trusted("a.crt"), client.ready):
        with pytest.raises(PbxAway, match=r"hq has not answered since 10:31 UTC, .* again at 10:31 UTC\. \[pbx_away\]"):
            work()
    assert not pbx.calls
    assert breaker.noted == ["check"] * 4


def test_a_probe_passes_and_reads(client: PbxClient, pbx: PbxSimulator, breaker: Recorder) -> None:
    """The probe asks for its own permission, logs in if need be, and makes one call that changes nothing."""
    breaker.open = True
    client.probe()
    assert breaker.noted == ["probe", "answered", "answered"]
    assert [call.path for call in pbx.calls] == ["get_token", "certificate/list"]


@pytest.mark.parametrize("errcode", [-2, -1, 2, 10005, 40002, 60001, 60002, 70082, 70123, 99999])
def test_every_errcode_is_an_answer(client: PbxClient, pbx: PbxSimulator, breaker: Recorder, errcode: int) -> None:
    """Only a PBX says such a thing, whatever it means."""
    pbx.trouble.refuse("certificate/list", errcode)
    with pytest.raises(PbxRefused):
        client.list_certificates()
    assert breaker.noted == ["check", "answered", "answered"]


def test_nobody_there(client: PbxClient, pbx: PbxSimulator, breaker: Recorder) -> None:
    """A connection that is refused is one silence; no login was lost, for none has left."""
    pbx.make_unreachable()
    with pytest.raises(PbxError):
        client.list_certificates()
    assert breaker.noted == ["check", "silent PbxUnreachable"]


@pytest.mark.parametrize(("path", "lost"), [("get_token", " lost login"), ("certificate/list", "")])
def test_no_answer(client: PbxClient, pbx: PbxSimulator, breaker: Recorder, path: str, lost: str) -> None:
    """A connection that breaks off is a silence; if a login had left by it, that is said."""
    pbx.trouble.drop(path, after_effect=True)
    with pytest.raises(PbxError):
        client.list_certificates()
    assert breaker.noted[-1] == f"silent PbxFateUnknown{lost}"


@pytest.mark.parametrize(("path", "lost"), [("get_token", " lost login"), ("certificate/list", "")])
def test_a_page_is_no_answer(client: PbxClient, pbx: PbxSimulator, breaker: Recorder, path: str, lost: str) -> None:
    """A gateway's page says that the PBX behind it is away, and the login may have got through to it."""
    pbx.trouble.html(path, 502)
    with pytest.raises(PbxError):
        client.list_certificates()
    assert breaker.noted[-1] == f"silent PbxBadAnswer{lost}"


def test_the_date_is_told_of_a_long_outage() -> None:
    """A time of day alone would mislead after more than half a day."""
    error = PbxAway("hq", SINCE, datetime(2027, 1, 18, 9, 0, tzinfo=UTC))
    assert error.outage == "hq has not answered since 2027-01-16 10:31 UTC, so it was not asked again."
