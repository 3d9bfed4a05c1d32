"""File and environment in, `Config` or `ConfigError` out."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bot.config import contradictions, mistakes
from bot.config.models import SLACK_ENVIRONMENT, Config, DnsProfile
from bot.config.values import Sources
from bot.exceptions import ConfigError


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """Read and check everything at once.

    Raises `ConfigError` with one line for each mistake, such as ``config.toml: pbx[1].url: must begin with https://``.
    """
    raw = _parse(path)
    found = list(mistakes.of_file(raw))
    try:
        config = Config.model_validate(_shape(raw, environ), context=Sources(environ, path.parent))
    except ValidationError as error:
        found[:0] = mistakes.of_values(error)
    else:
        found += contradictions.of_policy(config)
    if found:
        raise ConfigError("\n".join(f"{path}: {mistake}" for mistake in found))
    return config


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}; config.example.toml shows what it holds") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text (at byte {error.start + 1})") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not TOML: {error}") from None


def _shape(raw: dict[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """The file's content as the models have it: the environment's part filled in, DNS parameters under ``params``."""
    shaped = {"secrets": {}, "slack": {}} | raw
    if isinstance(shaped["slack"], dict):
        shaped["slack"] = _without_environment(shaped["slack"]) | _from_environment(environ)
    if isinstance(shaped.get("dns"), list):
        shaped["dns"] = [_profile(entry) if isinstance(entry, dict) else entry for entry in shaped["dns"]]
    return shaped


def _without_environment(slack: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in slack.items() if key not in SLACK_ENVIRONMENT}


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """The tokens by name, so that a missing one is found like any other secret; what is optional only if it is set."""
    given = {key: {"env": name} for key, name in SLACK_ENVIRONMENT.items() if key.endswith("_token") or environ.get(name)}
    if "api_url" in given:
        return given | {"api_url": environ[SLACK_ENVIRONMENT["api_url"]]}
    return dict(given)


def _profile(entry: dict[str, Any]) -> dict[str, Any]:
    own = DnsProfile.model_fields.keys() - {"params"}
    return {key: value for key, value in entry.items() if key in own} | {
        "params": {key: value for key, value in entry.items() if key not in own}
    }
