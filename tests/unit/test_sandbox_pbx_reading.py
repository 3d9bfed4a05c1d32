"""The simulated PBX: listing, reading and deleting certificates, and what it tells about itself."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.sandbox.pbx import PbxSimulator
from tests.unit.sandbox_pbx import Caller, Clock

NOW = datetime(2026, 1, 16, 16, 0, 49, tzinfo=UTC)


@pytest.fixture
def pbx() -> Iterator[PbxSimulator]:
    with PbxSimulator("hq", now=Clock(NOW)) as pbx:
        yield pbx


@pytest.fixture
def caller(pbx: PbxSimulator) -> Caller:
    return Caller(pbx).logged_in()


@pytest.fixture
def shelf(pbx: PbxSimulator) -> PbxSimulator:
    """Twelve trusted certificates with the ids 1 to 12, then two of the PBX's own."""
    for number in range(1, 13):
        expires = NOW + timedelta(days=400 - number)
        pbx.add_certificate("trusted", f"ca-{number:02}.crt", issue_to=f"CA {number % 3}", expires=expires)
    pbx.add_certificate("server", "web.pem", issue_to="pbx.example.com")
    pbx.add_certificate("server", "sip.pem", issue_to="sip.example.com")
    return pbx


def ids(answer: dict[str, Any]) -> list[int]:
    return [one["id"] for one in answer["certificate_list"]]


def test_list_shows_ten_a_page(caller: Caller, shelf: PbxSimulator) -> None:
    """Without parameters the first ten are listed by id, with the number of all."""
    answer = caller.get("certificate/list")
    assert (ids(answer), answer["total_number"]) == (list(range(1, 11)), 14)


def test_pages_follow_each_other(caller: Caller, shelf: PbxSimulator) -> None:
    """Pages of five hold all of them in order, and a page behind the last is empty."""
    pages = [caller.get("certificate/list", page=page, page_size=5) for page in (1, 2, 3, 4)]
    assert [ids(page) for page in pages] == [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10], [11, 12, 13, 14], []]
    assert {page["total_number"] for page in pages} == {14}


def test_page_size_has_a_cap() -> None:
    """A page is never longer than the PBX's own limit, however many are asked for."""
    with PbxSimulator("hq", most_per_page=4) as pbx:
        for number in range(6):
            pbx.add_certificate("trusted", f"ca-{number}.crt")
        answer = Caller(pbx).logged_in().get("certificate/list", page_size=100)
        assert (ids(answer), answer["total_number"]) == ([1, 2, 3, 4], 6)


def test_list_can_be_filtered(caller: Caller, shelf: PbxSimulator) -> None:
    """With a type only those are listed and counted."""
    answer = caller.get("certificate/list", type="server")
    assert (ids(answer), answer["total_number"]) == ([13, 14], 2)


@pytest.mark.parametrize(
    ("sort_by", "order_by", "first"),
    [
        ("id", "desc", [14, 13, 12]),
        ("name", "asc", [1, 2, 3]),
        ("name", "desc", [13, 14, 12]),
        ("issue_to", "asc", [3, 6, 9]),
        ("expiration", "asc", [13, 14, 12]),
        ("expiration", "desc", [1, 2, 3]),
        ("type", "asc", [13, 14, 1]),
    ],
)
def test_list_can_be_sorted(caller: Caller, shelf: PbxSimulator, sort_by: str, order_by: str, first: list[int]) -> None:
    """Each field sorts both ways."""
    assert ids(caller.get("certificate/list", sort_by=sort_by, order_by=order_by, page_size=3)) == first


def test_expiry_sorts_by_time() -> None:
    """Where the day comes first, the earlier expiry is still the earlier one."""
    with PbxSimulator("hq", system_date_format="DD/MM/YYYY") as pbx:
        pbx.add_certificate("server", "later.pem", expires=datetime(2030, 2, 1, tzinfo=UTC))
        pbx.add_certificate("server", "earlier.pem", expires=datetime(2030, 1, 15, tzinfo=UTC))
        assert ids(Caller(pbx).logged_in().get("certificate/list", sort_by="expiration")) == [2, 1]


@pytest.mark.parametrize(
    "query",
    [
        {"page": "0"},
        {"page": "-1"},
        {"page": "one"},
        {"page": "²"},
        {"page_size": "0"},
        {"sort_by": "apply_status"},
        {"order_by": "up"},
        {"type": "client"},
    ],
)
def test_list_refuses_wrong_values(caller: Caller, query: dict[str, str]) -> None:
    """A page, size, order or type that is none is 40002."""
    assert caller.get("certificate/list", **query)["errcode"] == 40002


def test_get_shows_one(caller: Caller, shelf: PbxSimulator) -> None:
    """One certificate is read by its id and is the same as in the list."""
    listed = caller.get("certificate/list", page_size=100)["certificate_list"]
    assert caller.get("certificate/get", id="4")["certificate"] == listed[3]


@pytest.mark.parametrize("path", ["certificate/get", "certificate/delete"])
def test_unknown_or_missing_id_is_refused(caller: Caller, shelf: PbxSimulator, path: str) -> None:
    """An id that is not there is 60001, and none at all or one that is no number is 40002."""
    assert caller.get(path, id="99")["errcode"] == 60001
    assert caller.get(path)["errcode"] == 40002
    assert caller.get(path, id="web.pem")["errcode"] == 40002
    assert len(shelf.certificates) == 14


def test_query_shows_several(caller: Caller, shelf: PbxSimulator) -> None:
    """Several certificates are read by ids with commas; those that are gone are left out."""
    answer = caller.get("certificate/query", ids="6,4,99")
    assert (ids(answer), answer["total_number"]) == ([4, 6], 2)


@pytest.mark.parametrize(("wanted", "errcode"), [("98,99", 60001), ("", 40002), ("4，5", 40002), ("4,,5", 40002)])
def test_query_refuses(caller: Caller, shelf: PbxSimulator, wanted: str, errcode: int) -> None:
    """Ids of which none is there are 60001; a full-width comma or an empty piece is 40002."""
    assert caller.get("certificate/query", ids=wanted)["errcode"] == errcode


def test_delete_is_a_get_and_says_what_is_needed(caller: Caller, shelf: PbxSimulator) -> None:
    """Deleting answers whether a reboot and an apply are needed, and the certificate is gone."""
    assert caller.get("certificate/delete", id="4") == {"errcode": 0, "errmsg": "SUCCESS", "reboot": 1, "apply": 1}
    assert 4 not in [one.id for one in shelf.certificates]
    assert caller.get("certificate/delete", id="4")["errcode"] == 60001


def test_ids_are_never_used_again(caller: Caller, shelf: PbxSimulator) -> None:
    """After the last certificate is deleted, the next one has a new id."""
    caller.get("certificate/delete", id="14")
    assert shelf.add_certificate("server", "again.pem") == 15


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "certificate/list"),
        ("POST", "certificate/delete"),
        ("DELETE", "certificate/delete"),
        ("GET", "certificate/create"),
        ("GET", "get_token"),
        ("GET", "webserver/get"),
        ("GET", "certificate/download"),
    ],
)
def test_unknown_route_or_wrong_method_does_not_exist(caller: Caller, shelf: PbxSimulator, method: str, path: str) -> None:
    """A route that is not there, or another method, is 10001 under status 200."""
    response = caller.send(method, path, params={"id": "4"})
    assert (response.status_code, response.json()["errcode"]) == (200, 10001)
    assert len(shelf.certificates) == 14


@pytest.mark.parametrize(("version", "errcode"), [("v2.0", 10001), ("v3.0", 10003), ("v1.1", 10003)])
def test_other_versions_do_not_serve_certificates(caller: Caller, version: str, errcode: int) -> None:
    """Version 2.0 has no certificate calls, and other versions are unsupported."""
    assert caller.send("GET", "certificate/list", version=version).json()["errcode"] == errcode


def test_what_is_not_the_api_is_a_web_page(caller: Caller, pbx: PbxSimulator) -> None:
    """Outside the API's path a client meets HTML, and nothing is recorded."""
    before = len(pbx.calls)
    response = caller.send("GET", "../../certificate/list")
    assert (response.status_code, response.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert len(pbx.calls) == before


def test_information_tells_model_and_formats(caller: Caller, pbx: PbxSimulator) -> None:
    """system/information has the model, the firmware, the serial number, the uptime and the date formats."""
    data = caller.get("system/information")["data"]
    assert (data["device_name"], data["model_name"], data["up_time"]) == ("hq", "P550", 0)
    assert (data["system_date_format"], data["system_time_format"]) == ("YYYY/MM/DD", "hh:mm:ss")
    assert (data["system_time"], data["timestamp"]) == ("2026/01/16 16:00:49", int(NOW.timestamp()))
    assert data["sn"].startswith("3631A")
    assert data["firmware_version"].startswith("37.")


@pytest.mark.parametrize(
    ("system_date_format", "expiration_format", "expected"),
    [
        ("YYYY/MM/DD", None, "2027/01/16 16:00:49"),
        ("DD/MM/YYYY", None, "16/01/2027 16:00:49"),
        ("MM-DD-YYYY", None, "01-16-2027 16:00:49"),
        ("DD/MM/YYYY", "%Y-%m-%d", "2027-01-16"),
        ("YYYY/MM/DD", "epoch", "1800115249"),
    ],
)
def test_expiration_follows_the_chosen_layout(system_date_format: str, expiration_format: str | None, expected: str) -> None:
    """Expiry is written in the system's date format unless another one is chosen."""
    with PbxSimulator("hq", now=Clock(NOW), system_date_format=system_date_format, expiration_format=expiration_format) as pbx:
        pbx.add_certificate("server", "web.pem", expires=NOW.replace(year=2027))
        caller = Caller(pbx).logged_in()
        assert caller.get("certificate/get", id=1)["certificate"]["expiration"] == expected
        assert caller.get("system/information")["data"]["system_date_format"] == system_date_format


def test_menu_options_are_what_the_web_server_can_use(caller: Caller, shelf: PbxSimulator) -> None:
    """menu=certificate names the built-in certificate and the PBX's own, but no trusted ones and none being issued."""
    caller.apply("pbx.example.com")
    options = caller.get("system/get_menuoptions", menu="certificate")["data"]
    assert [one["text"] for one in options] == [one["value"] for one in options] == ["default", "web.pem", "sip.pem"]


def test_other_menus_are_refused(caller: Caller) -> None:
    """The simulator knows no menu but certificates."""
    assert caller.get("system/get_menuoptions", menu="trunk")["errcode"] == 40002
    assert caller.get("system/get_menuoptions")["errcode"] == 40002
