"""Crash points: free where nobody listens, and always in pairs where somebody does."""

from collections.abc import Iterator

import pytest

from bot import crashpoints


@pytest.fixture
def heard() -> Iterator[list[str]]:
    """What a hook hears, for one test."""
    points: list[str] = []
    crashpoints.hook = points.append
    yield points
    crashpoints.hook = None


def test_a_deed_is_told_before_and_after(heard: list[str]) -> None:
    """The hook hears of a deed before it begins and after it is over."""
    with crashpoints.around("deed"):
        assert heard == ["deed before"]
    assert heard == ["deed before", "deed after"]


def test_a_deed_that_fails_is_over_too(heard: list[str]) -> None:
    """An error does not leave a deed open, and passes on."""
    with pytest.raises(OSError, match="broken"), crashpoints.around("deed"):
        raise OSError("broken")
    assert heard == ["deed before", "deed after"]


def test_without_a_hook_there_is_nothing_to_do() -> None:
    """Where nobody listens, every deed gets the same empty context, and a point does nothing."""
    assert crashpoints.hook is None
    assert crashpoints.around("one") is crashpoints.around("another")
    crashpoints.reached("point")
