"""The home tab: within Slack's limits whatever there is to show, and with a button for each next act."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.blocks import home as blocks
from bot.blocks.home import ACTS, CERTIFICATES, EMERGENCIES, SIZE, Entry, Home, Part, Places, unavailable
from bot.domain.requests import Decision, Execution
from tests.unit import block_samples
from tests.unit.block_samples import NOW, request
from tests.unit.blockkit_rules import accept_view, buttons, texts

ANNA, LEAD = "U0ANNA", "U0LEAD"
LINK = "https://x.slack.com/archives/C02HQ/p1700000000000100"


@dataclass(frozen=True)
class Certificate:
    id: int
    name: str
    type: str = "trusted"
    issue_to: str = ""
    expires: datetime | None = None
    expiration_text: str = ""
    apply_status: str | None = None


@dataclass(frozen=True)
class Pbx:
    pbx: str
    certificates: tuple[Certificate, ...] | None = ()
    at: datetime | None = NOW
    trouble: str = ""


def shown(user: str = ANNA, **changes: Any) -> dict[str, Any]:
    view = blocks.home(Home(user, NOW, **changes))
    accept_view(view)
    return view


def told(view: dict[str, Any]) -> str:
    return "\n".join(texts(view))


def expiring(*days: int) -> tuple[Certificate, ...]:
    return tuple(Certificate(n, f"c{day}", expires=NOW + timedelta(days=day, hours=1)) for n, day in enumerate(days))


PLACES = st.builds(Places, *(st.integers(0, 2**31 - 1),) * 2, st.booleans(), *(st.integers(0, 2**31 - 1),) * 2)
ENTRIES = st.builds(Entry, block_samples.requests(), st.sampled_from(("", LINK)), st.booleans())
CERTIFICATE = st.builds(
    Certificate, st.integers(1, 30), st.text(max_size=300), st.text(max_size=50), st.text(max_size=300),
    st.none() | st.integers(-9, 900).map(lambda days: NOW + timedelta(days=days)), st.text(max_size=80),
)  # fmt: skip
LISTING = st.builds(
    Pbx, st.text("abc-", min_size=1, max_size=75), st.none() | CERTIFICATE.map(lambda one: (one,)), st.just(NOW),
    st.text(max_size=900),
)  # fmt: skip


@given(ENTRIES, LISTING, PLACES, st.booleans())
def test_slack_takes_any_tab(entry: Entry, listing: Pbx, places: Places, unsure: bool) -> None:
    """Whatever people asked for and a PBX lists, the view passes two validators, and 24 such requests the 250 kB of a view."""
    part = Part((entry,), places, places)
    view = shown(waiting=part, mine=part, running=part, listings=[listing], places=places, unsure=unsure)
    assert len(json.dumps(view, ensure_ascii=False).encode()) <= 250_000 / SIZE


def test_there_is_room_for_full_pages() -> None:
    """Full pages of every section, with all buttons and every PBX in trouble, have fewer than 100 blocks."""
    entries = tuple(Entry(request(id=number), LINK, True) for number in range(1, SIZE + 1))
    part = Part(entries, Places(), Places(waiting=1))
    listings = [Pbx("hq", expiring(*range(40))), *(Pbx(f"p{n}", None, None, "Away. " * 80) for n in range(30))]
    urgent = Part(entries[:EMERGENCIES])
    view = shown(emergencies=urgent, waiting=part, mine=part, running=part, listings=listings, places=Places(certificates=5),
                 unsure=True)  # fmt: skip
    assert len(view["blocks"]) <= 90


@pytest.mark.parametrize(
    ("entry", "user", "expected"),
    [
        (Entry(request(), LINK, True), LEAD, ["Decide on its card"]),
        (Entry(request(), LINK), LEAD, ["Open its card"]),
        (Entry(request(), LINK), ANNA, ["Open its card", "Edit", "Withdraw"]),
        (Entry(request(), ""), ANNA, ["Edit", "Withdraw"]),
        (Entry(request(), "", True), LEAD, []),
        (Entry(request(decision=Decision.EXPIRED), LINK), ANNA, ["Open its card", "Ask anew"]),
        (Entry(request(decision=Decision.APPROVED, execution=Execution.DONE), LINK), ANNA, ["Open its card"]),
    ],
)
def test_a_button_for_each_next_act(entry: Entry, user: str, expected: list[str]) -> None:
    """What waits leads to its card, where it is decided; one's own is changed, withdrawn or asked anew while it can be."""
    assert [act.render(entry)["text"]["text"] for act in ACTS if act.applies(entry, user)] == expected


def test_the_tab_approves_nothing() -> None:
    """No button of the tab is one of those that decide."""
    entry = Entry(request(), LINK, True)
    view = shown(LEAD, waiting=Part((entry,)), running=Part((Entry(request(id=7)),)))
    assert not {"approve", "reject"} & set(buttons(view["blocks"]))


def test_a_request_says_what_it_is_about() -> None:
    """Its name, its state and, to others, who asks; why only while it is open; when it begins if that is later."""
    mine = told(shown(mine=Part((Entry(request()),))))
    assert "#42 Trusted CA certificate for hq" in mine
    assert "New corporate root" in mine
    assert "Asked for by" not in mine
    others = told(shown(LEAD, waiting=Part((Entry(request(), waits=True),))))
    assert "Asked for by <@U0ANNA>" in others
    later = request(decision=Decision.APPROVED, execution=Execution.QUEUED, starts_at=NOW + timedelta(hours=3))
    assert "Begins <!date^1772377200^" in told(shown(running=Part((Entry(later),))))


def test_the_soonest_certificate_stands_first() -> None:
    """Over all PBXs, with the days left; one without a date that can be read stands last, and what expires soon can be asked
    for anew."""
    view = shown(
        listings=[Pbx("hq", (Certificate(9, "odd", expiration_text="soon"), *expiring(200, -1))), Pbx("branch", expiring(9))]
    )
    rows = [block["text"]["text"] for block in view["blocks"] if block.get("block_id", "").startswith("expiry:")]
    assert [row.split("`")[1] for row in rows] == ["c-1", "c9", "c200", "odd"]
    assert ["EXPIRED" in rows[0], "in 9 days" in rows[1], "in 200 days" in rows[2]] == [True] * 3
    renewals = [block["accessory"]["value"] for block in view["blocks"] if "accessory" in block]
    assert renewals == ["hq", "branch"]


@pytest.mark.parametrize(
    ("begin", "first", "buttons_"),
    [
        (0, "c0", ["More"]),
        (12, "c12", ["More", "Back to the first"]),
        (24, "c24", ["Back to the first"]),
        (999, "c29", ["Back to the first"]),
    ],
)
def test_pages_of_certificates(begin: int, first: str, buttons_: list[str]) -> None:
    """A page has twelve; More leads to the next, and a page that there is not any more is the last one."""
    view = shown(listings=[Pbx("hq", expiring(*range(30)))], places=Places(certificates=begin))
    rows = [block for block in view["blocks"] if block.get("block_id", "").startswith("expiry:hq")]
    assert len(rows) <= CERTIFICATES
    assert f"`{first}`" in rows[0]["text"]["text"]
    (turning,) = [block for block in view["blocks"] if block.get("block_id") == "expiry:turn"]
    assert [each["text"]["text"] for each in turning["elements"]] == buttons_


def test_a_pbx_is_listed_being_asked_or_in_trouble() -> None:
    """Each PBX is told of: when it was listed, that it is being asked, or why it is not shown."""
    text = told(shown(listings=[Pbx("hq"), Pbx("branch", None, None), Pbx("old", None, NOW, "Logins are stopped.")]))
    assert "Listed: `hq` <!date^" in text
    assert "⏳ Being asked: `branch` …" in text
    assert "🔌 `old` is not shown. Logins are stopped." in text
    assert "No PBX lists a certificate." in text
    assert "No PBX lists" not in told(shown(listings=[Pbx("branch", None, None)]))


def test_ids_stay_when_the_tab_is_painted_anew() -> None:
    """The same entry has the same block id in every paint, so that a screen reader's place is not lost."""
    ids = [[block["block_id"] for block in shown(mine=Part((Entry(request(), link),)))["blocks"] if "block_id" in block]
           for link in ("", LINK)]  # fmt: skip
    assert ids[0] == ids[1]


@given(st.text() | st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda more: st.lists(more)
                                | st.dictionaries(st.sampled_from(("waiting", "mine", "mine_ended", "running", "x")), more))
       .map(json.dumps))  # fmt: skip
def test_a_place_that_is_none_is_the_beginning(value: str) -> None:
    """Whatever a button or a view brings back, there is a page to show."""
    assert isinstance(Places.load(value), Places)


@given(PLACES)
def test_places_come_back_as_they_went(places: Places) -> None:
    """A place is the same after its way through Slack; negative ones and truth values in place of numbers are the beginning."""
    assert Places.load(places.dump()) == places
    for wrong in (-1, True, 2**31, "1"):
        assert Places.load(json.dumps(json.loads(places.dump()) | {"waiting": wrong})) == Places()


def test_a_database_that_cannot_be_read() -> None:
    """The tab then says so, and can be refreshed."""
    view = unavailable("The database is gone. [store_gone]", Places())
    accept_view(view)
    assert "[store_gone]" in told(view)
    assert buttons(view["blocks"]) == ["home_refresh"]
