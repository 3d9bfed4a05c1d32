"""The command line: `pbx-cert-bot serve | migrate | sandbox | audit`."""

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from slack_bolt.error import BoltError

from bot import config as configuration
from bot import logs
from bot.exceptions import BotError
from bot.house import Bot
from bot.store import audit
from bot.store.engine import Store, utc_now

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Certificates for Yeastar P-Series PBXs, by way of Slack.")
audit_app = typer.Typer(no_args_is_help=True, help="The audit chain.")
app.add_typer(audit_app, name="audit")

ConfigFile = Annotated[Path, typer.Option("--config", envvar="PBX_CERT_BOT_CONFIG", help="The configuration file.")]
DEFAULT = Path("config.toml")


@app.command()
def serve(
    config: ConfigFile = DEFAULT, log_level: Annotated[str, typer.Option(help="DEBUG, INFO or WARNING")] = "INFO"
) -> None:
    """Migrate the database and run the bot until SIGTERM or SIGINT."""
    logs.configure(log_level.upper())
    bot = Bot(configuration.load(config, os.environ))
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    bot.start()
    stop.wait()
    bot.stop()


@app.command()
def migrate(config: ConfigFile = DEFAULT) -> None:
    """Bring the database's schema up to date."""
    store = _store(config)
    store.migrate()
    Console().print("The database is up to date.")


@app.command()
def sandbox(
    once: Annotated[bool, typer.Option("--once", help="Exit when the demonstration is over.")] = False,
    folder: Annotated[
        Path | None, typer.Option(help="Keep configuration, database and log in this folder, which must be new or empty.")
    ] = None,
) -> None:
    """Play the three kinds of request through the real bot, against a local Slack and two simulated PBXs."""
    from bot.sandbox.demo import play  # the only command that needs the sandbox's servers

    raise typer.Exit(play(once=once, folder=folder))


@audit_app.command()
def verify(config: ConfigFile = DEFAULT) -> None:
    """Walk the whole chain; exit with 1 and name the first event that does not fit."""
    store = _store(config)
    with store.begin() as session:
        found = audit.verify(session)
    Console().print(f"{found.length} events, unbroken. Head: {found.head}", soft_wrap=True, highlight=False)


def _store(config: Path) -> Store:
    settings = configuration.load(config, os.environ)
    return Store(settings.database.url, settings.secrets.key_bytes(), utc_now)


def main() -> None:
    """Run a command; what goes wrong is a sentence and exit code 1, not a traceback."""
    try:
        app()
    except BotError as error:
        _say_error(f"{error.message} [{error.code}]")
        sys.exit(1)
    except BoltError as error:
        _say_error(f"Slack does not accept the bot: {logs.redact(str(error))}")
        sys.exit(1)


def _say_error(sentence: str) -> None:
    """Whole lines, so that they can be searched in a log."""
    Console(stderr=True).print(sentence, markup=False, highlight=False, soft_wrap=True)
