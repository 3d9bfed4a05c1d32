"""Requests to render: one ordinary of each kind, and, for Hypothesis, any that could be."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from bot.domain.certificates import CertificateFacts
from bot.domain.plan import Evidence, Neighbour, plan
from bot.domain.requests import (
    TYPED,
    Ask,
    Decision,
    Execution,
    Installed,
    Kind,
    Outcome,
    ReceivedFile,
    Request,
    Vote,
)
from bot.domain.risk import Risk
from bot.domain.rules import Emergency, Rule, Seats

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def facts(**changes: Any) -> CertificateFacts:
    values: dict[str, Any] = {
        "subject": "CN=pbx.example.com", "sans": ("pbx.example.com",), "issuer": "CN=Example Issuing CA",
        "not_before": NOW - timedelta(days=30), "not_after": NOW + timedelta(days=60, hours=1), "sha256": "AB:CD:EF",
        "key": "EC P-256", "is_ca": False, "serial": "01F4", "self_signed": False,
    }  # fmt: skip
    return CertificateFacts(**{**values, **changes})


def ask(kind: Kind = Kind.TRUSTED, **changes: Any) -> Ask:
    values: dict[str, Any] = {"pbx": "hq", "kind": kind, "reason": "New corporate root"}
    if kind is Kind.APPLY:
        values |= {"domain": "pbx.example.com", "dns": "corp", "provider": "alidns", "params": ("AccessKeyId",)}
    else:
        values |= {"files": (ReceivedFile("F1", "corp-root.crt", 1620, "https://x.slack.com/files/U1/F1/corp-root.crt"),)}
    return Ask(**{**values, **changes})


def evidence(kind: Kind = Kind.TRUSTED, **changes: Any) -> Evidence:
    values: dict[str, Any] = {"name": "corp-root-r42.crt", "slots_used": 1, "slots": 20 if kind is Kind.TRUSTED else 3}
    if kind is not Kind.APPLY:
        values |= {"certificate": facts()}
    return Evidence(**{**values, **changes})


def request(kind: Kind = Kind.TRUSTED, *, of: Ask | None = None, known: Evidence | None = None, **changes: Any) -> Request:
    asked = of or ask(kind)
    shown = known or evidence(asked.kind)
    values: dict[str, Any] = {
        "id": 42, "version": 3, "decision": Decision.PENDING, "execution": None, "requester": "U0ANNA", "ask": asked,
        "approvals_needed": 1, "created_at": NOW, "evidence": shown.to_json(), "plan": plan(asked, shown.name),
        "digest": "d" * 64, "channel": "C02HQ", "expires_at": NOW + timedelta(hours=8),
    }  # fmt: skip
    return Request(**{**values, **changes})


def vote(user: str = "U0LEAD", verdict: str = "approve", reason: str = "") -> Vote:
    return Vote(user, verdict, reason, NOW, frozenset({0}))


def rule(*subjects: str, needed: int = 1, **changes: Any) -> Rule:
    return Rule("hq", "pbx[0]", all=(Seats(subjects or ("U0LEAD", "S0LEADS"), needed),), **changes)


#: Text as hostile as people and certificates can make it.
_ANY_TEXT = st.text(st.sampled_from("&<>`*_~|!@#\n\r\u2028\u202e\u200b\x00\x1b ab.é漢😀"), max_size=500) | st.text(max_size=80)
_NAME = st.text("abc-_.", min_size=1, max_size=75)
_HUGE = _ANY_TEXT | st.integers(0, 4000).map(lambda count: "<&" * count)
_USERS = st.builds("{}0{:08d}".format, st.sampled_from("UW"), st.integers(0, 10**8 - 1))
_GROUPS = st.builds("S0{:08d}".format, st.integers(0, 10**8 - 1))
TIMES = st.datetimes(datetime(1970, 1, 2), datetime(9990, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001

_FILES = st.builds(
    ReceivedFile, st.just("F0123456789"), _ANY_TEXT, st.integers(0, 10**7), _ANY_TEXT, st.booleans()
)  # fmt: skip
ASKS = st.builds(
    Ask,
    pbx=_NAME,
    kind=st.sampled_from(Kind),
    reason=_ANY_TEXT,
    domain=st.text(max_size=300),
    auto_renewal=st.booleans(),
    dns=_NAME | st.just(TYPED),
    provider=_NAME,
    params=st.lists(_NAME, max_size=19).map(tuple),
    files=st.lists(_FILES, max_size=3).map(tuple),
    start=st.just("") | TIMES.map(datetime.isoformat),
    emergency=st.booleans(),
)
_FACTS = st.builds(
    CertificateFacts,
    subject=_HUGE,
    sans=st.lists(_ANY_TEXT, max_size=5).map(tuple) | _ANY_TEXT.map(lambda text: (text,) * 100),
    issuer=_HUGE,
    not_before=TIMES,
    not_after=TIMES,
    sha256=st.just("AB:" * 31 + "CD"),
    key=_ANY_TEXT,
    is_ca=st.booleans(),
    serial=_ANY_TEXT,
    self_signed=st.booleans(),
)
_TEXTS = st.lists(_ANY_TEXT, max_size=30).map(tuple)
EVIDENCE = st.builds(
    Evidence,
    name=_ANY_TEXT,
    slots_used=st.none() | st.integers(0, 20),
    slots=st.sampled_from((3, 20)),
    pbx_note=_ANY_TEXT,
    certificate=st.none() | _FACTS,
    chain=st.lists(_FACTS, max_size=4).map(tuple),
    warnings=_TEXTS,
    neighbours=st.lists(st.builds(Neighbour, st.integers(), _HUGE, _ANY_TEXT, _ANY_TEXT, _ANY_TEXT), max_size=23).map(tuple),
    asked_already=st.lists(st.integers(1, 10**9), max_size=50).map(tuple),
    key_files=_TEXTS,
    params=_TEXTS,
    windows=_ANY_TEXT,
    risks=st.lists(st.sampled_from([risk.value for risk in Risk]), unique=True).map(tuple),
    public_pem=_ANY_TEXT | st.integers(0, 300).map(lambda count: ("A" * 64 + "\n") * count),
)
_VOTES = st.lists(
    st.builds(
        Vote,
        _USERS,
        st.sampled_from(("approve", "reject", "confirm", "object")),
        _ANY_TEXT,
        TIMES,
        st.frozensets(st.integers(0, 5), max_size=3),
    ),
    max_size=40,
)
_OUTCOMES = st.builds(Outcome, st.none() | st.builds(Installed, st.integers(), _HUGE, _ANY_TEXT, _HUGE, _HUGE), _HUGE)
APPROVERS = st.lists(_USERS | _GROUPS, max_size=200).map(tuple)
_SEATS = st.lists(st.builds(Seats, APPROVERS, st.integers(1, 5)), max_size=12).map(tuple)
RULES = st.builds(
    Rule, pbx=_NAME, line=_ANY_TEXT, all=_SEATS, any=_SEATS, silent=APPROVERS, comment=st.booleans(), escalate_to=APPROVERS,
    emergency=st.none() | st.builds(Emergency, APPROVERS, st.just(timedelta(hours=24))),
)  # fmt: skip


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """Any request that the ledger could hold, and many that it could not."""
    asked, known = draw(ASKS), draw(EVIDENCE)
    return request(
        of=asked,
        known=known,
        plan=plan(asked, known.name),
        decision=draw(st.sampled_from(Decision)),
        execution=draw(st.none() | st.sampled_from(Execution)),
        votes=tuple(draw(_VOTES)),
        outcome=draw(st.none() | _OUTCOMES),
        approvals_needed=draw(st.integers(1, 20)),
        starts_at=draw(st.none() | TIMES),
        decided_at=draw(st.none() | TIMES),
        ended_at=draw(st.none() | TIMES),
        rule=draw(st.none() | RULES),
        rule_now=draw(st.none() | RULES),
    )
