"""A call that comes too long after its intent is held back at the last moment, when its connection already stands."""

import pytest

from bot.exceptions import PbxError, PbxTooLate
from bot.pbx.client import PbxClient
from bot.pbx.models import CertificateType
from bot.pbx.transport import Call
from bot.sandbox.pbx import PbxSimulator
from tests.unit.pbx_kit import OK, TOKEN, Clock, MemoryShelf, RawPbx, endpoint_of, error_of, json_answer


class Counting:
    """A breaker that only counts."""

    def __init__(self) -> None:
        self.answers = self.silences = 0

    def check(self, pbx: str) -> None:
        """Always pass."""

    def probe(self, pbx: str) -> None:
        """Always pass."""

    def answered(self, pbx: str) -> None:
        self.answers += 1

    def silent(self, pbx: str, error: PbxError, *, lost_login: bool) -> None:
        self.silences += 1


def test_nothing_is_sent_too_late() -> None:
    """What is not in time any more when it is asked for leaves no byte, and the error shows no token."""
    late = Call("POST", "certificate/create", "add the certificate", write=True, in_time=lambda: False)
    with RawPbx(lambda _path: json_answer(OK)) as pbx:
        error = error_of(pbx.endpoint(), late)
    assert isinstance(error, PbxTooLate)
    assert pbx.requests == []
    assert "Nothing was sent" in error.message
    assert TOKEN not in f"{error!r} {error.message}"


def test_the_moment_that_counts_is_the_last_one() -> None:
    """Whoever falls asleep during the login sends no call after it, and the PBX is not blamed for that."""
    clock, breaker = Clock(), Counting()
    with PbxSimulator("hq", now=clock) as pbx:
        pbx.trouble.meanwhile("get_token", lambda: clock.pass_by(seconds=21))
        client = PbxClient(endpoint_of(pbx), MemoryShelf(), now=clock, breaker=breaker)
        not_after = clock.moment.replace(second=20)
        with pytest.raises(PbxTooLate):
            client.create_trusted("root.crt", not_after=not_after)
        assert (pbx.logins, pbx.count("certificate/create")) == (1, 0)
    assert (breaker.answers, breaker.silences) == (1, 0)


def test_in_time_is_in_time() -> None:
    """At the very moment named the call still leaves."""
    clock = Clock()
    with PbxSimulator("hq", now=clock) as pbx:
        client = PbxClient(endpoint_of(pbx), MemoryShelf(), now=clock)
        name = client.upload(CertificateType.TRUSTED, "root.crt", pbx.ca_pem)
        client.create_trusted(name, not_after=clock.moment)
        assert pbx.count("certificate/create") == 1
