"""What is wrong with a configuration file, one line each. No line repeats a value, because it may be a secret."""

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bot.config.models import (
    SLACK_ENVIRONMENT,
    AuditConfig,
    Config,
    DatabaseConfig,
    PbxConfig,
    RiskConfig,
    SecretsConfig,
    SlackConfig,
)
from bot.config.rules import EmergencyConfig, PolicyConfig, SeatsConfig, Table, TeamConfig
from bot.config.values import HOW_SECRETS_ARE_GIVEN

Raw = Mapping[str, Any]

TABLES: Mapping[str, type[Table]] = {
    "database": DatabaseConfig,
    "secrets": SecretsConfig,
    "slack": SlackConfig,
    "pbx": PbxConfig,
    "policy": PolicyConfig,
    "team": TeamConfig,
    "risk": RiskConfig,
    "audit": AuditConfig,
}
#: Tables within an entry of ``[[policy]]``.
INNER: Mapping[str, type[Table]] = {"all": SeatsConfig, "any": SeatsConfig, "emergency": EmergencyConfig}
#: pydantic's error types (docs.pydantic.dev/latest/errors/validation_errors) in our words.
WORDS = {
    "missing": "is missing",
    "string_type": 'must be text in quotes, such as "text"',
    "int_type": "must be a whole number without quotes",
    "bool_type": "must be true or false, without quotes",
    "greater_than_equal": "must be 1 or more",
    "less_than_equal": "must be 100 or fewer",
    "tuple_type": "must be a list",
    "model_type": "must be a table",
}
#: How what people know from ``[[pbx]]`` is written in ``[[policy]]``.
ELSEWHERE = {
    "approvers": 'write all = [{ of = ["S02LEADS"] }]',
    "approvals": 'write all = [{ of = ["S02LEADS"], approvals = 2 }]',
    "requesters": "ask says who may ask; requester says whose requests the rule is for",
}
#: What the groups of approvers look like.
SHAPES = {
    "tuple_type": 'must be a list such as [{ of = ["S02LEADS"] }]',
    "model_type": 'must be a table such as { of = ["S02LEADS"] }',
}
#: Parameters of DNS providers that hold a secret by the sound of their names, such as AccessKeySecret or TSIGKey...
SECRET_NAME = re.compile(r"secret|token|passw|credential|private|signature|key$", re.IGNORECASE)
#: ... unless they say where something is, or name it.
NOT_SECRET_NAME = re.compile(r"(path|file|url|id|name|publickey)$", re.IGNORECASE)


def of_values(error: ValidationError) -> Iterator[str]:
    """What each value is wrong about by itself."""
    for details in error.errors(include_url=False, include_input=False):
        yield f"{_where(details['loc'])}: {_what(details)}"


def of_file(raw: Raw) -> Iterator[str]:
    """What can only be seen by comparing values, or by knowing where they came from."""
    slack = raw.get("slack")
    for key in slack if isinstance(slack, dict) else ():
        if key in SLACK_ENVIRONMENT:
            yield f"slack.{key}: is taken from the environment variable {SLACK_ENVIRONMENT[key]} only; remove it here"
    yield from _doubles(raw, "pbx", "name")
    yield from _doubles(raw, "pbx", "url")
    yield from _doubles(raw, "dns", "name")
    yield from _doubles(raw, "team", "name")
    yield from _plain_secrets(raw)


def _where(location: tuple[int | str, ...]) -> str:
    """The place as the file has it: ``pbx[1].approvers[0]``; with the variable's name if the environment has it."""
    own = (*location[:2], *location[3:]) if location[0] == "dns" and location[2:3] == ("params",) else location
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{_shown(part)}" for part in own).removeprefix(".")
    variable = SLACK_ENVIRONMENT.get(str(location[1])) if location[0] == "slack" and len(location) > 1 else None
    return f"{where} ({variable})" if variable else where


def _shown(key: str) -> str:
    return key if re.fullmatch(r"[\w-]+", key) else repr(key)


def _what(details: ErrorDetails) -> str:
    if details["type"] == "extra_forbidden":
        return _unknown(details["loc"])
    if details["type"] == "enum":
        return f"must be one of {details['ctx']['expected']}"
    if details["type"] == "value_error":
        return str(details["ctx"]["error"])
    if details["type"] == "tuple_type" and details["loc"] in (("pbx",), ("dns",), ("policy",), ("team",)):
        return f"must be written as [[{details['loc'][0]}]], in double brackets"
    if details["loc"][0] == "policy" and details["loc"][2:3] in (("all",), ("any",)) and len(details["loc"]) < 5:
        return SHAPES.get(details["type"]) or WORDS.get(details["type"], details["msg"])
    return WORDS.get(details["type"], details["msg"])


def _unknown(location: tuple[int | str, ...]) -> str:
    table: type[Table] = TABLES[str(location[0])] if len(location) > 1 else Config
    if table is PolicyConfig and len(location) > 3:
        table = INNER[str(location[2])]
    if table is PolicyConfig and location[-1] in ELSEWHERE:
        return f"is a key of [[pbx]]; here, {ELSEWHERE[str(location[-1])]}"
    known = [key for key in table.model_fields if table is not SlackConfig or key not in SLACK_ENVIRONMENT]
    near = difflib.get_close_matches(str(location[-1]).lower(), known, n=1)
    return f"is not known; did you mean {near[0]}?" if near else f"is not known; what may stand here: {', '.join(known)}"


def _entries(raw: Raw, table: str) -> Iterator[tuple[int, Raw]]:
    """Those of ``[[table]]`` that have the shape of a table, with their index."""
    found = raw.get(table)
    for index, entry in enumerate(found if isinstance(found, list) else ()):
        if isinstance(entry, dict):
            yield index, entry


def _doubles(raw: Raw, table: str, key: str) -> Iterator[str]:
    seen: dict[str, int] = {}
    for index, entry in _entries(raw, table):
        if isinstance(value := entry.get(key), str):
            first = seen.setdefault(value.casefold().rstrip("/"), index)
            if first != index:
                yield f"{table}[{index}].{key}: is the same as {table}[{first}].{key}"


def _plain_secrets(raw: Raw) -> Iterator[str]:
    for index, entry in _entries(raw, "dns"):
        for key, value in entry.items():
            if isinstance(value, str) and (_sounds_secret(key) or "PRIVATE KEY-----" in value):
                yield f"dns[{index}].{key}: {HOW_SECRETS_ARE_GIVEN}"


def _sounds_secret(key: str) -> bool:
    return bool(SECRET_NAME.search(key)) and not NOT_SECRET_NAME.search(key)
