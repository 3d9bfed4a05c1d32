"""The plan: the calls that a request will make, in order; and the evidence beside it."""

import json

import pytest
from hypothesis import given

from bot.domain.plan import Evidence, Step, plan, slots_of, steps_of
from bot.domain.requests import Kind
from tests.unit import block_samples
from tests.unit.block_samples import EVIDENCE

UPLOAD, CREATE, LIST = "POST certificate/upload", "POST certificate/create", "GET certificate/list"


@pytest.mark.parametrize(
    ("kind", "calls"),
    [
        (Kind.TRUSTED, [LIST, UPLOAD, CREATE, LIST]),
        (Kind.IMPORT, [LIST, UPLOAD, CREATE, LIST]),
        (Kind.APPLY, [LIST, CREATE, LIST, LIST]),
    ],
)
def test_calls(kind: Kind, calls: list[str]) -> None:
    """Each kind makes the calls of the vendor's page "Add a Certificate", looks first, and reads back what is listed."""
    made = plan(block_samples.ask(kind), "a.crt")
    assert [step["call"] for step in made] == calls
    assert [step["step"] for step in made] == [step.value for step in steps_of(kind)]
    assert (steps_of(kind)[0], steps_of(kind)[-1]) == (Step.LOOK, Step.CONFIRM)


@pytest.mark.parametrize(
    ("kind", "changes", "words"),
    [
        (Kind.TRUSTED, {}, "add a.crt as a trusted CA certificate"),
        (Kind.IMPORT, {}, "add a.crt as a server certificate without automatic renewal"),
        (Kind.IMPORT, {"auto_renewal": True, "provider": "alidns"}, "with automatic renewal through alidns"),
        (Kind.APPLY, {}, "let the PBX apply for pbx.example.com through alidns"),
    ],
)
def test_says_what_create_does(kind: Kind, changes: dict[str, object], words: str) -> None:
    """The call that changes the PBX is told with what it adds, and how it is renewed."""
    made = plan(block_samples.ask(kind, **changes), "a.crt")
    assert words in next(step["about"] for step in made if step["step"] == Step.CREATE.value)


def test_only_plain_types() -> None:
    """A plan is stored and hashed as JSON as it is."""
    made = plan(block_samples.ask(), "a.crt")
    assert tuple(json.loads(json.dumps(made))) == made


@given(EVIDENCE)
def test_evidence_round_trip(evidence: Evidence) -> None:
    """Evidence is the same after it was stored as JSON."""
    assert Evidence.from_json(json.loads(json.dumps(evidence.to_json()))) == evidence


@pytest.mark.parametrize(("used", "full"), [(None, False), (0, False), (2, False), (3, True), (4, True)])
def test_full(used: int | None, full: bool) -> None:
    """A PBX is full when its slots are taken; one that could not be asked is not called full."""
    assert Evidence("a.crt", used, slots_of(Kind.IMPORT)).is_full is full
