"""What the commands share: the options, the database of a configuration, and how they speak."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text
from sqlalchemy import make_url
from sqlalchemy.orm import Session

from bot import config as configuration
from bot.exceptions import ConfigError
from bot.store import schema
from bot.store.engine import Store, utc_now

ConfigFile = Annotated[Path, typer.Option("--config", envvar="PBX_CERT_BOT_CONFIG", help="The configuration file.")]
DEFAULT = Path("config.toml")

_WORDS = {True: ("ok  ", "green"), False: ("FAIL", "bold red"), None: ("note", "yellow")}


def open_store(config: Path) -> Store:
    settings = configuration.load(config, os.environ)
    return Store(settings.database.url, settings.secrets.key_bytes(), utc_now)


@contextmanager
def reading(config: Path) -> Iterator[Session]:
    """A transaction on a database that is there and of this version. Raises ConfigError or StoreError."""
    with closing(open_store(config)) as store:
        must_be_there(store.url)
        schema.must_be_current(store)
        with store.begin() as session:
            yield session


def must_be_there(url: str) -> None:
    """SQLite would make an empty file of a name that is mistyped."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite" and not Path(address.database or "").is_file():
        raise ConfigError(f"There is no database at {address.database}; the bot makes it when it is started.")


def tell(sentence: str) -> None:
    """Whole lines, so that they can be searched in a log."""
    Console().print(sentence, markup=False, highlight=False, soft_wrap=True)


def tell_error(sentence: str) -> None:
    Console(stderr=True).print(sentence, markup=False, highlight=False, soft_wrap=True)


def tell_finding(good: bool | None, what: str, said: str) -> None:
    word, style = _WORDS[good]
    Console().print(Text(word, style) + Text(f"  {what}: {said}"), soft_wrap=True)
