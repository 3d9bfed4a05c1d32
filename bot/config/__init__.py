"""One frozen `Config`, read from a TOML file and the environment.

models.py     the tables of the file
rules.py      those of them that say who may ask and who may approve
values.py     how a single value is read: secrets, addresses, times, fingerprints, Slack's ids
mistakes.py   what is wrong with a file, one line each
contradictions.py   what is wrong with a policy whose values are good, one by one
loading.py    file and environment in, `Config` or `ConfigError` out
settings.py   the one that is in force, and what may be exchanged while the bot runs
fingerprint.py  one hash over what it means
"""

from bot.config.fingerprint import fingerprint
from bot.config.loading import load
from bot.config.models import (
    AuditConfig,
    Config,
    DatabaseConfig,
    DnsProfile,
    PbxConfig,
    RiskConfig,
    SecretsConfig,
    SlackConfig,
)
from bot.config.rules import PolicyConfig, TeamConfig
from bot.config.settings import Settings

__all__ = [
    "AuditConfig", "Config", "DatabaseConfig", "DnsProfile", "PbxConfig", "PolicyConfig", "RiskConfig", "SecretsConfig",
    "Settings", "SlackConfig", "TeamConfig", "fingerprint", "load",
]  # fmt: skip
