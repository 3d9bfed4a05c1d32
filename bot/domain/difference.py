"""What is different between two versions of a request, in sentences for whoever saw the first one.

The sentences are plain text and quote what people and certificates bring along, so whoever shows them escapes them.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from bot.domain.certificates import CertificateFacts
from bot.domain.plan import Evidence
from bot.domain.problems import printable
from bot.domain.requests import TYPED, Ask, Request, canonical
from bot.domain.rules import Rule

#: How much of one value, and how many of a list, a sentence quotes.
LENGTH, ITEMS = 120, 4


@dataclass(frozen=True)
class Content:
    """What the approvers are shown of one version: all that its digest binds, but for the secrets."""

    ask: Ask
    evidence: Mapping[str, Any]
    plan: tuple[Mapping[str, str], ...] = ()
    rule: Rule | None = None

    @classmethod
    def of(cls, request: Request) -> Self:
        return cls(request.ask, request.evidence or {}, request.plan, request.rule)

    @property
    def known(self) -> Evidence | None:
        return Evidence.from_json(self.evidence) if self.evidence else None

    def canonical(self) -> str:
        rule = self.rule.to_json() if self.rule else None
        return canonical([self.ask.to_json(), dict(self.evidence), [dict(step) for step in self.plan], rule])


def difference(old: Content, new: Content, secrets: Collection[str] = ()) -> tuple[str, ...]:
    """A sentence for each thing that is not the same any more; empty only where everything is.

    ``secrets`` names those whose content has changed; what is in them nobody says.
    """
    if old.canonical() == new.canonical() and not secrets:
        return ()
    told = dict(_aspects(old, new))
    told |= _secrets(secrets, told)
    return tuple(told.values()) or ("Something in its evidence is not the same any more; its Details show all of it.",)


def _aspects(old: Content, new: Content) -> Iterator[tuple[str, str]]:
    for name, one in _ONE.items():
        if (was := one(old)) != (now := one(new)):
            yield name, _changed(name, was, now)
    for name, many in _MANY.items():
        if (before := many(old)) != (after := many(new)):
            yield name, _moved(name, before, after)
    if rule := _rule(old.rule, new.rule):
        yield "The rule", rule


def _secrets(changed: Collection[str], told: Mapping[str, str]) -> dict[str, str]:
    """Only where nothing else says so: new files mostly have another fingerprint."""
    said = {}
    if "dns" in changed and not told.keys() & {_CREDENTIALS, _PROVIDER, _PARAMETERS}:
        said[_CREDENTIALS] = f"{_CREDENTIALS} have other values."
    if "bundle" in changed and not told.keys() & {_FINGERPRINT, _CHAIN}:
        said[_FINGERPRINT] = "The files hold something else, although the certificate is the same."
    return said


def _changed(name: str, was: str, now: str) -> str:
    was, now = _short(was), _short(now)
    one = name not in _PLURAL
    if was == now:
        return f"{name} {'is' if one else 'are'} not quite the same any more."
    return f"{name} {'is' if one else 'are'} {_quoted(now)} now; {'it was' if one else 'they were'} {_quoted(was)}."


def _moved(name: str, before: Sequence[str], after: Sequence[str]) -> str:
    came = [each for each in after if each not in before]
    went = [each for each in before if each not in after]
    told = [_several(items, word) for items, word in ((came, "new"), (went, "gone")) if items]
    return f"{name}: {'; '.join(told)}." if told else f"{name} stand in another order."


def _several(items: Sequence[str], word: str) -> str:
    left = len(items) - ITEMS
    named = ", ".join(_quoted(_short(item)) for item in items[:ITEMS]) + (f" and {left} more" if left > 0 else "")
    return f"{named} {'is' if len(items) == 1 else 'are'} {word}"


def _short(text: str) -> str:
    return printable(" ".join(text.split()), LENGTH)


def _quoted(text: str) -> str:
    return f"“{text}”" if text else "empty"


def _rule(old: Rule | None, new: Rule | None) -> str:
    if old == new:
        return ""
    if old is None or new is None:
        return "It is decided by a rule now." if new else "It is decided by no rule any more."
    was, now = _quoted(_short(old.line)), _quoted(_short(new.line))
    if old.is_same(new):
        return f"The rule that decides it stands at {now} now, or others may read it."
    takes = f"which takes {new.approvals} approvals or more"
    return f"It is decided by the rule {now} now, {takes}; it was {was} with {old.approvals}."


_CREDENTIALS, _PROVIDER, _PARAMETERS = "The DNS credentials", "The DNS provider", "The DNS parameters given"
_WINDOWS = "The maintenance windows"
_PLURAL = frozenset({_CREDENTIALS, _WINDOWS})
_FINGERPRINT, _CHAIN = "The certificate's SHA-256", "The chain"


def _certificate(read: Callable[[CertificateFacts], str]) -> Callable[[Content], str]:
    def one(content: Content) -> str:
        found = content.known.certificate if content.known else None
        return read(found) if found else ""

    return one


def _known(read: Callable[[Evidence], Sequence[str]]) -> Callable[[Content], tuple[str, ...]]:
    def many(content: Content) -> tuple[str, ...]:
        return tuple(read(content.known)) if content.known else ()

    return many


def _dns(content: Content) -> str:
    if not content.ask.needs_dns:
        return ""
    return "typed by the requester" if content.ask.dns == TYPED else content.ask.dns


def _room(content: Content) -> str:
    known = content.known
    if known is None:
        return ""
    return f"{known.slots_used} of {known.slots} slots used" if known.slots_used is not None else known.pbx_note or "unknown"


#: What has one value, in the order in which it is told.
_ONE: Mapping[str, Callable[[Content], str]] = {
    "The reason": lambda content: content.ask.reason,
    "The PBX": lambda content: content.ask.pbx,
    "The kind": lambda content: content.ask.kind.value,
    "The domain": lambda content: content.ask.domain if not content.ask.needs_files else "",
    "Automatic renewal": lambda content: "on" if content.ask.auto_renewal else "off",
    _CREDENTIALS: _dns,
    _PROVIDER: lambda content: content.ask.provider if content.ask.needs_dns else "",
    "The start": lambda content: content.ask.start or "as soon as it is approved",
    _WINDOWS: lambda content: content.known.windows if content.known else "",
    "Emergency": lambda content: "yes" if content.ask.emergency else "no",
    "The request before it": lambda content: f"#{content.ask.after}" if content.ask.after else "",
    _FINGERPRINT: _certificate(lambda found: found.sha256),
    "The subject": _certificate(lambda found: found.subject),
    "The issuer": _certificate(lambda found: found.issuer),
    "The beginning of its validity": _certificate(lambda found: f"{found.not_before:%Y-%m-%d %H:%M} UTC"),
    "The end of its validity": _certificate(lambda found: f"{found.not_after:%Y-%m-%d %H:%M} UTC"),
    "The key": _certificate(lambda found: found.key),
    "The name on the PBX": lambda content: content.known.name if content.known else "",
    "The room on the PBX": _room,
}
#: What is a list.
_MANY: Mapping[str, Callable[[Content], tuple[str, ...]]] = {
    "The files": lambda content: tuple(file.name for file in content.ask.files) if content.ask.needs_files else (),
    "The names (SAN)": _known(lambda known: known.certificate.sans if known.certificate else ()),
    _CHAIN: _known(lambda known: [f"{link.name} {link.sha256}" for link in known.chain]),
    _PARAMETERS: _known(lambda known: known.params),
    "The risks": _known(lambda known: known.risks),
    "The warnings": _known(lambda known: known.warnings),
    "What is on the PBX already": _known(lambda known: [f"{one.name} (id {one.id})" for one in known.neighbours]),
    "Requests for the same": _known(lambda known: [f"#{number}" for number in known.asked_already]),
    "What the bot will do": lambda content: tuple(step.get("about", "") for step in content.plan),
}
