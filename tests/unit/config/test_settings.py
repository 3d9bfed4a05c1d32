"""What may be exchanged while the bot runs, and what takes a restart."""

from collections.abc import Callable

import pytest

from bot.config import Config, Settings
from bot.exceptions import ConfigError
from tests.unit.config.files import MINIMAL, Load, edited

OTHER_KEY = "b3RoZXIta2V5LW90aGVyLWtleS1vdGhlci1rZXktb3Q"


def reading(config: Config) -> Callable[[], Config]:
    return lambda: config


def test_what_is_read_is_in_force_only_when_it_is_put(loaded: Load) -> None:
    """Reading changes nothing; putting exchanges all of it at once."""
    old, new = loaded(MINIMAL), loaded(edited('"C01CERTS"', '"C02OTHER"'))
    settings = Settings(old, reading(new))
    assert settings.read() is new
    assert settings.config is old
    settings.put(new)
    assert settings.config is new


@pytest.mark.parametrize(
    ("environ", "text", "key"),
    [
        ({"SLACK_BOT_TOKEN": "xoxb-another"}, MINIMAL, "slack.bot_token (SLACK_BOT_TOKEN)"),
        ({"SLACK_APP_TOKEN": "xapp-another"}, MINIMAL, "slack.app_token (SLACK_APP_TOKEN)"),
        ({"SLACK_SIGNING_SECRET": "another"}, MINIMAL, "slack.signing_secret (SLACK_SIGNING_SECRET)"),
        ({"SLACK_API_URL": "https://slack.example.com/api/"}, MINIMAL, "slack.api_url (SLACK_API_URL)"),
        ({"PBX_CERT_BOT_KEY": OTHER_KEY}, MINIMAL, "secrets.key"),
        ({}, '[database]\nurl = "sqlite:///other.db"\n' + MINIMAL, "database.url"),
    ],
)
def test_what_takes_a_restart(loaded: Load, environ: dict[str, str], text: str, key: str) -> None:
    """The database, the key and Slack's tokens are refused by the name of the key, and nobody reads what it holds."""
    settings = Settings(loaded(MINIMAL), reading(loaded(text, **environ)))
    with pytest.raises(ConfigError) as caught:
        settings.read()
    assert caught.value.message == f"{key}: has changed, which takes a restart of the bot"


def test_every_mistake_of_that_kind_is_said_at_once(loaded: Load) -> None:
    """Two changes that take a restart are two lines."""
    new = loaded(MINIMAL, SLACK_BOT_TOKEN="xoxb-another", PBX_CERT_BOT_KEY=OTHER_KEY)
    with pytest.raises(ConfigError) as caught:
        Settings(loaded(MINIMAL), reading(new)).read()
    assert len(caught.value.message.splitlines()) == 2


def test_without_a_file_nothing_can_be_read(loaded: Load) -> None:
    """A bot that was not started from a file says so."""
    with pytest.raises(ConfigError, match="without a file"):
        Settings(loaded(MINIMAL)).read()
