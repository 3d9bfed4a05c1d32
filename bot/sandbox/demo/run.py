"""Everything in order, within the time there is."""

import shutil
import tempfile
import threading
import time
from pathlib import Path

from bot.sandbox.clock import SandboxClock
from bot.sandbox.demo import verdict
from bot.sandbox.demo.process import BotInside, BotProcess, Host, Interrupts, RunningBot
from bot.sandbox.demo.screen import Screen
from bot.sandbox.demo.stage import Stage
from bot.sandbox.demo.story import DemoFailed, Story
from bot.sandbox.slack import PersonRefused

#: Seconds for the whole story.
LIMIT = 60.0
#: The exit code of what was interrupted: 128 and the number of SIGINT.
INTERRUPTED = 130


def play(*, host: Host | None = None, folder: Path | None = None, limit: float = LIMIT) -> int:
    """Play the three requests; the exit code. ``limit`` is in seconds.

    Without a ``host`` the bot is a process of its own, and this returns at the end of the story. A ``host`` starts the bot
    within this process and in the sandbox's time, and then everything stays up as a page until Ctrl-C.

    The files go to ``folder``, which must be new or empty and is kept; without it, to a temporary one that is kept only if
    something went wrong.
    """
    screen = Screen()
    if folder is not None and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        screen.check(False, f"{folder} is not empty; name a folder that is new or empty.")
        return 1
    with Interrupts() as interrupts:
        try:
            return _in_folder(_made(folder), interrupts, screen, host, keep=folder is not None, limit=limit)
        except KeyboardInterrupt:
            screen.note("Interrupted; the bot and the sandbox are stopped.")
            return INTERRUPTED


def _made(folder: Path | None) -> Path:
    if folder is None:
        return Path(tempfile.mkdtemp(prefix="pbx-cert-bot-"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def _in_folder(folder: Path, interrupts: Interrupts, screen: Screen, host: Host | None, *, keep: bool, limit: float) -> int:
    code, clock = 1, SandboxClock()
    try:
        with Stage(clock if host else None) as stage:
            config, environ = stage.write_configuration(folder), stage.environ()
            bot = BotInside(config, environ, host, clock) if host else BotProcess(config, environ)
            try:
                with interrupts.held():
                    bot.start()
                code = _perform(stage, bot, screen, limit)
                if host and code == 0:
                    _stay(stage, bot, screen)
            finally:
                interrupts.over()
                bot.stop()
    except KeyboardInterrupt:
        code = INTERRUPTED
        raise
    finally:
        if not keep and code != 1:
            shutil.rmtree(folder, ignore_errors=True)
    return code


def _perform(stage: Stage, bot: RunningBot, screen: Screen, limit: float) -> int:
    screen.note(
        f"A local Slack at {stage.slack.page_url}, two simulated PBXs at {stage.hq.url} and {stage.branch.url}, and the bot "
        f"{bot.where}. Tess asks; Ana and Ben are the team leads. Nothing here leaves this machine."
    )
    try:
        passed = _tell(stage, bot, screen, limit)
    except (DemoFailed, PersonRefused, TimeoutError) as error:
        screen.failure(str(error), bot.last_lines(), str(bot.log))
        return 1
    if not passed:
        screen.failure("Not everything is as it should be.", bot.last_lines(), str(bot.log))
        return 1
    screen.check(True, f"all three kinds of request reached their end in {screen.seconds:.0f} s")
    return 0


def _tell(stage: Stage, bot: RunningBot, screen: Screen, limit: float) -> bool:
    story = Story(stage, bot, screen, time.monotonic() + limit)
    story.wait_for_the_bot()
    story.trusted()
    story.imported()
    story.applied()
    return verdict.show(stage, story, bot, screen)


def _stay(stage: Stage, bot: RunningBot, screen: Screen) -> None:
    """Until Ctrl-C, which is the proper end."""
    screen.heading("Now you")
    screen.note(f"*Open {stage.slack.page_url} in a browser.* Its first message says what to try.")
    screen.note(f"The PBXs:                {stage.hq.url} (hq), {stage.branch.url} (branch)")
    screen.note(f"Configuration, database: {bot.log.parent}")
    screen.note(f"The bot's log:           {bot.log}")
    screen.note("Everything stays up until you press Ctrl-C.")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        screen.note("Stopping.")
