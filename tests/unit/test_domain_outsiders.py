"""Who may take part at all."""

import pytest

from bot.domain.policy import may_take_part
from bot.domain.profile import Profile

MEMBER = Profile("U1", "T1")
GUEST = Profile("U2", "T1", is_guest=True)
STRANGER = Profile("U3", "T2", is_ours=False)
ROBOT = Profile("U4", "T1", is_bot=True)
GONE = Profile("U5", "T1", is_deactivated=True)


@pytest.mark.parametrize(
    ("profile", "outsiders", "permitted", "code"),
    [
        (MEMBER, (), True, "member"),
        (GUEST, (), False, "guest"),
        (STRANGER, (), False, "other_workspace"),
        (ROBOT, (), False, "bot"),
        (GONE, (), False, "deactivated"),
        (None, (), False, "profile_unknown"),
        (GUEST, ("U2",), True, "named"),
        (STRANGER, ("U3",), True, "named"),
        (STRANGER, ("T2",), True, "named"),
        (ROBOT, ("U4",), True, "named"),
        (STRANGER, ("U2", "T1"), False, "other_workspace"),
        (GUEST, ("T2",), False, "guest"),
        (GONE, ("U5", "T1"), False, "deactivated"),
        (None, ("U1",), False, "profile_unknown"),
    ],
)
def test_who_may_take_part(profile: Profile | None, outsiders: tuple[str, ...], permitted: bool, code: str) -> None:
    """Members may; from outside only who is named, by id or by workspace; deactivated people never, unknown ones not now."""
    verdict = may_take_part(profile, outsiders)
    assert (verdict.permitted, verdict.code) == (permitted, code)
    assert verdict.rule == "slack.outsiders"


def test_a_refusal_names_the_id_that_an_operator_needs() -> None:
    """Who is refused can tell an operator what to write."""
    assert "U2" in may_take_part(GUEST, ()).reason
