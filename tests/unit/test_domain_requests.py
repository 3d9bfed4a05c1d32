"""What a request is: the table of its transitions, and the digest that an approval is bound to."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import requests
from bot.domain.requests import (
    TRANSITIONS,
    Ask,
    Decision,
    Execution,
    Installed,
    Kind,
    Outcome,
    ReceivedFile,
    Shown,
    StepState,
    allowed,
    canonical,
    digest,
)
from bot.domain.rules import Seats
from tests.unit import block_samples
from tests.unit.block_samples import ASKS

TABLE = """
draft > pending withdrawn expired void
pending > approved rejected withdrawn expired void
approved > withdrawn
queued > applying unknown
applying > waiting done failed unknown
waiting > applying failed unknown
unknown > unknown applying done failed
intended > sent settled
sent > intended settled
"""
EVERYTHING = [*Decision, *Execution, *StepState]


@pytest.mark.parametrize("old", EVERYTHING, ids=str)
def test_table(old: Decision | Execution | StepState) -> None:
    """Each state leads where the design says, and nowhere else; the ends lead nowhere."""
    expected = {line.split(" > ")[0]: set(line.split(" > ")[1].split()) for line in TABLE.strip().splitlines()}
    assert {new.value for new in EVERYTHING if allowed(old, new)} == expected.get(old.value, set())


def test_machines_are_apart() -> None:
    """No transition leads from one machine into another, and no two states of different machines have one name."""
    assert all(type(new) is type(old) for old, news in TRANSITIONS.items() for new in news)
    assert len({state.value for state in EVERYTHING}) == len(EVERYTHING)


@given(ASKS)
def test_ask_round_trip(ask: Ask) -> None:
    """What was asked for is the same after it was stored as JSON."""
    assert Ask.from_json(json.loads(json.dumps(ask.to_json()))) == ask


@pytest.mark.parametrize(
    ("ask", "files", "dns"),
    [
        (Ask(kind=Kind.TRUSTED), True, False),
        (Ask(kind=Kind.TRUSTED, auto_renewal=True), True, False),
        (Ask(kind=Kind.IMPORT), True, False),
        (Ask(kind=Kind.IMPORT, auto_renewal=True), True, True),
        (Ask(kind=Kind.APPLY), False, True),
    ],
)
def test_needs(ask: Ask, files: bool, dns: bool) -> None:
    """Each kind needs what the vendor's page "Add a Certificate" wants for it."""
    assert (ask.needs_files, ask.needs_dns) == (files, dns)


def test_without_files() -> None:
    """The files can be left out; the rest stays."""
    ask = block_samples.ask()
    assert ask.without_files() == dataclasses.replace(ask, files=())


# The digest

RULE = block_samples.rule()
VALUES: dict[str, Any] = {
    "request": 42, "version": 1, "requester": "U1", "ask": block_samples.ask(), "approvals_needed": 1,
    "rule": RULE,
    "evidence": block_samples.evidence().to_json(), "plan": ({"step": "look", "call": "GET", "about": "see"},),
    "secrets": {"bundle": "aa"},
}  # fmt: skip


def changed_ask(**changes: Any) -> Callable[[], dict[str, Any]]:
    return lambda: {"ask": dataclasses.replace(block_samples.ask(), **changes)}


def changed_evidence(key: str, value: Any) -> Callable[[], dict[str, Any]]:
    return lambda: {"evidence": {**VALUES["evidence"], key: value}}


OTHER_FILE = ReceivedFile("F2", "corp-root.crt", 1620)


@pytest.mark.parametrize(
    "change",
    [
        lambda: {"request": 43},
        lambda: {"version": 2},
        lambda: {"requester": "U2"},
        lambda: {"approvals_needed": 2},
        lambda: {"rule": None},
        lambda: {"rule": dataclasses.replace(RULE, all=(Seats(("U0ANA",), 2),))},
        lambda: {"rule": dataclasses.replace(RULE, comment=True)},
        changed_ask(start="2026-03-02T00:00:00+00:00"),
        changed_ask(emergency=True),
        lambda: {"plan": ()},
        lambda: {"plan": (VALUES["plan"][0] | {"about": "see more"},)},
        lambda: {"plan": VALUES["plan"] * 2},
        lambda: {"secrets": {}},
        lambda: {"secrets": {"bundle": "ab"}},
        lambda: {"secrets": {"dns": "aa"}},
        changed_ask(pbx="branch"),
        changed_ask(kind=Kind.IMPORT),
        changed_ask(reason="another"),
        changed_ask(reason="New corporate root "),
        changed_ask(domain="x.example.com"),
        changed_ask(auto_renewal=True),
        changed_ask(dns="corp"),
        changed_ask(provider="alidns"),
        changed_ask(params=("AccessKeyId",)),
        changed_ask(files=(OTHER_FILE,)),
        changed_ask(files=()),
        *(changed_evidence(key, "changed") for key in VALUES["evidence"]),
    ],
)
def test_digest_covers(change: Callable[[], dict[str, Any]]) -> None:
    """Whatever an approver is shown, and the secrets they are not, cannot change without the digest."""
    assert digest(**{**VALUES, **change()}) != digest(**VALUES)


def test_digest_covers_all_of_an_ask() -> None:
    """Every field that an Ask has is in what is hashed, also one that is added later."""
    fields = {field.name for field in dataclasses.fields(Ask)}
    assert fields == set(VALUES["ask"].to_json())


def test_digest_is_the_same() -> None:
    """Equal things have equal digests, in whatever order their parts come; it is a SHA-256 in hex."""
    turned = {**VALUES, "evidence": dict(reversed(VALUES["evidence"].items()))}
    assert digest(**turned) == digest(**VALUES) == digest(**dict(reversed(VALUES.items())))
    assert len(bytes.fromhex(digest(**VALUES))) == 32


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=4)
                    | st.dictionaries(st.text(), inner, max_size=4), max_leaves=15))  # fmt: skip
def test_canonical(data: Any) -> None:
    """Canonical JSON reads back as it was, has one spelling, and no blank that was not in it."""
    text = canonical(data)
    assert json.loads(text) == data
    assert canonical(json.loads(text)) == text
    assert canonical({"b": 1, "a": [1, "é "]}) == '{"a":[1,"é "],"b":1}'


# What a button says


@given(st.builds(Shown, st.integers(1, 2**31 - 1), st.integers(1, 2**31 - 1), st.text(max_size=64)))
def test_shown_round_trip(shown: Shown) -> None:
    """A button's value comes back as it was."""
    assert Shown.load(shown.dump()) == shown


def test_shown_is_short() -> None:
    """The value fits into a button (docs.slack.dev/reference/block-kit/block-elements/button-element: 2,000)."""
    assert len(Shown(2**31, 2**31, "f" * 64).dump()) < 150


@pytest.mark.parametrize(
    "text",
    ["", "7", "null", "[]", "{}", '"r"', "approve", '{"r":1,"v":1}', '{"r":"x","v":1,"d":""}', '{"r":null,"v":1,"d":""}',
     '{"r":[1],"v":1,"d":""}', '{"r":1e999,"v":1,"d":""}', '{"r":NaN,"v":1,"d":""}', '{"r":-1,"v":1,"d":""}',
     '{"r":0,"v":1,"d":""}', '{"r":99999999999999999999,"v":1,"d":""}', '{"r":1,"v":2147483648,"d":""}',
     '{"r":1,"v":1,"d":null}', '{"r":true,"v":1,"d":""}', '{"r":1.5,"v":1,"d":""}', "[" * 100_000],
)  # fmt: skip
def test_shown_garbage(text: str) -> None:
    """Anything else is refused with a ValueError, whatever it is."""
    with pytest.raises(ValueError):  # noqa: PT011 - JSON's own is one, too
        Shown.load(text)


@given(st.text())
def test_shown_any_text(text: str) -> None:
    """No text at all breaks the reading in another way."""
    try:
        Shown.load(text)
    except ValueError:
        return
    assert json.loads(text)


# Its end


def test_has_ended() -> None:
    """A request has ended when nothing more will happen by itself."""
    ended: Mapping[tuple[Decision, Execution | None], bool] = {
        (Decision.DRAFT, None): False, (Decision.PENDING, None): False, (Decision.REJECTED, None): True,
        (Decision.WITHDRAWN, None): True, (Decision.EXPIRED, None): True, (Decision.APPROVED, Execution.QUEUED): False,
        (Decision.APPROVED, Execution.APPLYING): False, (Decision.APPROVED, Execution.WAITING): False,
        (Decision.APPROVED, Execution.DONE): True, (Decision.APPROVED, Execution.FAILED): True,
        (Decision.APPROVED, Execution.UNKNOWN): False,
    }  # fmt: skip
    found = {key: block_samples.request(decision=key[0], execution=key[1]).has_ended for key in ended}
    assert found == ended
    assert [decision for decision in Decision if block_samples.request(decision=decision).is_open] == [Decision.PENDING]


@pytest.mark.parametrize(
    "outcome", [Outcome(), Outcome(sentence="It said no."), Outcome(Installed(3, "a.crt", "trusted", "Root", "2027-01-01"))]
)
def test_outcome_round_trip(outcome: Outcome) -> None:
    """How it ended is the same after it was stored; where nothing has ended there is nothing."""
    assert Outcome.from_json(json.loads(json.dumps(outcome.to_json()))) == outcome
    assert Outcome.from_json(None) is None


def test_slots() -> None:
    """A PBX holds as many certificates as the vendor's page says, and each kind takes a slot of its type."""
    assert requests.SLOTS == {"server": 3, "trusted": 20}
    assert {kind.value: kind.slot_type for kind in Kind} == {"trusted": "trusted", "import": "server", "apply": "server"}
