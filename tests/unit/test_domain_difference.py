"""What is different between two versions of a request: nothing unsaid, and nothing said where nothing is."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.difference import Content, difference
from bot.domain.plan import Neighbour, plan
from bot.domain.requests import TYPED, Ask, Kind, ReceivedFile
from bot.domain.rules import Rule, Seats
from tests.unit import block_samples as samples

CONTENTS = st.builds(
    lambda ask, evidence, rule: Content(ask, evidence.to_json(), plan(ask, evidence.name), rule),
    samples.ASKS,
    samples.EVIDENCE,
    st.none() | samples.RULES,
)


def content(kind: Kind = Kind.IMPORT, rule: Rule | None = None, **known: Any) -> Content:
    ask, evidence = samples.ask(kind), samples.evidence(kind, **known)
    return Content(ask, evidence.to_json(), plan(ask, evidence.name), rule)


def asked(old: Content, **changes: Any) -> Content:
    ask = replace(old.ask, **changes)
    return replace(old, ask=ask, plan=plan(ask, old.known.name if old.known else ""))


@settings(max_examples=100, deadline=None)
@given(CONTENTS)
def test_the_same_has_no_difference(one: Content) -> None:
    """Whatever it is, nothing is said of what is equal."""
    again = Content(Ask.from_json(one.ask.to_json()), dict(one.evidence), one.plan, one.rule)
    assert difference(one, again) == ()


@settings(max_examples=150, deadline=None)
@given(CONTENTS, CONTENTS, st.frozensets(st.sampled_from(("bundle", "dns"))))
def test_another_has_a_difference(one: Content, other: Content, secrets: frozenset[str]) -> None:
    """Whatever differs, if only a secret, at least one sentence says so, each on one line and none endless."""
    told = difference(one, other, secrets)
    assert bool(told) == (one.canonical() != other.canonical() or bool(secrets))
    assert all("\n" not in sentence and len(sentence) < 1200 for sentence in told)


FIELDS: dict[str, Any] = {
    "pbx": "branch", "kind": Kind.TRUSTED, "reason": "Another", "domain": "x.example.com", "auto_renewal": True, "dns": "other",
    "provider": "other", "params": ("Other",), "files": (ReceivedFile("F2", "other.pem"),),
    "start": "2026-03-02T00:00:00+00:00", "emergency": True, "after": 41,
}  # fmt: skip


@pytest.mark.parametrize("name", FIELDS)
def test_no_field_changes_unsaid(name: str) -> None:
    """Each single field of what was asked for makes a difference, although a kind may have no use for it."""
    for kind in Kind:
        old = Content(samples.ask(kind), {})
        new = replace(old, ask=replace(old.ask, **{name: FIELDS[name]}))
        assert bool(difference(old, new)) == (old != new)


def test_every_field_is_tried() -> None:
    """A new field of the form has to be told of, too."""
    assert set(FIELDS) == set(Ask().to_json())


RULE = samples.rule("U0LEAD")
SENTENCES: list[tuple[Callable[[], tuple[Content, Content]], str]] = [
    (lambda: (content(), asked(content(), reason="By  Friday")), "The reason is “By Friday” now; it was “New corporate root”."),
    (lambda: (content(), asked(content(), auto_renewal=True)), "Automatic renewal is “on” now; it was “off”."),
    (
        lambda: (content(Kind.APPLY), asked(content(Kind.APPLY), domain="new.example.com")),
        "The domain is “new.example.com” now; it was “pbx.example.com”.",
    ),
    (
        lambda: (content(Kind.APPLY), asked(content(Kind.APPLY), dns=TYPED)),
        "The DNS credentials are “typed by the requester” now; they were “corp”.",
    ),
    (
        lambda: (content(), content(certificate=samples.facts(sha256="EF:01"))),
        "The certificate's SHA-256 is “EF:01” now; it was “AB:CD:EF”.",
    ),
    (
        lambda: (content(), content(certificate=samples.facts(sans=("a.example.com", "pbx.example.com")))),
        "The names (SAN): “a.example.com” is new.",
    ),
    (
        lambda: (content(), content(certificate=samples.facts(sans=("a.example.com", "b.example.com")))),
        "The names (SAN): “a.example.com”, “b.example.com” are new; “pbx.example.com” is gone.",
    ),
    (
        lambda: (content(), asked(content(), files=(ReceivedFile("F2", "new.pem"),))),
        "The files: “new.pem” is new; “corp-root.crt” is gone.",
    ),
    (lambda: (content(), content(risks=("wildcard",))), "The risks: “wildcard” is new."),
    (lambda: (content(), content(slots_used=2)), "The room on the PBX is “2 of 3 slots used” now; it was “1 of 3 slots used”."),
    (
        lambda: (content(), content(neighbours=(Neighbour(4, "old.pem", "server", "pbx.example.com", ""),))),
        "What is on the PBX already: “old.pem (id 4)” is new.",
    ),
    (
        lambda: (content(rule=RULE), content(rule=replace(RULE, line="policy[1]", all=(Seats(("U0LEAD",), 2),)))),
        "It is decided by the rule “policy[1]” now, which takes 2 approvals or more; it was “pbx[0]” with 1.",
    ),
    (
        lambda: (content(rule=RULE), content(rule=replace(RULE, line="policy[1]"))),
        "The rule that decides it stands at “policy[1]” now, or others may read it.",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("pair", "sentence"), SENTENCES, ids=[sentence[:40] for _, sentence in SENTENCES])
def test_sentences(pair: Callable[[], tuple[Content, Content]], sentence: str) -> None:
    """What an approver has to look at again is said with both values."""
    old, new = pair()
    assert sentence in difference(old, new)


def test_secrets_are_told_without_their_content() -> None:
    """Other credentials under the same names, and another key for the same certificate, are said to be others."""
    one = content(Kind.APPLY)
    assert difference(one, one, {"dns"}) == ("The DNS credentials have other values.",)
    (told,) = difference(content(), content(), {"bundle"})
    assert told == "The files hold something else, although the certificate is the same."


def test_a_new_certificate_says_it_for_its_file() -> None:
    """Where the fingerprint tells it, the file's other content is no news."""
    other = content(certificate=samples.facts(sha256="EF:01"))
    assert difference(content(), other, {"bundle"}) == ("The certificate's SHA-256 is “EF:01” now; it was “AB:CD:EF”.",)


def test_a_difference_behind_the_cut() -> None:
    """Two long texts that begin alike are not shown twice."""
    old, new = asked(content(), reason="r" * 200 + "a"), asked(content(), reason="r" * 200 + "b")
    assert difference(old, new) == ("The reason is not quite the same any more.",)
