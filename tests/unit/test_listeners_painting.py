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


def test_two_quick_changes_are_both_painted(view: View, painter: Painter) -> None:
    """The second change was made on the first one's old view, and is painted all the same."""
    first = painter.turn("V1")
    painter.paint("V1", first, {"shows": "apply"}, "h0")
    second = painter.turn("V1")
    painter.paint("V1", second, {"shows": "import"}, "h0")
    assert view.shows == "import"


def test_a_paint_that_a_later_one_follows_is_left_out(view: View, painter: Painter) -> None:
    """Only the latest is painted, whichever thread comes first."""
    first, second = painter.turn("V1"), painter.turn("V1")
    painter.paint("V1", second, {"shows": "import"}, "h0")
    painter.paint("V1", first, {"shows": "apply"}, "h0")
    assert (view.shows, view.hash) == ("import", "h1")


def test_a_view_that_went_on_by_itself_is_not_painted_over(view: View, painter: Painter) -> None:
    """After a submission the form's paint comes too late, and Slack's refusal is no error."""
    turn = painter.turn("V1")
    view.change("checking")
    painter.paint("V1", turn, {"shows": "apply"}, "h0")
    assert view.shows == "checking"


def test_a_paint_after_three_changes_knows_every_old_hash(view: View, painter: Painter) -> None:
    """However many of our paints lie between what the person saw and now, the last choice is shown."""
    for kind in ("apply", "import", "trusted", "apply"):
        painter.paint("V1", painter.turn("V1"), {"shows": kind}, "h0")
    assert (view.shows, view.hash) == ("apply", "h4")
