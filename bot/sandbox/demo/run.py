"""Everything in order, within the time there is."""

import shutil
import tempfile
import time
from pathlib import Path

from bot.sandbox.demo import verdict
from bot.sandbox.demo.process import BotProcess, Interrupts
from bot.sandbox.demo.screen import Screen
from bot.sandbox.demo.stage import Stage
from bot.sandbox.demo.story import DemoFailed, Story
from bot.sandbox.slack import PersonRefused

#: Seconds for the whole story.
LIMIT = 60.0
#: The exit code of what was interrupted: 128 and the number of SIGINT.
INTERRUPTED = 130


def play(*, once: bool, folder: Path | None = None, limit: float = LIMIT) -> int:
    """Play the three requests; the exit code. ``limit`` is in seconds.

    With ``once`` it returns at the end of the story, otherwise on Ctrl-C. The files go to ``folder``, which must be new or
    empty and is kept; without it, to a temporary one that is kept only if something went wrong.
    """
    screen = Screen()
    if folder is not None and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        screen.check(False, f"{folder} is not empty; name a folder that is new or empty.")
        return 1
    with Interrupts() as interrupts:
        try:
            return _in_folder(_made(folder), interrupts, screen, once=once, keep=folder is not None, limit=limit)
        except KeyboardInterrupt:
            screen.note("Interrupted; the bot and the sandbox are stopped.")
            return INTERRUPTED


def _made(folder: Path | None) -> Path:
    if folder is None:
        return Path(tempfile.mkdtemp(prefix="pbx-cert-bot-"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def _in_folder(folder: Path, interrupts: Interrupts, screen: Screen, *, once: bool, keep: bool, limit: float) -> int:
    code = 1
    try:
        with Stage() as stage:
            bot = BotProcess(stage.write_configuration(folder), stage.environ())
            try:
                with interrupts.held():
                    bot.start()
                code = _perform(stage, bot, screen, once=once, limit=limit)
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


def _perform(stage: Stage, bot: BotProcess, screen: Screen, *, once: bool, limit: float) -> int:
    screen.note(
        f"A local Slack at {stage.slack.page_url}, two simulated PBXs at {stage.hq.url} and {stage.branch.url}, and the bot "
        f"as process {bot.pid}. Tess asks; Ana and Ben are the team leads. Nothing here leaves this machine."
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
    return 0 if once else _stay(stage, bot, screen)


def _tell(stage: Stage, bot: BotProcess, screen: Screen, limit: float) -> bool:
    story = Story(stage, bot, screen, time.monotonic() + limit)
    story.wait_for_the_bot()
    story.trusted()
    story.imported()
    story.applied()
    return verdict.show(stage, story, bot, screen)


def _stay(stage: Stage, bot: BotProcess, screen: Screen) -> int:
    """Until Ctrl-C, which is the proper end; a bot that ends by itself is not."""
    folder = bot.log.parent
    screen.heading("Everything stays up until you press Ctrl-C")
    screen.note(f"The workspace, as a page: {stage.slack.page_url}")
    screen.note(f"The PBXs:                 {stage.hq.url} (hq), {stage.branch.url} (branch)")
    screen.note(f"Configuration, database:  {folder}")
    screen.note(f"The bot's log:            {bot.log} (process {bot.pid})")
    try:
        bot.wait()
    except KeyboardInterrupt:
        screen.note("Stopping.")
        return 0
    screen.failure("The bot's process has ended by itself.", bot.last_lines(), str(bot.log))
    return 1
