"""The audit trail on the command line, after the real bot has done real requests."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bot.domain import records
from bot.domain.trail import Walk
from tests.flow.meddling import guards_of, meddling
from tests.flow.test_cli import Call
from tests.flow.test_cli import call as call
from tests.flow.world import ALI_ID, ALI_SECRET, KEY, World

pytestmark = pytest.mark.usefixtures("told")


@pytest.fixture
def told(call: Call) -> World:
    """Three requests: an import that is done, an application that is rejected, and a trusted CA that waits; two heads."""
    world = call.world.start()
    card = world.ask(world.fill_import)
    world.approve(card)
    world.wait_thread(card, "now lists")
    world.skip_until(lambda: len(world.slack.messages(world.audit)) == 1, hours=6)
    card = world.ask(world.fill_apply, pbx="branch")
    world.reject(card, "=HYPERLINK(1)")
    world.wait_card(card, "rejected")
    world.skip_until(lambda: len(world.slack.messages(world.audit)) == 2, hours=6)
    world.ask(world.fill_trusted)
    world.stop()
    return world


def heads(world: World) -> list[str]:
    """As Slack shows them."""
    messages = [world.slack.read(message) for message in world.slack.messages(world.audit)]
    return [message.partition("--head ")[2][:64] for message in messages]


def exported(call: Call, *filters: str) -> list[dict[str, Any]]:
    code, said = call("audit", "export", *filters)
    assert code == 0, said
    return [json.loads(line) for line in said.splitlines()]


def bundled(call: Call, number: int = 1) -> Path:
    file = call.world.folder / f"bundle-{number}.json"
    code, said = call("audit", "bundle", str(number), str(file))
    assert code == 0, said
    assert said.startswith(f"{file} holds #{number} with events ")
    return file


def changed(file: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    content = json.loads(file.read_text())
    change(content)
    other = file.with_name("changed.json")
    other.write_text(json.dumps(content))
    return other


def test_a_witnessed_head_is_proven(call: Call) -> None:
    """`verify --head` says at which event it was, by all of its digits or the first twelve."""
    for head in heads(call.world):
        for digits in (head, head[:12], head.upper()):
            code, said = call("audit", "verify", "--head", digits)
            assert code == 0
            assert "nothing up to it was changed" in said


def test_a_foreign_head_is_refused(call: Call) -> None:
    """A head that no event has makes it exit with 1; what is no head at all is a mistake in the command."""
    code, said = call("audit", "verify", "--head", "f" * 64)
    assert (code, "[foreign_head]" in said) == (1, True)
    for nonsense in ("abc", "g" * 64, "0" * 65):
        assert call("audit", "verify", "--head", nonsense)[0] == 2


def test_show_prints_a_line_each(call: Call) -> None:
    """Every event is a line with number, time, request, kind, who and what."""
    code, said = call("audit", "show")
    lines = said.splitlines()
    assert code == 0
    assert [int(line.split()[0]) for line in lines] == list(range(1, len(lines) + 1))
    assert any(" #1 " in line and " done " in line for line in lines)


def test_filters(call: Call) -> None:
    """By request, PBX, person and time; together they narrow each other."""
    world = call.world
    everything = exported(call)
    assert {each["request"] for each in exported(call, "--request", "2")} == {2}
    assert {each["request"] for each in exported(call, "--pbx", "branch")} == {2}
    mine = exported(call, "--person", world.ana.id)
    assert {"voted", "rejected", "approved"} <= {each["kind"] for each in mine}
    assert all(each["actor"] == world.ana.id or world.ana.id in json.dumps(each["data"]) for each in mine)
    assert exported(call, "--person", world.ana.id[:-1]) == []
    middle = everything[len(everything) // 2]["at"]
    halves = exported(call, "--until", middle) + exported(call, "--since", middle)
    assert sorted(halves, key=lambda each: each["number"]) == everything
    today = everything[-1]["at"][:10]
    assert exported(call, "--since", today, "--until", today)[-1] == everything[-1]
    assert exported(call, "--until", "2020-01-01") == []
    assert call("audit", "show", "--since", "yesterday")[0] == 2


def test_an_export_can_be_hashed_again(call: Call) -> None:
    """What is exported as JSON is enough to walk the chain without the bot's database."""
    walk = Walk()
    for each in exported(call):
        walk.take(records.from_json(each))
    assert walk.wrong() is None
    assert walk.hash in call("audit", "verify")[1]


def test_csv_holds_no_formula(call: Call) -> None:
    """A table that a spreadsheet opens has the same events, and no cell in it begins a formula."""
    with meddling(call.world.database_url) as database:
        for statement in (*guards_of(database), "UPDATE events SET actor = '=1+1', kind = '@SUM(A1)' WHERE id = 1"):
            database.execute(text(statement))
    _, said = call("audit", "export", "--format", "csv")
    rows = list(csv.reader(io.StringIO(said)))
    assert rows[0] == list(records.COLUMNS)
    assert len(rows) == len(exported(call)) + 1
    assert rows[1][2:4] == ["'@SUM(A1)", "'=1+1"]
    assert not [cell for row in rows[1:] for cell in row if cell[:1] in ("=", "+", "-", "@")]


def test_no_secret_leaves(call: Call) -> None:
    """Neither keys nor credentials nor tokens are in what is shown, exported or bundled."""
    world = call.world
    left = "".join(
        [call("audit", "show")[1], call("audit", "export")[1], call("audit", "export", "--format", "csv")[1],
         *(bundled(call, number).read_text() for number in (1, 2, 3))]
    )  # fmt: skip
    secrets = (ALI_ID, ALI_SECRET, KEY, world.hq.client_secret, world.slack.bot_token, world.slack.app_token, "PRIVATE KEY")
    assert not [secret for secret in secrets if secret in left]
    assert "access_token" not in left
    assert "hooks.slack" not in left


def test_a_bundle_is_whole(call: Call) -> None:
    """The request, its evidence with the public PEM, the plan, the rule, votes, steps, and its part of the chain."""
    content = json.loads(bundled(call).read_text())
    request = content["request"]
    assert request["evidence"]["public_pem"].startswith("-----BEGIN CERTIFICATE")
    assert request["plan"]
    assert request["rule"]["line"] == "pbx[0]"
    assert [vote["user"] for vote in content["votes"]] == [call.world.ana.id]
    assert {step["step"] for step in content["steps"]} == {"look", "upload", "create"}
    own = [each for each in content["chain"] if each.get("request") == 1]
    assert {"pending", "voted", "approved", "calling", "called", "done"} <= {each["kind"] for each in own}


def test_a_bundle_says_nothing_of_others(call: Call) -> None:
    """Of other requests' events only number and hashes are in it, although the time of one lies within the other's."""
    world = call.world.start()
    card = world.cards()[-1]
    other = world.ask(world.fill_apply, world.carl, pbx="branch")
    world.reject(other, "A secret reason")
    world.wait_card(other, "rejected")
    world.approve(card)
    world.wait_thread(card, "now lists")
    world.stop()
    file = bundled(call, 3)
    outlines = [each for each in json.loads(file.read_text())["chain"] if "body" in each]
    assert outlines
    assert all(set(each) == {"number", "previous", "body", "hash"} for each in outlines)
    assert world.carl.id not in file.read_text()
    assert "A secret reason" not in file.read_text()
    assert call("audit", "check", str(file))[0] == 0


def test_a_bundle_is_checked_anywhere(call: Call) -> None:
    """Without a database, a configuration or the environment; with a head that was posted after the request's last event."""
    file, head = bundled(call), heads(call.world)[0]
    command = [sys.executable, "-m", "bot", "audit", "check", str(file), "--head", head]
    root = str(Path(__file__).parents[2])
    done = subprocess.run(command, env={"PYTHONPATH": root}, cwd="/", capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    words = [line.split(":")[0] for line in done.stdout.splitlines()]
    assert words == [
        "ok    chain", "ok    head", "ok    events", "ok    state", "ok    state", "ok    votes", "ok    version 1",
        "note  secrets", "ok    certificates", "ok    result",
    ]  # fmt: skip


def test_every_state_is_checked(call: Call) -> None:
    """A bundle of a request that was rejected, or is still open, is good, too."""
    for number in (2, 3):
        code, said = call("audit", "check", str(bundled(call, number)))
        assert code == 0, said
        assert "FAIL" not in said


#: What somebody may change in a bundle, and the word for where it is found.
CHANGES: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    (lambda content: content["request"]["ask"].update(reason="Another"), "version 1"),
    (lambda content: content["request"].update(requester="U0ELSE"), "version 1"),
    (lambda content: content["request"]["plan"].pop(), "version 1"),
    (lambda content: content["request"]["rule"].update(comment=True), "version 1"),
    (lambda content: content["request"].update(digest="f" * 64), "version 1"),
    (lambda content: content["request"]["evidence"].update(public_pem=""), "version 1"),
    (lambda content: content["request"].update(execution="failed"), "state"),
    (lambda content: content["request"].update(decision="rejected"), "state"),
    (lambda content: content["request"]["outcome"]["installed"].update(id=77), "result"),
    (lambda content: content["votes"].clear(), "votes"),
    (lambda content: content["votes"][0].update(user="U0ELSE"), "votes"),
    (lambda content: content["chain"].pop(3), "chain"),
    (lambda content: content["chain"][3].update(actor="U0ELSE"), "chain"),
    (lambda content: content["chain"][3].update(data={}), "chain"),
    (lambda content: content["chain"][-2].update(hash="f" * 64), "chain"),
    (lambda content: content["chain"].reverse(), "chain"),
    (lambda content: content["votes"].append({}), "votes"),
]


def test_a_changed_bundle_is_found(call: Call) -> None:
    """Whatever is changed in the file, the check exits with 1 and says where."""
    file = bundled(call)
    for change, what in CHANGES:
        code, said = call("audit", "check", str(changed(file, change)))
        assert code == 1
        assert f"FAIL  {what}: " in said


def test_a_bundle_of_another_chain_is_found(call: Call) -> None:
    """A head that none of its events has makes it exit with 1."""
    code, said = call("audit", "check", str(bundled(call)), "--head", "e" * 12)
    assert code == 1
    assert "FAIL  head: none of events" in said


def test_nothing_is_written_over(call: Call) -> None:
    """A file that is there stays as it is."""
    file = call.world.folder / "there.json"
    file.write_text("mine")
    code, said = call("audit", "bundle", "1", str(file))
    assert (code, file.read_text()) == (1, "mine")
    assert "nothing is written over. [not_written]" in said


def test_what_is_no_bundle_is_said(call: Call) -> None:
    """A sentence for a number that there is not, a file that there is not, and one that is something else."""
    folder = call.world.folder
    assert "There is no request #99. [no_request]" in call("audit", "bundle", "99", str(folder / "new.json"))[1]
    assert not (folder / "new.json").exists()
    assert "cannot be read: No such file" in call("audit", "check", str(folder / "none.json"))[1]
    for content in ("", "[]", "{}", '{"format": "pbx-cert-bot audit bundle 1"}', "\x00"):
        (folder / "odd.json").write_text(content)
        assert call("audit", "check", str(folder / "odd.json")) == (
            1, "This is no file of `audit bundle`, or one of another version. [no_bundle]\n"
        )  # fmt: skip
