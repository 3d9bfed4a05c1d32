"""Repainting a modal while its person goes on acting."""

from collections.abc import Mapping
from typing import Any

import pytest

from bot.exceptions import SlackRefused
from bot.listeners.painting import Painter


class View:
    """A view in Slack: takes an update with its current hash, and changes the hash then."""

    def __init__(self) -> None:
        self.hash = "h0"
        self.shows = "form"

    def update_view(self, view_id: str, view: Mapping[str, Any], hash: str | None = None) -> str:  # noqa: A002
        if hash not in (None, self.hash):
            raise SlackRefused("hash_conflict")
        return self.change(str(view["shows"]))

    def change(self, shows: str) -> str:
        self.hash, self.shows = f"h{int(self.hash[1:]) + 1}", shows
        return self.hash


@pytest.fixture
def view() -> View:
    return View()


@pytest.fixture
def painter(view: View) -> Painter:
    return Painter(view)  # type: ignore[arg-type]


def act(painter: Painter, at: float, shows: str) -> None:
    """The person acts at that time, on the view as it was first."""
    painter.acted("V1", at)
    painter.paint("V1", at, {"shows": shows}, "h0")


def test_two_quick_changes_are_both_painted(view: View, painter: Painter) -> None:
    """The second change was made on the first one's old view, and is painted all the same."""
    act(painter, 1.0, "apply")
    act(painter, 2.0, "import")
    assert view.shows == "import"


def test_a_paint_that_a_later_one_follows_is_left_out(view: View, painter: Painter) -> None:
    """Only the latest is painted, in whatever order the deliveries are worked on."""
    act(painter, 2.0, "import")
    act(painter, 1.0, "apply")
    assert (view.shows, view.hash) == ("import", "h1")


def test_a_view_that_went_on_by_itself_is_not_painted_over(view: View, painter: Painter) -> None:
    """After a submission the form's paint comes too late, and Slack's refusal is no error."""
    view.change("checking")
    act(painter, 1.0, "apply")
    assert view.shows == "checking"


def test_a_paint_after_three_changes_knows_every_old_hash(view: View, painter: Painter) -> None:
    """However many of our paints lie between what the person saw and now, the last choice is shown."""
    for at, kind in enumerate(("apply", "import", "trusted", "apply"), start=1):
        act(painter, float(at), kind)
    assert (view.shows, view.hash) == ("apply", "h4")
