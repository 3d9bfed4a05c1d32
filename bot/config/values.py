"""How a single value of the configuration is read.

Each reader raises `ValueError` with the rest of a sentence that begins with the key's name. None repeats what was
written in the file, because a secret may have been written there by mistake; only what looks like the name of an
environment variable is shown.
"""

import base64
import binascii
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, SecretStr, ValidationInfo
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from bot.domain.windows import Window, parse

HOW_SECRETS_ARE_GIVEN = 'must be { env = "NAME" } or { file = "PATH" }; a secret is never written into this file'
MAKE_A_KEY = 'python -c "import secrets; print(secrets.token_urlsafe(32))"'
DATABASES = ("sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg")


@dataclass(frozen=True)
class Sources:
    """Where secrets and relative paths are looked up while a file is validated (pydantic's validation context)."""

    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    folder: Path = Path()

    @classmethod
    def of(cls, info: ValidationInfo) -> "Sources":
        return info.context if isinstance(info.context, cls) else cls()

    def variable(self, name: str) -> str:
        if text := self.environ.get(name):
            return text
        shown = f" {name}" if re.fullmatch(r"[A-Z_][A-Z0-9_]*", name) else " that is named here"
        raise ValueError(f"the environment variable{shown} is not set")

    def content(self, name: str) -> str:
        """The text of a file, without the newline that editors leave at the end."""
        try:
            text = (self.folder / name).read_text("utf-8").rstrip("\r\n")
        except (OSError, ValueError) as error:
            raise ValueError(f"the file that is named here cannot be read: {self.why(name, error)}") from None
        if not text:
            raise ValueError("the file that is named here is empty")
        return text

    def why(self, name: str, error: OSError | ValueError) -> str:
        if isinstance(error, UnicodeDecodeError):
            return "it is not UTF-8 text"
        if not isinstance(error, OSError):
            return "this is not a path"
        found_from = "" if name.startswith("/") else f" (it is looked for from {self.folder.absolute()})"
        return f"{error.strerror or 'the system gives no reason'}{found_from}"


def read_secret(value: object, info: ValidationInfo) -> SecretStr:
    match value:
        case SecretStr():
            return value
        case {"env": str(name), **rest} if name and not rest:
            return SecretStr(Sources.of(info).variable(name))
        case {"file": str(name), **rest} if name and not rest:
            return SecretStr(Sources.of(info).content(name))
    raise ValueError(HOW_SECRETS_ARE_GIVEN)


def read_parameter(value: object, info: ValidationInfo) -> object:
    """A DNS provider's setting: text, a whole number, true or false as they are; a table is a secret."""
    if isinstance(value, str | int | SecretStr):
        return value
    if isinstance(value, dict):
        return read_secret(value, info)
    raise ValueError('must be text, a whole number, true, false, { env = "NAME" } or { file = "PATH" }')


def key_bytes(text: str) -> bytes | None:
    """32 bytes from 64 hex digits or from base64 of either alphabet, padded or not; None if it is neither."""
    if re.fullmatch(r"[0-9a-fA-F]{64}", text):
        return bytes.fromhex(text)
    digits = text.rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        key = base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == 32 else None


def check_key(secret: SecretStr) -> SecretStr:
    if key_bytes(secret.get_secret_value()) is None:
        raise ValueError(f"must hold 32 bytes as base64 or as 64 hex digits; make such a key with: {MAKE_A_KEY}")
    return secret


def slack_token(prefix: str) -> AfterValidator:
    def check(secret: SecretStr) -> SecretStr:
        if not re.fullmatch(rf"{prefix}[\x21-\x7e]+", secret.get_secret_value()):
            raise ValueError(f"must hold a token that begins with {prefix}")
        return secret

    return AfterValidator(check)


def matching(pattern: str, sentence: str) -> AfterValidator:
    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(sentence)
        return text

    return AfterValidator(check)


def distinct(people: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(people)) < len(people):
        raise ValueError("names somebody twice")
    return people


def once(entries: tuple[str, ...]) -> tuple[str, ...]:
    if len({entry.casefold() for entry in entries}) < len(entries):
        raise ValueError("names the same one twice")
    return entries


def said(what_for: str) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """An empty list could mean all of them just as well as none, so it has to be said."""

    def check(entries: tuple[Any, ...]) -> tuple[Any, ...]:
        if not entries:
            raise ValueError(f"is empty: leave it out {what_for}, or name some")
        return entries

    return check


def unlike(windows: tuple[Window, ...]) -> tuple[Window, ...]:
    if len(set(windows)) < len(windows):
        raise ValueError("has the same window twice")
    return windows


def not_empty(entries: tuple[Any, ...]) -> tuple[Any, ...]:
    """As a check of its own, because pydantic's minimum length also complains when an entry is merely faulty."""
    if not entries:
        raise ValueError("must hold at least one")
    return entries


def too_few(approvals: int, approvers: int) -> str:
    return f"asks for {approvals} approvals, but there {'is' if approvers == 1 else 'are'} only {approvers} to give them"


def read_duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    parts = re.fullmatch(r"(?:(\d{1,4})d)?(?:(\d{1,4})h)?(?:(\d{1,4})m)?", value) if isinstance(value, str) else None
    if not parts or not any(parts.groups()):
        raise ValueError('must be a time such as "8h", "90m", "2d" or "1h30m"')
    days, hours, minutes = (int(part or 0) for part in parts.groups())
    return timedelta(days=days, hours=hours, minutes=minutes)


def positive(duration: timedelta) -> timedelta:
    if duration <= timedelta():
        raise ValueError("must be longer than nothing")
    return duration


def _address(url: str) -> SplitResult:
    """The parts of a web address that names a server, and maybe a path, and nothing else (RFC 3986, 3.2 and 3.3)."""
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or re.search(r"[^\x21-\x7e]|[\\<>\"]", url):
        raise ValueError("is not a web address: a host is needed, a port may follow it, and spaces may not stand in it")
    if "@" in parts.netloc:
        raise ValueError("must not hold a user name or a password")
    if "?" in url or "#" in url:
        raise ValueError("must not hold anything from ? or # on")
    return parts


def read_pbx_url(url: str) -> str:
    if not url.lower().startswith("https://"):
        raise ValueError("must begin with https://")
    parts = _address(url)
    if parts.path.strip("/"):
        raise ValueError("must end after the host and its port; the bot adds the path of the Open API itself")
    return f"https://{parts.netloc.lower().removesuffix(':')}"


def read_api_url(url: str) -> str:
    """The base of Slack's Web API; slack_sdk appends the method's name, so it ends in a slash."""
    if not re.match(r"https?://", url, re.IGNORECASE):
        raise ValueError("must begin with https:// (or with http:// for a local workspace)")
    _address(url)
    return url.rstrip("/") + "/"


def read_tls(value: str, info: ValidationInfo) -> str:
    """How the PBX proves who it is: "system", "sha256:" and 64 lower-case hex digits, or a CA file's absolute path."""
    if value == "system":
        return value
    if value.lower().startswith("sha256:"):
        return _fingerprint(value)
    sources = Sources.of(info)
    path = sources.folder / value
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError:
        raise ValueError("the file that is named here holds no CA certificate in PEM form") from None
    except (OSError, ValueError) as error:
        why = sources.why(value, error)
        raise ValueError(f'must be "system", "sha256:<fingerprint>" or a CA file, which cannot be read: {why}') from None
    return str(path.resolve())


def _fingerprint(value: str) -> str:
    digits = value.partition(":")[2].replace(":", "").lower()
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        raise ValueError("has no SHA-256 fingerprint: 64 hex digits are needed; colons between them are allowed")
    return f"sha256:{digits}"


def read_database_url(value: object, info: ValidationInfo) -> str:
    text = value if isinstance(value, str) else read_secret(value, info).get_secret_value()
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError('is not a database URL such as "sqlite:///pbx-cert-bot.db"') from None
    if url.password is not None and isinstance(value, str):
        raise ValueError(f"holds a password, so it {HOW_SECRETS_ARE_GIVEN}")
    if url.drivername not in DATABASES:
        raise ValueError("must begin with sqlite:/// or postgresql+psycopg://")
    if url.drivername.startswith("sqlite") and url.database in (None, "", ":memory:"):
        raise ValueError("must name a file: a database in memory forgets every request when the bot stops")
    return _with_driver(text)


def _with_driver(text: str) -> str:
    dialect = make_url(text).get_dialect()
    try:
        dialect.import_dbapi()
    except ImportError:
        raise ValueError(f"needs the Python package {dialect.driver}, which cannot be imported here") from None
    return text


def read_time_of_day(value: object) -> time:
    if isinstance(value, time):  # TOML has times of its own
        return value.replace(second=0, microsecond=0)
    parts = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)", value) if isinstance(value, str) else None
    if not parts:
        raise ValueError('must be a time of day such as "09:00"')
    return time(int(parts[1]), int(parts[2]))


def read_window(value: object) -> Window:
    return value if isinstance(value, Window) else parse(value if isinstance(value, str) else "")


def read_time_zone(value: object) -> ZoneInfo:
    """A name of the IANA time zone database, which the machine or the package tzdata holds."""
    if isinstance(value, ZoneInfo):
        return value
    try:
        return ZoneInfo(value if isinstance(value, str) else "")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError('must be the name of a time zone such as "Europe/Berlin" or "UTC"') from None


Secret = Annotated[SecretStr, BeforeValidator(read_secret)]
Name = Annotated[
    str,
    matching(
        r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}",
        "must be 1 to 40 letters, digits, dots, dashes or underscores, and begin with a letter or a digit",
    ),
]
_NO_CHANNEL = 'must be a channel\'s id such as "C01CERTS", as its details in Slack show it'
ChannelId = Annotated[str, matching(r"[CG][A-Z0-9]{2,}", _NO_CHANNEL)]
ChannelIdOrNone = Annotated[str, matching(r"([CG][A-Z0-9]{2,})?", _NO_CHANNEL)]
PERSON = re.compile(r"[UWS][A-Z0-9]{2,}")
PersonId = Annotated[
    str, matching(PERSON.pattern, 'must be the id of a user ("U…", "W…") or of a user group ("S…"), not a name')
]
#: A user who is a guest or a bot, or another workspace.
OutsiderId = Annotated[str, matching(r"[UWT][A-Z0-9]{2,}", 'must be the id of a user ("U…", "W…") or of a workspace ("T…")')]
People = Annotated[tuple[PersonId, ...], AfterValidator(distinct)]
TimeOfDay = Annotated[time, BeforeValidator(read_time_of_day)]
TimeZone = Annotated[ZoneInfo, BeforeValidator(read_time_zone)]
MaintenanceWindow = Annotated[Window, BeforeValidator(read_window)]
