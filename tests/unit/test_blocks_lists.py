"""Lists of requests as the command answers them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.blocks.lists import HISTORY, LONGEST, MINE, PENDING, SIZE, Line, ListPlace, page
from bot.domain.requests import Decision, Execution, Kind
from tests.unit import block_samples
from tests.unit.block_samples import request, vote
from tests.unit.blockkit_rules import accept_message, buttons

LINK = "https://x.slack.com/archives/C02HQ/p1700000000000100"
PLACES = st.builds(ListPlace, st.sampled_from((PENDING, MINE, HISTORY)), st.text(max_size=LONGEST), st.integers(0, 2**31 - 1))
LINES = st.builds(Line, block_samples.requests(), st.sampled_from(("", LINK)), st.sampled_from((True, False, None)))


@given(st.lists(LINES, max_size=SIZE), PLACES, st.none() | PLACES, st.booleans())
def test_slack_takes_any_page(lines: list[Line], place: ListPlace, goes_on: ListPlace | None, unsure: bool) -> None:
    """Whatever was asked for, the page passes two validators."""
    accept_message(*page("Open requests", lines, place, goes_on, unsure=unsure))


def text(*lines: Line, place: ListPlace = ListPlace(HISTORY)) -> str:  # noqa: B008 - frozen
    blocks, _ = page("All", lines, place, None)
    return "\n".join(block["text"]["text"] for block in blocks if block["type"] == "section")


def test_a_line_says_what_became_of_it() -> None:
    """Kind, PBX, domain, state, who asked and who decided; a mark where it waits for the reader."""
    done = request(Kind.APPLY, decision=Decision.APPROVED, execution=Execution.DONE, votes=(vote("U0LEAD"),))
    told = text(Line(done, LINK))
    assert f"✅ *<{LINK}|#42>* Server certificate (apply) for `hq`, `pbx.example.com`: *approved, done*" in told
    assert "<@U0ANNA>" in told
    assert "approved by <@U0LEAD>" in told
    rejected = text(Line(request(decision=Decision.REJECTED, votes=(vote("U0LEAD", "reject", "No"),))))
    assert "rejected by <@U0LEAD>" in rejected
    assert "open until" in text(Line(request()))
    assert "waits for you" in text(Line(request(), waits=True))
    assert "waits for you" not in text(Line(request(), waits=None))


def test_an_empty_page() -> None:
    """Nothing at all and nothing more are two different things."""
    assert "There is none." in text()
    assert "Nothing more." in text(place=ListPlace(HISTORY, "", 7))


def test_buttons_to_turn_the_page() -> None:
    """Older stands where there is more, Back where there was something before."""
    first, later = ListPlace(MINE), ListPlace(MINE, "", 40)
    assert buttons(page("All", [], first, None)[0]) == []
    assert buttons(page("All", [], first, later)[0]) == ["list_older"]
    assert buttons(page("All", [], later, ListPlace(MINE, "", 30))[0]) == ["list_older", "list_newest"]
    blocks, _ = page("All", [], ListPlace(HISTORY, "hq", 40), None)
    assert ListPlace.load(blocks[-1]["elements"][0]["value"]) == ListPlace(HISTORY, "hq")


@given(PLACES)
def test_places_come_back_as_they_went(place: ListPlace) -> None:
    """A place is the same after its way through Slack."""
    assert ListPlace.load(place.dump()) == place


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "[]",
        "{}",
        json.dumps({"l": "all", "q": "", "a": 0}),
        json.dumps({"l": "mine", "q": 7, "a": 0}),
        json.dumps({"l": "mine", "q": "x" * (LONGEST + 1), "a": 0}),
        json.dumps({"l": "mine", "q": "", "a": -1}),
        json.dumps({"l": "mine", "q": "", "a": True}),
        json.dumps({"l": "mine", "q": "", "a": 2**31}),
        json.dumps({"l": ["mine"], "q": "", "a": 0}),
    ],
)
def test_what_is_no_place_is_refused(wrong: str) -> None:
    """A value that is none of our buttons' leads nowhere."""
    with pytest.raises(ValueError, match=r".+"):
        ListPlace.load(wrong)
