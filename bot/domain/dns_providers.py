"""Credentials and settings for a DNS provider, each typed as the provider wants it (``sv``, ``iv`` or ``bv`` in the API)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.domain.dns_catalogue import Catalogue, Param, Provider, Value, is_secret
from bot.domain.problems import Problem, printable

__all__ = ["Catalogue", "CheckedParams", "Param", "Provider", "Value", "check_params", "is_secret"]

#: The PBX takes an integer of unknown width; this is the largest that every width holds.
LARGEST = 2**31 - 1

_DIGITS = re.compile(r"[0-9]{1,10}")
_YES = frozenset({"yes", "true", "on", "1"})
_NO = frozenset({"no", "false", "off", "0"})


@dataclass(frozen=True)
class CheckedParams:
    """The typed values, which are secrets, what is wrong with them, and what is only unusual. Texts hold no value."""

    values: dict[str, Value] = field(repr=False)
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()


def check_params(provider_flag: str, raw: Mapping[str, Value], catalogue: Catalogue) -> CheckedParams:
    """Type the values for this provider and say what is missing or wrong.

    Only a verified provider's missing keys are problems. Nothing is known about an unknown provider or key, so their values
    are passed on as given. A known key left empty is the same as one left out: the PBX then uses its default.
    """
    if not provider_flag.strip():
        message = "The DNS provider is missing. Choose the one that hosts the domain."
        return CheckedParams({}, (Problem("dns", message, "dns_provider_missing"),))
    provider = catalogue.get(provider_flag)
    if provider is None:
        warning = f"The DNS provider “{printable(provider_flag)}” is not in our list; it is passed to the PBX as given."
        return CheckedParams(dict(raw), (), (warning,))
    values, problems = _typed(provider, raw)
    missing = [param for param in provider.params if param.required and param.key not in values]
    missing = [param for param in missing if f"dns.{param.key}" not in {problem.field for problem in problems}]
    if provider.verified:
        problems += [_missing(param, provider) for param in missing]
    return CheckedParams(values, tuple(problems), (*_unlisted(provider, raw), *_doubts(provider, values, missing)))


def _typed(provider: Provider, raw: Mapping[str, Value]) -> tuple[dict[str, Value], list[Problem]]:
    values: dict[str, Value] = {}
    problems = []
    for key, given in raw.items():
        param = provider.param(key)
        if param is None:
            values[key] = given
        elif str(given).strip():
            value = _READERS[param.type](given)
            if value is None:
                problems.append(_wrongly_typed(param))
            else:
                values[key] = value
    return values, problems


def _string(given: Value) -> str | None:
    """Spaces around a credential come from copying. A number is a credential made of digits; yes and no are none."""
    return None if isinstance(given, bool) else str(given).strip()


def _integer(given: Value) -> int | None:
    """All whole numbers that providers take are times, sizes or ids, so none is negative."""
    if isinstance(given, bool) or not _DIGITS.fullmatch(str(given).strip()):
        return None
    number = int(given)
    return number if number <= LARGEST else None


def _boolean(given: Value) -> bool | None:
    word = str(given).strip().lower()
    return True if word in _YES else False if word in _NO else None


_READERS = {"string": _string, "integer": _integer, "boolean": _boolean}

_WANTED = {
    "string": "a text. Put the value in quotes",
    "integer": f"a whole number from 0 to {LARGEST}, without a unit. Write 300, not 300s",
    "boolean": "yes or no. Write yes or no",
}


def _wrongly_typed(param: Param) -> Problem:
    return Problem(f"dns.{param.key}", f"{param.key} must be {_WANTED[param.type]}.", "dns_param_type")


def _missing(param: Param, provider: Provider) -> Problem:
    about = f" ({param.about})" if param.about else ""
    message = f"{param.key}{about} is missing. {provider.name} needs it, and without it the PBX refuses the request."
    return Problem(f"dns.{param.key}", message, "dns_param_missing")


def _unlisted(provider: Provider, raw: Mapping[str, Value]) -> list[str]:
    """A key nearly right is likely a slip; one altogether new is worth a word only where the list is the vendor's own."""
    known = {param.key.lower(): param.key for param in provider.params}
    warnings = []
    for key in raw:
        meant = known.get(key.lower())
        if provider.param(key) is None and (meant or provider.verified):
            hint = f" Is {meant} meant?" if meant else ""
            warnings.append(f"{printable(key)} is not among the listed parameters of {provider.name}; it is passed on.{hint}")
    return warnings


def _doubts(provider: Provider, values: Mapping[str, Value], missing: list[Param]) -> list[str]:
    """Of what is only likely, a lack is worth saying but no reason to refuse."""
    if provider.verified:
        return []
    warnings = [f"{param.key} is missing, which {provider.name} probably needs." for param in missing]
    asked = [param.key for param in provider.params if param.secret]
    if asked and not any(param is None or param.secret for param in map(provider.param, values)):
        warnings.append(f"No credential for {provider.name} is given; it probably needs some of {', '.join(asked)}.")
    return warnings
