"""The sandbox's page without a browser: whom it answers, what it lets do, and what it shows of the PBXs."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from bot.sandbox import web
from bot.sandbox.changes import Announced
from bot.sandbox.clock import SandboxClock
from bot.sandbox.pbx import PbxSimulator
from bot.sandbox.slack import Channel, Person, Workspace
from bot.sandbox.web.board import Board
from bot.sandbox.web.marks import Marks
from bot.sandbox.web.panel import Panel
from bot.sandbox.web.served import Handshakes, handshake
from tests.unit.sandbox_pbx import Caller
from tests.unit.slack_app import workspace


@dataclass
class House:
    """A workspace with the page, one PBX, and two people."""

    slack: Workspace
    pbx: PbxSimulator
    clock: SandboxClock
    tess: Person
    ana: Person
    room: Channel

    def post(self, path: str = "sandbox/act", origin: str | None = None, **given: Any) -> requests.Response:
        own = self.slack.page_url.rstrip("/")
        headers = {"origin": own if origin is None else origin} if origin != "" else {}
        return requests.post(f"{self.slack.page_url}{path}", data=json.dumps(given), headers=headers, timeout=10)

    def act(self, what: str, **given: Any) -> Any:
        answer = self.post(**{"do": what, "as": self.tess.id, **given})
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def house() -> Iterator[House]:
    clock = SandboxClock()
    with workspace(now=clock) as slack, PbxSimulator("hq", now=clock) as pbx:
        tess, ana = slack.add_person("Tess"), slack.add_person("Ana")
        room = slack.add_channel("room", [tess, ana])
        web.mount(slack, [pbx], clock, people=[(tess, "requester"), (ana, "lead")], home=room, files=web.samples())
        yield House(slack, pbx, clock, tess, ana, room)


def test_the_page_says_what_it_is_and_loads_nothing_from_elsewhere(house: House) -> None:
    """The page names the sandbox, and its policy allows the browser its own origin only."""
    answer = requests.get(house.slack.page_url, timeout=5)
    assert "This is a sandbox, not Slack" in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert house.slack.page_url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("origin", ["", "https://example.com", "http://127.0.0.1:1", "null"])
def test_other_pages_cannot_act(house: House, origin: str) -> None:
    """A POST from another origin, or from none, is refused and does nothing (RFC 6454)."""
    given = {"do": "say", "as": house.tess.id, "channel": house.room.id, "text": "forged"}
    assert house.post(origin=origin, **given).status_code == 403
    assert house.slack.messages(house.room) == []


def test_other_pages_cannot_look(house: House) -> None:
    """The WebSocket of the live page takes its own origin only (RFC 6455, section 10.2)."""
    address = house.slack.page_url.replace("http", "ws") + "sandbox/live"
    with pytest.raises(InvalidStatus, match="403"):
        connect(address, origin=Origin("https://example.com"), proxy=None)
    with connect(address, origin=Origin(house.slack.page_url.rstrip("/")), proxy=None) as page:
        assert json.loads(page.recv(timeout=5))["new"]["me"] == {"id": house.tess.id, "name": "Tess"}


def test_a_foreign_name_for_this_machine_is_refused(house: House) -> None:
    """A Host other than 127.0.0.1 or localhost is refused, as a page that rebinds its name to us would send it."""
    refused = requests.get(house.slack.page_url, headers={"host": f"evil.example:{house.slack.port}"}, timeout=5)
    assert refused.status_code == 403
    fine = requests.get(house.slack.page_url, headers={"host": f"localhost:{house.slack.port}"}, timeout=5)
    assert fine.status_code == 200


@pytest.mark.parametrize("path", ["sandbox/static/../site.py", "sandbox/static/%2e%2e/site.py", "sandbox/samples/..%2fsite.py"])
def test_only_its_own_files_are_served(house: House, path: str) -> None:
    """Nothing outside the folder of the page can be fetched through it."""
    with requests.Session() as session:
        asked = requests.Request("GET", house.slack.page_url).prepare()
        asked.url = house.slack.page_url + path
        assert session.send(asked, timeout=5).status_code == 404


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"do": "nothing"},
        {"do": "say"},
        {"do": "say", "as": "U404", "channel": "C404", "text": "x"},
        {"do": "skip", "seconds": -5},
        {"do": "skip", "seconds": "5"},
        {"do": "turn", "pbx": "hq", "switch": "none", "on": True},
        {"do": "turn", "pbx": "hq", "switch": "slow", "on": "yes"},
    ],
)
def test_what_no_page_sends_is_refused(house: House, given: dict[str, Any]) -> None:
    """A malformed act is answered with 400 and changes nothing."""
    assert house.post(**given).status_code == 400
    assert not house.pbx.trouble.meet("certificate/list").late


def test_a_refusal_of_slacks_client_is_an_answer(house: House) -> None:
    """What the person's client does not let them do comes back as its sentence."""
    assert house.act("command", channel=house.room.id, command="/nope")["refused"] == "/nope is not a valid command."
    assert "window is not there" in house.act("submit", view="V404")["refused"]


def test_people_write_and_permalinks_lead_to_the_page(house: House) -> None:
    """A message is written as its person, and its permalink opens the page at that message."""
    house.act("say", channel=house.room.id, text="hello")
    message = house.slack.messages(house.room)[0]
    assert (message["user"], message["text"]) == (house.tess.id, "hello")
    link = f"{house.slack.page_url}archives/{house.room.id}/p{message['ts'].replace('.', '')}"
    answer = requests.get(link, allow_redirects=False, timeout=5)
    assert answer.headers["location"] == f"/#channel={house.room.id}&thread={message['ts']}"


def test_files_come_back_as_they_were(house: House) -> None:
    """An uploaded file can be fetched behind its permalink, to be saved and never shown."""
    given = {"as": house.tess.id, "channel": house.room.id, "text": ""}
    sent = {"file": ("<odd> ñame.html", b"<script>")}
    origin = {"origin": house.slack.page_url.rstrip("/")}
    requests.post(f"{house.slack.page_url}sandbox/upload", data=given, files=sent, headers=origin, timeout=5).raise_for_status()
    link = house.slack.messages(house.room)[0]["files"][0]["permalink"]
    answer = requests.get(link, timeout=5)
    assert answer.content == b"<script>"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment;")


def test_the_clock_goes_past_one_o_clock_so_that_files_go(house: House) -> None:
    """The jump makes every temporary file of now old enough for the PBX's next cleaning."""
    caller = Caller(house.pbx).logged_in()
    caller.upload("trusted", "a.crt", b"x")
    assert [file.name for file in house.pbx.temporary_files] == ["a.crt"]
    house.act("clean")
    assert house.pbx.temporary_files == []
    assert (house.clock().hour, house.clock().minute) == (1, 0)


def test_the_clock_jumps_and_never_goes_back() -> None:
    """What is skipped stays skipped, listeners hear of it, and a step back is refused."""
    clock, heard = SandboxClock(), threading.Event()
    clock.moved = heard.set
    before = clock()
    clock.advance(hours=8)
    assert heard.is_set()
    assert timedelta(hours=8) <= clock() - before < timedelta(hours=8, minutes=1)
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(seconds=-1)


def test_the_switch_full_fills_every_slot_and_empties_only_its_own(house: House) -> None:
    """The PBX refuses a 4th server and a 21st trusted certificate; switched off, what was there before is left."""
    house.pbx.add_certificate("server", "mine")
    panel = Panel(house.pbx)
    panel.turn("full", True)
    assert panel.shown()["slots"] == [["server", 3, 3], ["trusted", 20, 20]]
    panel.turn("full", False)
    assert [one.name for one in house.pbx.certificates] == ["mine"]


def test_the_switch_tokens_leaves_none(house: House) -> None:
    """While somebody else holds all tokens a login is 60002, and every older token is dead; their expiry ends it too."""
    caller, panel = Caller(house.pbx).logged_in(), Panel(house.pbx)
    panel.turn("tokens", True)
    assert caller.get("certificate/list")["errcode"] == 10004
    assert Caller(house.pbx).login()["errcode"] == 60002
    house.clock.advance(minutes=31)
    assert not panel.switches["tokens"].on()
    assert Caller(house.pbx).login()["errcode"] == 0


def test_the_switches_slow_dns_and_drop_can_be_taken_back(house: House) -> None:
    """Each is on when it was turned on, and leaves no trace when it is turned off unused."""
    panel = Panel(house.pbx)
    for key in ("slow", "dns", "drop", "unreachable"):
        panel.turn(key, True)
        assert panel.switches[key].on(), key
        panel.turn(key, False)
        assert not panel.switches[key].on(), key
    assert house.pbx.trouble.meet("certificate/create").fate is None
    assert handshake("localhost", house.pbx.port)["subject"]


def test_the_panel_shows_what_is_really_served(house: House) -> None:
    """The fingerprint comes from a handshake with the port; where nobody listens, there is an error instead."""
    looks = Handshakes([house.pbx])
    assert looks.look()
    assert (looks.of("hq") or {})["fingerprint"] == house.pbx.fingerprint
    assert not looks.look(), "nothing is new"
    house.pbx.make_unreachable()
    assert looks.look()
    assert "refused" in (looks.of("hq") or {})["error"].lower()


def test_no_secret_of_the_pbx_is_on_the_page(house: House) -> None:
    """The board holds neither the client secret, nor tokens, nor DNS credentials."""
    caller = Caller(house.pbx).logged_in()
    caller.get("certificate/list")
    people = [(house.tess, "requester")]
    board = Board(
        house.slack, [Panel(house.pbx)], Handshakes([house.pbx]), house.clock, people, house.room, Marks(house.slack.state), []
    )
    shown = "".join(board.pieces(house.tess.id).values())
    assert "certificate/list" in shown
    assert house.pbx.client_secret not in shown
    assert house.slack.bot_token not in shown
    assert "auth_info_list" not in shown


def test_unread_is_counted_by_person_channel_and_thread(house: House) -> None:
    """What others wrote counts until it was read; what one wrote oneself never does."""
    marks, state = Marks(house.slack.state), house.slack.state
    parent = house.ana.say(house.room, "news")
    reply = house.ana.say(house.room, "more", thread_ts=parent["ts"])
    channels = [state.channels[house.room.id]]
    assert marks.unread(house.ana.id, channels) == {"channels": {}, "threads": {}}
    thread = f"{house.room.id}/{parent['ts']}"
    assert marks.unread(house.tess.id, channels) == {"channels": {house.room.id: 1}, "threads": {thread: 1}}
    marks.read(house.tess.id, house.room.id, "", parent["ts"])
    marks.read(house.tess.id, house.room.id, parent["ts"], reply["ts"])
    assert marks.unread(house.tess.id, channels) == {"channels": {}, "threads": {}}


def test_the_samples_are_what_they_say() -> None:
    """The good certificates are in force and the old one has expired; only the right key belongs to its certificate."""
    now = datetime.now(UTC)
    found = {sample.name: sample.content for sample in web.samples("a.example.com")}
    certificates = {name: x509.load_pem_x509_certificates(content)[0] for name, content in found.items()}
    in_force = {name for name, one in certificates.items() if one.not_valid_before_utc < now < one.not_valid_after_utc}
    assert in_force == {"telecom-root.crt", "a.example.com.pem", "wrong-key.pem"}
    assert certificates["old-root.crt"].not_valid_after_utc < now
    fits = {name: load_pem_private_key(found[name], None).public_key() == certificates[name].public_key()
            for name in ("a.example.com.pem", "wrong-key.pem")}  # fmt: skip
    assert fits == {"a.example.com.pem": True, "wrong-key.pem": False}


def test_whoever_listens_hears_of_each_change() -> None:
    """A listener is called at every notification, under the lock, as often as there is one."""
    changed, heard = Announced(), []
    changed.listen(lambda: heard.append(1))
    with changed:
        changed.notify_all()
        changed.notify_all()
    assert heard == [1, 1]
