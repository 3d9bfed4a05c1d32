"""One hash over what a configuration means, by which replicas know whether they work by the same one."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import time, timedelta
from enum import Enum
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, SecretStr

from bot.config.models import SLACK_ENVIRONMENT, Config

#: Keyed digest of a secret, in hex: tells whether two are the same, to nobody without the key.
Keyed = Callable[[bytes], str]


def fingerprint(config: Config, keyed: Keyed) -> str:
    """SHA-256 in hex. The order of tables in the file, its comments and where its secrets are kept make no difference.

    A secret goes into it as its keyed digest only, so that nobody can guess it from the hash. What every process has of its
    own, or must share anyway to work on one database, is left out: the database, the key, Slack's tokens.
    """
    tables = [name for name in type(config).model_fields if name not in ("database", "secrets", "slack")]
    shown = {name: _plain(getattr(config, name), keyed) for name in tables}
    slack = [name for name in type(config.slack).model_fields if name not in SLACK_ENVIRONMENT]
    shown["slack"] = {name: _plain(getattr(config.slack, name), keyed) for name in slack}
    for name in ("pbx", "dns"):  # each is looked up by its name; the order of rules and of teams has a meaning
        shown[name].sort(key=lambda entry: entry["name"].casefold())
    for pbx in shown["pbx"]:
        pbx["tls"] = _trusted(pbx["tls"])
    text = json.dumps(shown, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any, keyed: Keyed) -> Any:
    """JSON types, with one spelling for one value."""
    match value:
        case SecretStr():
            return {"keyed": keyed(b"configuration/" + value.get_secret_value().encode())}
        case BaseModel():
            return {name: _plain(getattr(value, name), keyed) for name in type(value).model_fields}
        case Mapping():
            return {str(key): _plain(each, keyed) for key, each in value.items()}
        case tuple() | list():
            return [_plain(each, keyed) for each in value]
        case timedelta():
            return value.total_seconds()
        case time():
            return value.isoformat()
        case ZoneInfo():
            return value.key
        case Enum():
            return value.value
        case str() | int() | None:
            return value
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: _plain(getattr(value, each.name), keyed) for each in fields(value)}
    raise TypeError(f"nobody has said how a {type(value).__name__} is told from another")


def _trusted(tls: str) -> str:
    """What a CA file holds instead of where it is. It was read when the configuration was loaded, and may be gone since."""
    if tls == "system" or tls.startswith("sha256:"):
        return tls
    try:
        return "file:" + hashlib.sha256(Path(tls).read_bytes()).hexdigest()
    except OSError:
        return "file:"
