"""What makes a request risky."""

from datetime import timedelta
from typing import Any

import pytest

from bot.domain.kinds import Kind
from bot.domain.risk import Known, Risk, risks_of
from tests.unit import block_samples as samples

CA_FOR_YEARS = samples.facts(not_after=samples.NOW + timedelta(days=7300), is_ca=True, sans=())
EXACTLY = samples.facts(not_before=samples.NOW, not_after=samples.NOW + timedelta(days=398))
LONGER = samples.facts(not_before=samples.NOW, not_after=samples.NOW + timedelta(days=398, seconds=1))


def known(**changes: Any) -> Known:
    values: dict[str, Any] = {"kind": Kind.IMPORT, "names": ("pbx.example.com",), "host": "pbx.example.com"}
    return Known(**{**values, **changes})


@pytest.mark.parametrize(
    ("of", "risks"),
    [
        (known(), ""),
        (known(names=("pbx.example.com", "*.b.example.com")), "wildcard"),
        (known(names=("*.example.com",)), "wildcard"),
        (known(kind=Kind.APPLY, names=("*.example.com",)), "wildcard"),
        (known(kind=Kind.APPLY), ""),
        (known(kind=Kind.APPLY, names=("other.example.com",)), "not_covering"),
        (known(names=("*.example.net",)), "wildcard not_covering"),
        (known(names=()), "not_covering"),
        (known(names=("192.0.2.1",), host="192.0.2.1"), ""),
        (known(names=("2001:db8::1",), host="2001:db8::1"), ""),
        (known(names=("other.example.com",), host=""), ""),
        (known(kind=Kind.TRUSTED, names=()), ""),
        (known(kind=Kind.TRUSTED, names=(), certificate=CA_FOR_YEARS), ""),
        (known(certificate=EXACTLY), ""),
        (known(certificate=LONGER), "long_validity"),
        (known(certificate=EXACTLY, longest_validity=timedelta(days=90)), "long_validity"),
        (known(has_weak_key=True), "weak_key"),
        (known(has_shared_key=True), "shared_key"),
        (known(free=3), ""),
        (known(free=2), ""),
        (known(free=1), "last_slot"),
        (known(free=0), ""),
        (known(free=None), ""),
        (known(is_in_window=False), "outside_window"),
        (
            known(names=("*.example.net",), certificate=LONGER, has_weak_key=True, has_shared_key=True, free=1,
                  is_in_window=False),
            " ".join(Risk),
        ),
    ],
)  # fmt: skip
def test_risks(of: Known, risks: str) -> None:
    """Each risk is what its meaning says and nothing else, and they come in one order."""
    assert " ".join(risks_of(of)) == risks
