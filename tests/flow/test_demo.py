"""The demonstration plays to its end, fails aloud, and leaves no process behind."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pytest

from bot.sandbox.demo import play, verdict
from bot.sandbox.demo.process import BotProcess
from bot.sandbox.demo.screen import Screen
from bot.sandbox.demo.stage import Stage
from bot.sandbox.demo.story import DemoFailed, Story
from tests.flow.page import Page

COMMAND = [sys.executable, "-m", "bot", "sandbox"]


class Demo:
    """The demonstration in a process of its own, read line by line."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.lines: list[str] = []

    def read_until(self, words: str) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if words in line:
                return line
        raise AssertionError(f"{words!r} was not printed:\n{''.join(self.lines)}")

    def ended(self) -> int:
        assert self.process.stdout is not None
        self.lines += self.process.stdout
        return self.process.wait(30)

    @property
    def text(self) -> str:
        return "".join(self.lines)

    @property
    def bot(self) -> int:
        return bot_of(self.text)

    def has_left_something(self) -> bool:
        """Whether any process is left of those that it began."""
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return False
        return True


@contextmanager
def demo(*arguments: str) -> Iterator[Demo]:
    command = [*COMMAND, *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as process:
        try:
            yield Demo(process)
        finally:  # asked first, so that a test that fails leaves no bot behind either
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def bot_of(text: str) -> int:
    """The bot's process id, as the first line tells it."""
    found = re.search(r"the bot as process (\d+)", text)
    assert found, text
    return int(found.group(1))


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_all_three_kinds_reach_their_end() -> None:
    """With --once it exits with 0 after all three kinds are done and the self-approval was refused, and says so."""
    done = subprocess.run([*COMMAND, "--once"], capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout
    assert re.search(r"✅ done: hq now lists telecom-root-r1\.crt .*type trusted", said)
    assert re.search(r"✅ done: branch now lists \S+-r2\.pem .*type server", said)
    assert re.search(r"✅ done: hq now lists pbx\.example\.com\.pem .*type server", said)
    assert "only Ana sees this │ You asked for this yourself, so somebody else has to decide it." in said
    assert said.count("presses Approve on the card") == 4
    assert "how often the bot has looked: 3" in said
    assert "FAIL" not in said
    assert "PASS  audit verify:" in said
    assert not is_running(bot_of(said))


def test_it_stays_up_as_a_page_on_which_people_act(tmp_path: Path) -> None:
    """After the story the page is there until Ctrl-C: three lines say what to try, four people can be acted as, and when its
    clock is put forward the bot's goes with it. Then nothing is left but the folder."""
    folder = tmp_path / "kept"
    with demo("--folder", str(folder)) as playing:
        found = re.search(r"http://\S+", playing.read_until("in a browser."))
        assert found, playing.text
        with Page.open(found.group()) as page:
            people = [(each["name"], each["role"]) for each in page.get("people")]
            assert people == [("Tess", "requester"), ("Ana", "team lead"), ("Ben", "team lead"), ("Carl", "neither")]
            first = page.messages(page.get("workspace")["home"])[0]["text"].split("\n")
            assert [line.split(":")[0] for line in first] == ["1. *Ask*", "2. *Decide*", "3. *Make trouble*"]
            assert page.get("modals") == []
            card = ask_for_a_trusted_certificate(page)
            page.act("skip", seconds=30 * 24 * 3600)
            page.wait_for(lambda: "expired" in json.dumps(page.get(card)))
            playing.process.send_signal(signal.SIGINT)
            assert playing.ended() == 0, playing.text
        assert not playing.has_left_something()
        assert "{" not in playing.text, "the bot's log is on the terminal"
    assert {"bot.db", "bot.log", "config.toml", "environment"} <= {path.name for path in folder.iterdir()}
    assert [json.loads(line)["event"] for line in (folder / "bot.log").read_text().splitlines()][-1] == "bot.stopped"


def ask_for_a_trusted_certificate(page: Page) -> str:
    """As its person, with one of the files that the form offers; the name of the card's piece."""
    known = set(page.cards())
    page.act("command", channel=page.get("workspace")["home"], command="/pbx-cert")
    form = page.wait_for(lambda: page.view("form"))
    page.act("search", value="hq", **page.field("PBX"))
    page.act("search", value="", **page.field("PBX"))
    page.act("pick", value="hq", **page.field("PBX"))
    page.act("sample", value="telecom-root.crt", **page.field("CA certificate"))
    page.act("type", value="To see it expire.", **page.field("Reason"))
    page.act("submit", view=form)
    page.act("submit", view=page.wait_for(lambda: page.view("confirm")))
    return page.wait_for(lambda: set(page.cards()) - known).pop()


def test_a_signal_ends_it_as_ctrl_c_does() -> None:
    """SIGTERM while it plays, with the bot within its own process, ends both with 130 and without a traceback."""
    with demo() as playing:
        playing.read_until("presses Check")
        playing.process.send_signal(signal.SIGTERM)
        assert playing.ended() == 130, playing.text
        assert "Traceback" not in playing.text
        assert not playing.has_left_something()


def test_an_interruption_stops_the_bot_too() -> None:
    """Ctrl-C in the middle of the story ends the demonstration with 130 and leaves no bot behind."""
    with demo("--once") as playing:
        playing.read_until("presses Check")
        assert is_running(playing.bot)
        playing.process.send_signal(signal.SIGINT)
        assert playing.ended() == 130, playing.text
        assert "Interrupted" in playing.text
        assert "Traceback" not in playing.text
        assert not is_running(playing.bot)
        assert not playing.has_left_something()


def test_what_takes_too_long_has_failed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """When the time is over it returns 1, says what it waited for, shows the bot's log, and stops the bot."""
    assert play(folder=tmp_path, limit=5.0) == 1
    said = capsys.readouterr().out
    assert "FAIL  The time is over, and the demonstration still waited for" in said
    assert f"The last lines of {tmp_path}/bot.log:\n" in said
    assert '"event": "bot.listening"' in said
    assert not is_running(bot_of(said))


def test_a_folder_in_use_is_not_touched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that holds something is refused before anything is started."""
    (tmp_path / "bot.db").write_text("somebody's")
    assert play(folder=tmp_path) == 1
    assert "is not empty; name a folder that is new or empty." in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["bot.db"]


def test_a_bot_that_cannot_start_is_noticed_at_once(tmp_path: Path) -> None:
    """The story does not wait for a bot that has ended, and the reason is in the lines of its log."""
    with Stage() as stage:
        environ = stage.environ()
        del environ["SLACK_APP_TOKEN"]
        bot = BotProcess(stage.write_configuration(tmp_path), environ)
        bot.start()
        with pytest.raises(DemoFailed, match=r"has ended while the demonstration waited for the bot to connect"):
            Story(stage, bot, Screen(), time.monotonic() + 30).wait_for_the_bot()
        assert any("SLACK_APP_TOKEN is not set" in line for line in bot.last_lines())


def test_nothing_passes_when_nothing_was_done(tmp_path: Path) -> None:
    """The checks about the PBXs and the refusal judge what happened, so on an empty stage each of them fails."""
    with Stage() as stage:
        bot = BotProcess(stage.write_configuration(tmp_path), stage.environ())
        story = Story(stage, bot, Screen(), time.monotonic())
        found = islice(verdict.checks(stage, story, bot), 4)
        assert [passed for passed, _ in found] == [False] * 4
