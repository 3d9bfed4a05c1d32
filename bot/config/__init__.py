"""One frozen `Config`, read from a TOML file and the environment.

models.py     the tables of the file
values.py     how a single value is read: secrets, addresses, times, fingerprints, Slack's ids
mistakes.py   what is wrong with a file, one line each
loading.py    file and environment in, `Config` or `ConfigError` out
"""

from bot.config.loading import load
from bot.config.models import Config, DatabaseConfig, DnsProfile, PbxConfig, SecretsConfig, SlackConfig

__all__ = ["Config", "DatabaseConfig", "DnsProfile", "PbxConfig", "SecretsConfig", "SlackConfig", "load"]
