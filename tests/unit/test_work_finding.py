"""Which of the certificates that a PBX lists is ours."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.requests import Kind
from bot.pbx.models import ListedCertificate
from bot.work.finding import Wanted, ours
from tests.unit import block_samples


def listed(number: int, name: str, **changes: Any) -> ListedCertificate:
    return ListedCertificate.model_validate({"id": number, "name": name, "type": "server", **changes})


def applied(number: int, name: str = "pbx.example.com.pem", **changes: Any) -> ListedCertificate:
    return listed(number, name, **{"ca_type": "apply", "issue_to": "pbx.example.com", **changes})


APPLY = Wanted(Kind.APPLY, "pbx.example.com")
IMPORT = Wanted(Kind.IMPORT, "pbx-r7.pem")
TRUSTED = Wanted(Kind.TRUSTED, "root-r7.crt")


@pytest.mark.parametrize(
    ("wanted", "one", "is_ours"),
    [
        (TRUSTED, listed(9, "root-r7.crt", type="trusted"), True),
        (TRUSTED, listed(9, "root-r7.crt"), False),
        (TRUSTED, listed(9, "root-r8.crt", type="trusted"), False),
        (TRUSTED, listed(9, "ROOT-r7.crt", type="trusted"), False),
        (TRUSTED, listed(9, "root-r7.crt", type=""), False),
        (IMPORT, listed(9, "pbx-r7.pem", ca_type="upload"), True),
        (IMPORT, listed(9, "pbx-r7.pem"), True),
        (IMPORT, listed(9, "pbx-r7.pem", type="trusted"), False),
        (APPLY, applied(9), True),
        (APPLY, applied(9, issue_to=""), True),
        (APPLY, applied(9, name="certificate-4"), True),
        (APPLY, applied(9, name="PBX.example.com.pem", issue_to="PBX.EXAMPLE.COM"), True),
        (APPLY, applied(9, ca_type="upload"), False),
        (APPLY, applied(9, name="other.example.com.pem", issue_to="other.example.com"), False),
        (APPLY, applied(9, type="trusted"), False),
        (Wanted(Kind.APPLY, "*.example.com"), applied(9, name="x", issue_to="*.example.com"), True),
    ],
)
def test_looks_like_ours(wanted: Wanted, one: ListedCertificate, is_ours: bool) -> None:
    """A file is ours by type and name, an application by type, origin and domain."""
    assert ours([one], wanted, ()) == ([one] if is_ours else [])


def test_new_ones_only() -> None:
    """What the PBX listed already when the call was intended is not ours, however it looks."""
    old, new, newer = applied(3), applied(4), applied(5)
    assert ours([old], APPLY, (3,)) == []
    assert ours([old, new], APPLY, (3,)) == [new]
    assert ours([old, new, newer], APPLY, (3,)) == [new, newer]
    assert ours([], APPLY, ()) == []


def test_wanted_by() -> None:
    """A file is looked for under the name that the PBX gave it at the upload, an application under its domain."""
    assert Wanted.by(block_samples.request(Kind.IMPORT), "stored.pem") == Wanted(Kind.IMPORT, "stored.pem")
    assert Wanted.by(block_samples.request(Kind.APPLY), "") == APPLY


@given(st.lists(st.builds(applied, st.integers(1, 6)), max_size=6), st.sets(st.integers(1, 6)))
def test_never_a_known_one(certificates: list[ListedCertificate], known: set[int]) -> None:
    """Whatever is listed: what is found is new, and everything new that matches is found."""
    found = ours(certificates, APPLY, tuple(known))
    assert {one.id for one in found}.isdisjoint(known)
    assert len(found) == sum(one.id not in known for one in certificates)
