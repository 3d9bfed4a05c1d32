"""The commands beside `serve`, and what an operator reads when the bot cannot start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.cli import main
from tests.flow.meddling import guards_of, meddling
from tests.flow.world import World
from tests.postgres import Postgres


@pytest.fixture
def call(quiet: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> "Call":
    """Calls the command line on the world's configuration."""
    return Call(quiet, monkeypatch, capfd)


@pytest.fixture
def without_tables(call: "Call", database_kind: str, request: pytest.FixtureRequest) -> None:
    """The database is new, and nobody has migrated it."""
    if database_kind == "sqlite":
        (call.world.folder / "bot.db").unlink()
        return
    server: Postgres = request.getfixturevalue("postgres")
    call.world.database_url = server.url(server.create(migrated=False))


class Call:
    def __init__(self, world: World, patch: pytest.MonkeyPatch, captured: pytest.CaptureFixture[str]) -> None:
        self.world = world
        self._patch = patch
        self._captured = captured

    def __call__(self, *words: str, **environ: str) -> tuple[int, str]:
        """The exit code, and what was printed."""
        for name, value in {**self.world.environ(), **environ}.items():
            self._patch.setenv(name, value)
        self._patch.setenv("PBX_CERT_BOT_CONFIG", str(self.world.write_config()))
        self._patch.setattr(sys, "argv", ["pbx-cert-bot", *words])
        self._captured.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = self._captured.readouterr()
        return int(ended.value.code or 0), said.out + said.err


def test_the_chain_of_a_real_request_verifies(call: Call) -> None:
    """`audit verify` says on one line how many events there are and what the head is."""
    world = call.world.start()
    card = world.ask(world.fill_trusted)
    world.approve(card)
    world.wait_thread(card, "now lists")
    world.stop()
    code, said = call("audit", "verify")
    assert code == 0
    assert said.endswith("\n")
    assert len(said.splitlines()) == 1
    assert "events, unbroken. Head: " in said


def test_a_changed_event_is_named(call: Call) -> None:
    """`audit verify` exits with 1 and names the first event that was changed behind the bot's back."""
    world = call.world.start()
    world.ask(world.fill_trusted)
    world.stop()
    _tamper(world.database_url)
    assert call("audit", "verify") == (1, "Event 2 in the audit chain was changed after it was written. [chain_broken]\n")


@pytest.mark.sqlite_only("a name that is mistyped would make a file")
def test_verifying_makes_no_database(call: Call) -> None:
    """`audit verify` on a name that is mistyped says so and leaves no empty file."""
    (call.world.folder / "bot.db").unlink()
    code, said = call("audit", "verify")
    assert code == 1
    assert "There is no database at" in said
    assert not (call.world.folder / "bot.db").exists()


@pytest.mark.usefixtures("without_tables")
def test_migrate_makes_the_database_that_verify_reads(call: Call) -> None:
    """After `migrate` there is a database with an empty chain."""
    assert call("migrate") == (0, "The database is up to date.\n")
    code, said = call("audit", "verify")
    assert code == 0
    assert said.startswith("0 events, unbroken.")


@pytest.mark.usefixtures("without_tables")
def test_a_doctor_with_nothing_to_say_exits_with_0(call: Call) -> None:
    """When all answer as configured, `doctor` says so of each of them: tokens, channels, profiles, database, PBXs."""
    code, said = call("doctor")
    assert code == 0, said
    assert [line.split(":")[0] for line in said.splitlines()] == [
        "ok    dns corp",
        "ok    SLACK_BOT_TOKEN",
        "ok    SLACK_APP_TOKEN",
        f"ok    channel {call.world.certs.id}",
        f"ok    channel {call.world.branch_channel.id}",
        f"ok    channel {call.world.audit.id}",
        "ok    policy",
        "ok    database",
        "ok    pbx hq",
        "ok    pbx branch",
    ]
    assert "slots used: 0 of 3 server, 0 of 20 trusted" in said


def test_the_doctor_finds_everything_that_is_wrong_at_once(call: Call) -> None:
    """A wrong secret, a silent PBX, an app token that is no longer valid, an empty group, and a channel without the bot."""
    world = call.world
    world.approvers = (world.slack.add_group("nobody", []),)
    world.slack.leave(world.certs, world.slack.bot_user)
    world.branch.make_unreachable()
    code, said = call("doctor", HQ_SECRET="not-the-secret", SLACK_APP_TOKEN="xapp-old")
    assert code == 1
    wrong = [line for line in said.splitlines() if line.startswith("FAIL")]
    assert [line.split(":")[0].removeprefix("FAIL  ") for line in wrong] == [
        "SLACK_APP_TOKEN",
        f"channel {world.certs.id}",
        f"user group {world.approvers[0]}",
        "policy",
        "policy",
        "pbx hq",
        "pbx branch",
    ]
    assert "[invalid_auth]" in said
    assert "invite it there with /invite" in said
    assert "not-the-secret" not in said
    assert world.hq.logins == 1


def test_the_doctor_leaves_an_older_database_as_it_is(call: Call) -> None:
    """Before an update the older bot is still at work on it: `doctor` says what brings it up to date, and does not do it."""
    older, url = "0003", call.world.database_url
    with meddling(url) as database:
        database.execute(text("UPDATE alembic_version SET version_num = :older"), {"older": older})
    code, said = call("doctor")
    assert code == 1
    assert "FAIL  database: This database has the schema 0003" in said
    assert "Run `pbx-cert-bot migrate`" in said
    with meddling(url) as database:
        assert database.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == older


def test_the_doctor_reads_dns_profiles(call: Call) -> None:
    """A profile that lacks what its provider needs is found before anybody asks with it, and no value of it is shown."""
    code, said = call("doctor", ALI_SECRET=" ")
    assert code == 1
    assert "FAIL  dns corp: AccessKeySecret" in said
    assert "LTAI-flow-test-id" not in said


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"SLACK_APP_TOKEN": "xapp-old"}, "Slack refused the call. [invalid_auth]"),
        ({"SLACK_BOT_TOKEN": "xoxb-old"}, "Slack does not accept the bot: "),
        ({"SLACK_API_URL": "http://127.0.0.1:9/api/"}, "Slack cannot be reached; nothing was sent. [slack_unreachable]"),
    ],
)
def test_a_start_that_slack_prevents_is_a_sentence(quiet: World, environ: dict[str, str], sentence: str) -> None:
    """With a wrong token, or without Slack, `serve` ends with 1 and a sentence instead of a traceback."""
    code, said = _serve(quiet, environ)
    assert code == 1
    assert sentence in said
    assert "Traceback" not in said


def test_a_level_that_does_not_exist_is_refused(quiet: World) -> None:
    """A log level is one of three; anything else is a mistake in the command."""
    code, said = _serve(quiet, {}, "--log-level", "loud")
    assert code == 2
    assert "Traceback" not in said


def _tamper(url: str) -> None:
    """As somebody could who owns the database: the triggers that guard the events go first."""
    with meddling(url) as database:
        guards = guards_of(database)
        assert guards
        for statement in (*guards, "UPDATE events SET actor = 'U0SOMEBODY' WHERE id = 2"):
            database.exec_driver_sql(statement)


def _serve(world: World, environ: dict[str, str], *more: str) -> tuple[int, str]:
    """In a process of its own, as its threads and its logging would outlive it here."""

    command = [sys.executable, "-m", "bot", "serve", "--config", str(world.write_config()), *more]
    done = subprocess.run(
        command, env={**os.environ, **world.environ(), **environ}, cwd=Path(__file__).parents[2], capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_why_on_the_command_line(call: Call) -> None:
    """`policy why` says by ids who may decide a request, by which rule, and what that is for one person."""
    world = call.world.start()
    world.ask(world.fill_trusted)
    code, said = call("policy", "why", "1", "--user", world.ana.id)
    assert code == 0
    assert f"Could approve: {world.ana.id}, {world.ben.id}" in said
    assert "You: You are named among those who may decide requests for hq. (pbx[0]) [named]" in said
    assert "<" not in said
    assert call("policy", "why", "7") == (1, "There is no request #7. [no_request]\n")
