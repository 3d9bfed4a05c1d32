"""What is left of a request's values when its personal data is reduced: what was asked of which PBX, when, and how it ended.

Gone are who asked and why, the files' names, what the certificates say of people, and every sentence. What is not named here is
gone, too, so that a field that is added later is not kept by mistake.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.domain.certificates import CertificateFacts
from bot.domain.plan import Evidence
from bot.domain.requests import Outcome
from bot.domain.rules import REDUCED, Rule, is_group

#: How `CertificateFacts.sans` marks a name that is no host's.
_NO_HOST = ("email:", "URI:", "other:")
_OF_ASK = ("pbx", "kind", "domain", "auto_renewal", "dns", "provider", "params", "start", "emergency", "after")


def ask(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: data[name] for name in _OF_ASK if name in data}


def evidence(data: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if data is None:
        return None
    known = Evidence.from_json(data)
    found = known.certificate and _certificate(known.certificate)
    return Evidence("", known.slots_used, known.slots, certificate=found, risks=known.risks).to_json()


def plan(steps: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    return [{"step": step["step"], "call": step["call"], "about": ""} for step in steps]


def outcome(data: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The certificate stays as the PBX lists it."""
    known = Outcome.from_json(data)
    return Outcome(known.installed).to_json() if known else None


def rule(data: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Where it stood. Who might read the request may still, as far as they are groups; nobody else may who might not."""
    known = Rule.from_json(data)
    if known is None:
        return None
    groups = tuple(reader for reader in known.readers if is_group(reader))
    return Rule(known.pbx, known.line, readers=(*groups, REDUCED) if known.readers else ()).to_json()


def _certificate(facts: CertificateFacts) -> CertificateFacts:
    """Names of hosts stay; other names, as "email:…", and the free text of a subject may be a person's."""
    return replace(facts, subject="", issuer="", sans=tuple(san for san in facts.sans if not san.startswith(_NO_HOST)))
