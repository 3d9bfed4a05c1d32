"""The DNS side of issuing: which credentials a provider takes, and whether a domain's validation succeeds.

The providers' parameters follow the vendor's page administrator-guide/supported-dns-providers, for the five providers
whose entry could be read whole. Of any other provider nothing is known but that it needs something.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.pbx.answers import BAD_PARAMETER, Refusal
from bot.sandbox.pbx.params import Params, text

Value = str | int | bool

#: The keys of ``auth_info_list[]`` that carry a value, and the JSON type of each.
VALUE_TYPES: dict[str, type] = {"sv": str, "iv": int, "bv": bool}

#: Made up: the vendor's table of ``apply_tip_code`` is not public.
VALIDATION_FAILED = 1
CREDENTIALS_REFUSED = 2


@dataclass(frozen=True)
class Provider:
    """What one provider's ``auth_info_list`` must and may hold."""

    required: frozenset[str]
    strings: frozenset[str] = frozenset()
    integers: frozenset[str] = frozenset({"PropagationTimeout", "PollingInterval", "TTL"})

    def type_of(self, key: str) -> type | None:
        """The type that a key's value must have; None for a key that is not known."""
        if key in self.required | self.strings:
            return str
        return int if key in self.integers else None


PROVIDERS = {
    "edgedns": Provider(
        frozenset({"Host", "ClientToken", "ClientSecret", "AccessToken"}),
        integers=frozenset({"PropagationTimeout", "TTL"}),
    ),
    "alidns": Provider(frozenset({"AccessKeyId", "AccessKeySecret"})),
    "allinkl": Provider(frozenset({"Login", "Password"}), integers=frozenset({"PropagationTimeout", "PollingInterval"})),
    "route53": Provider(frozenset({"AccessKeyId", "SecretAccessKey"}), strings=frozenset({"Region", "HostedZoneId"})),
    "arvancloud": Provider(frozenset({"APIKey"})),
}


@dataclass(frozen=True)
class DnsSettings:
    """A provider with its credentials, as the caller gave them."""

    provider: str
    auth_info_list: list[dict[str, Any]] = field(repr=False)

    def values(self) -> dict[str, Value]:
        return {entry["k"]: _value(entry) for entry in self.auth_info_list}


def read_settings(params: Params) -> DnsSettings:
    """``dns_provider`` and a complete, rightly typed ``auth_info_list``; anything less is 40002."""
    entries = params.get("auth_info_list")
    if not isinstance(entries, list) or not entries:
        raise Refusal(BAD_PARAMETER)
    settings = DnsSettings(text(params, "dns_provider"), [_entry(entry) for entry in entries])
    provider = PROVIDERS.get(settings.provider)
    if provider is not None:
        _check(provider, settings.values())
    return settings


def _entry(entry: Any) -> dict[str, Any]:
    """One element: ``k`` and exactly one of ``sv``, ``iv``, ``bv``, each of its own JSON type."""
    if not isinstance(entry, dict) or not isinstance(entry.get("k"), str) or not entry["k"]:
        raise Refusal(BAD_PARAMETER)
    given = [key for key in VALUE_TYPES if key in entry]
    if len(given) != 1 or type(entry[given[0]]) is not VALUE_TYPES[given[0]]:
        raise Refusal(BAD_PARAMETER)
    return entry


def _value(entry: Mapping[str, Any]) -> Value:
    value: Value = next(entry[key] for key in VALUE_TYPES if key in entry)
    return value


def _check(provider: Provider, values: Mapping[str, Value]) -> None:
    for key, value in values.items():
        if provider.type_of(key) not in (None, type(value)):
            raise Refusal(BAD_PARAMETER)
    if any(not values.get(key) for key in provider.required):
        raise Refusal(BAD_PARAMETER)


@dataclass
class DnsZone:
    """Whether the PBX can prove that it holds a domain. Everything succeeds until told otherwise."""

    _accepted: dict[str, dict[str, Value]] = field(default_factory=dict, repr=False)
    _failing: dict[str, int] = field(default_factory=dict)

    def credentials(self, provider: str, values: Mapping[str, Value]) -> None:
        """From now on this provider takes only these values; other ones end in ``issuance_fail``."""
        self._accepted[provider] = dict(values)

    def fail(self, domain: str, tip_code: int = VALIDATION_FAILED) -> None:
        """Let the issuing for this domain end in ``issuance_fail`` with this ``apply_tip_code``; ``*`` is for every domain."""
        self._failing[domain] = tip_code

    def heal(self, domain: str) -> None:
        """Let the issuing for this domain succeed again."""
        self._failing.pop(domain, None)

    def verdict(self, domain: str, settings: DnsSettings) -> int | None:
        """The ``apply_tip_code`` of a failure, or None for success."""
        accepted = self._accepted.get(settings.provider, {})
        given = settings.values()
        if any(given.get(key) != value for key, value in accepted.items()):
            return CREDENTIALS_REFUSED
        return self._failing.get(domain, self._failing.get("*"))
