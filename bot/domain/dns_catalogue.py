"""The DNS providers through which a PBX can prove a domain (vendor page "Supported DNS Providers").

``dns_providers.json`` holds what is known of each. A verified provider was read from the vendor's page. The others are those
of the ACME client lego with the keys that are likely, so neither an unknown provider nor an unknown key is refused. What is
not known is left out in the file.
"""

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal, Self

Value = str | int | bool

_TIMINGS = {"PropagationTimeout", "PollingInterval", "SequenceInterval", "HTTPTimeout", "DNSTimeout", "TTL"}

#: Settings that may be read by anybody who may see the request. What is not named here is treated as a secret.
_PUBLIC_KEYS = (
    {timing.lower() for timing in _TIMINGS}
    | {"region", "regionid", "regionname", "authregion", "host", "hostname", "nameserver", "port", "scheme", "domainname"}
    | {"zone", "zones", "zoneid", "zonename", "hostedzoneid", "dnszone", "dnsview", "view", "viewname", "tsigalgorithm"}
    | {"mode", "apimode", "apiversion", "authmethod", "context", "orgid", "pagesize", "wapiversion", "authmsitimeout"}
    | {"allowprivatezone", "debug", "insecureskipverify", "privatezone", "quotevalue", "sandbox", "skipdeploy", "sslverify"}
)


def is_secret(key: str) -> bool:
    """Whether the value under this key is to be kept as a secret; an unknown key is."""
    return key.lower() not in _PUBLIC_KEYS


@dataclass(frozen=True)
class Param:
    """One entry of a provider's ``auth_info_list``. Where ``default`` is given the PBX fills it in by itself.

    ``required`` is None where nobody has said; that is no reason to insist on it.
    """

    key: str
    type: Literal["string", "integer", "boolean"]
    default: Value | None = None
    required: bool | None = None
    about: str = ""

    @property
    def secret(self) -> bool:
        return is_secret(self.key)


@dataclass(frozen=True)
class Provider:
    """A DNS provider; ``flag`` is its name in the API. ``plausible`` is likely, though not verified, to be known to a PBX."""

    name: str
    flag: str
    verified: bool
    plausible: bool
    params: tuple[Param, ...]

    def param(self, key: str) -> Param | None:
        return next((param for param in self.params if param.key == key), None)

    def fields(self) -> tuple[Param, ...]:
        """In the order in which a person fills them in: what is needed, other settings, and last the waiting times."""
        return tuple(sorted(self.params, key=lambda param: (not param.required, param.key in _TIMINGS)))

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(**{**data, "params": tuple(Param(**param) for param in data["params"])})


class Catalogue:
    """All known providers."""

    def __init__(self, providers: Sequence[Provider]) -> None:
        self.providers = tuple(providers)
        self._by_flag = {provider.flag: provider for provider in self.providers}

    @staticmethod
    @cache
    def load() -> "Catalogue":
        """The one that ships with the bot, read once."""
        text = resources.files("bot.domain").joinpath("dns_providers.json").read_text("utf-8")
        return Catalogue([Provider.from_json(data) for data in json.loads(text)])

    def get(self, flag: str) -> Provider | None:
        return self._by_flag.get(flag)

    def search(self, text: str, limit: int = 100) -> list[Provider]:
        """By name or flag, as typed so far; every word must occur. An exact match first, then verified ones, then the best.

        The default limit is the most options a Slack select takes (docs.slack.dev/reference/block-kit/block-elements).
        """
        words = [word for word in map(_squashed, text.split()) if word]
        ranked = [(rank, provider) for provider in self.providers if (rank := _rank(provider, words)) is not None]
        ranked.sort(key=lambda pair: (*pair[0], pair[1].name.casefold()))
        return [provider for _, provider in ranked[:limit]]


def _rank(provider: Provider, words: Sequence[str]) -> tuple[bool, bool, int, bool] | None:
    """Smaller is better; None where a word does not occur. Without words all are equal."""
    whole, names = "".join(words), (_squashed(provider.flag), _squashed(provider.name))
    if not all(any(word in name for name in names) for word in words):
        return None
    starts = [part for part in map(_squashed, re.split(r"[\W_]+", provider.name)) if part]
    if any(name.startswith(whole) for name in names):
        closeness = 0
    else:
        closeness = 1 if all(any(part.startswith(word) for part in starts) for word in words) else 2
    return whole not in names, not provider.verified, closeness, not provider.plausible


def _squashed(text: str) -> str:
    """Without case, accents, spaces and punctuation, so that "Go Daddy" and "godaddy" are one."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(character for character in plain if character.isalnum())
