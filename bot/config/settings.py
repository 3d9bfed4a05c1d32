"""The configuration that is in force, exchanged as a whole while the bot runs: whoever reads it has the old one or the new."""

from collections.abc import Callable

from bot.config.models import SLACK_ENVIRONMENT, Config
from bot.exceptions import ConfigError


class Settings:
    """Thread-safe: one reference, exchanged. ``read`` loads anew what the process was started with; raises ConfigError."""

    def __init__(self, config: Config, read: Callable[[], Config] | None = None) -> None:
        self._config = config
        self._read = read

    @property
    def config(self) -> Config:
        return self._config

    @property
    def can_read(self) -> bool:
        """Whether there is a file to be read anew."""
        return self._read is not None

    def read(self) -> Config:
        """The configuration as its file, its files of secrets and the environment have it now; nothing changes by this.

        Raises ConfigError, with a line for each mistake, also for what cannot change while the bot runs.
        """
        if self._read is None:
            raise ConfigError("This bot was started without a file that could be read anew.")
        new = self._read()
        before, after = _fixed(self._config), _fixed(new)
        changed = [key for key in before if before[key] != after[key]]
        if changed:
            raise ConfigError("\n".join(f"{key}: has changed, which takes a restart of the bot" for key in changed))
        return new

    def put(self, config: Config) -> None:
        """From now on this one is in force."""
        self._config = config


def _fixed(config: Config) -> dict[str, object]:
    """What is built into connections, and so changes at a restart only."""
    slack = {f"slack.{key} ({variable})": getattr(config.slack, key) for key, variable in SLACK_ENVIRONMENT.items()}
    return {"database.url": config.database.url, "secrets.key": config.secrets.key, **slack}
