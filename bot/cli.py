"""The command line: `pbx-cert-bot serve | doctor | migrate | backup | restored | sandbox | policy | audit`."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from slack_bolt.error import BoltError

from bot import cli_audit, logs
from bot import config as configuration
from bot.blocks.why import why_plain
from bot.doctor import Doctor
from bot.domain.requests import MOST
from bot.ending import Ending, leave
from bot.exceptions import BotError, SlackError
from bot.house import Bot, explained
from bot.sandbox.clock import SandboxClock
from bot.store import alone, restore
from bot.store.backup import backup as make_backup
from bot.store.engine import Store, utc_now
from bot.terminal import DEFAULT, ConfigFile, must_be_there, open_store, tell, tell_error, tell_finding

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,  # a local variable may hold a secret
    help="Certificates for Yeastar P-Series PBXs, by way of Slack.",
)
app.add_typer(cli_audit.app, name="audit")
policy_app = typer.Typer(no_args_is_help=True, help="Who may ask and who may approve.")
app.add_typer(policy_app, name="policy")


class Level(StrEnum):
    """What is logged: from here on."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"


LogLevel = Annotated[Level, typer.Option(case_sensitive=False, help="The least important lines that are logged.")]


@app.command()
def serve(config: ConfigFile = DEFAULT, log_level: LogLevel = Level.INFO) -> None:
    """Migrate the database and run the bot until SIGTERM or SIGINT; a second one ends it at once.

    SIGHUP lets it read the configuration anew; a faulty one is told and changes nothing.
    """
    logs.configure(log_level.value)
    ending = Ending()
    ending.watch()
    read = partial(configuration.load, config.absolute(), os.environ)
    bot = Bot(read(), read=read)
    bot.start()
    ending.reloads(bot.reload)
    ending.started.set()
    ending.asked.wait()
    if not bot.stop():
        leave(0)  # somebody is in a call, and nobody waits for it any more


@app.command()
def doctor(config: ConfigFile = DEFAULT) -> None:
    """Ask Slack, the database and every PBX whether they answer as configured; exit with 1 if not."""
    logs.configure("WARNING")
    settings = configuration.load(config, os.environ)
    healthy = True
    with closing(open_store(config)) as store:
        for finding in Doctor(settings, store).findings():
            tell_finding(finding.good, finding.what, finding.said)
            healthy = healthy and finding.good is not False
    raise typer.Exit(0 if healthy else 1)


@app.command()
def migrate(config: ConfigFile = DEFAULT) -> None:
    """Bring the database's schema up to date. With SQLite, the bot must not run meanwhile."""
    with _working(config) as store:
        store.migrate()
        voided = restore.void_what_was_put_back(store)
    if voided is not None:
        tell(
            f"This database was put back and knows nothing of what happened after {voided.until:%Y-%m-%d %H:%M} UTC. "
            f"Void: {_numbers(voided.void)}. Unknown: {_numbers(voided.unknown)}."
        )
    tell("The database is up to date.")


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="A new file; nothing is written over.", show_default=False)],
    config: ConfigFile = DEFAULT,
) -> None:
    """Copy the SQLite database into a new file, while the bot runs or not, and prove the copy."""
    settings = configuration.load(config, os.environ)
    found = make_backup(settings.database.url, file, utc_now())
    tell(f"{file} holds {found.length} events, unbroken. Head: {found.head}")


@app.command()
def restored(config: ConfigFile = DEFAULT) -> None:
    """Say that the database was put back by other means than from a file of `backup`, such as pg_restore.

    The next start ends what was open and looks what has become of what was under way, so that nothing is done twice.
    """
    with _working(config) as store:
        must_be_there(store.url)
        with store.begin() as session:
            until = restore.mark_as_put_back(session, store.now())
    tell(f"The next start takes it that this database knows nothing of what happened after {until:%Y-%m-%d %H:%M} UTC.")


@app.command()
def sandbox(
    once: Annotated[bool, typer.Option("--once", help="Exit when the demonstration is over.")] = False,
    folder: Annotated[
        Path | None, typer.Option(help="Keep configuration, database and log in this folder, which must be new or empty.")
    ] = None,
) -> None:
    """Play the three kinds of request through the real bot, against a local Slack and two simulated PBXs.

    Then the workspace stays up as a web page until Ctrl-C.
    """
    from bot.sandbox.demo import play  # the only command that needs the sandbox's servers

    raise typer.Exit(play(host=None if once else _Guest, folder=folder))


class _Guest:
    """The same bot as `serve` runs, within this process, so that it lives in the sandbox's time. It logs to a file."""

    def __init__(self, config: Path, environ: Mapping[str, str], clock: SandboxClock, log: Path) -> None:
        self._log = log.open("w", encoding="utf-8")
        logs.configure(Level.INFO.value, self._log)
        read = partial(configuration.load, config, environ)
        self._bot = Bot(read(), now=clock, read=read)
        clock.moved = self._bot.loop.wake
        self._bot.start()

    def stop(self) -> None:
        """Finish what is in hand. What others log later goes nowhere."""
        self._bot.stop()
        self._log.close()


@policy_app.command()
def why(
    number: Annotated[int, typer.Argument(min=1, max=MOST - 1, help="The request's number.", show_default=False)],
    user: Annotated[str, typer.Option(help="Whether this person may decide it, by their Slack id.")] = "",
    config: ConfigFile = DEFAULT,
) -> None:
    """Say who may decide a request, by which rule, what is missing, and when it expires."""
    with closing(open_store(config)) as store:
        must_be_there(store.url)
        tell(why_plain(explained(configuration.load(config, os.environ), store, number, user)))


@contextmanager
def _working(config: Path) -> Iterator[Store]:
    """A database on which no bot is at work; on PostgreSQL that is for the operator to see to."""
    store = open_store(config)
    lock = alone.on(store.url)
    try:
        yield store
    finally:
        store.close()
        if lock is not None:
            lock.close()


def _numbers(requests: Sequence[int]) -> str:
    return ", ".join(f"#{number}" for number in requests) or "none"


def main() -> None:
    """Run a command; what goes wrong is a sentence and exit code 1, not a traceback."""
    try:
        app()
    except BotError as error:
        advice = " `pbx-cert-bot doctor` looks at everything that is configured." if isinstance(error, SlackError) else ""
        tell_error(f"{error.message} [{error.code}]{advice}")
        sys.exit(1)
    except BoltError as error:
        tell_error(f"Slack does not accept the bot: {logs.redact(str(error))}")
        sys.exit(1)
