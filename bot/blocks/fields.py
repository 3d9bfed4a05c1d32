"""The fields of the form, in their order: which kind of request shows which, and each as a block."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.blocks import parts
from bot.blocks.parts import Block
from bot.blocks.text import code, listed, size
from bot.domain.dns_providers import Param, Provider
from bot.domain.emergencies import REASON_MIN
from bot.domain.requests import TYPED, Ask, Kind
from bot.domain.schedule import asked_start

#: A static select holds 100 options (docs.slack.dev/reference/block-kit/block-elements/select-menu-element).
MAX_PROFILES = 99

REASON_LENGTH = 500
#: More than any domain has, so that a too long one reaches the check and gets its sentence.
DOMAIN_LENGTH = 300
#: More than any PBX's name has.
PBX_LENGTH = 100


@dataclass(frozen=True)
class FormContext:
    """What the form needs to know besides what was typed.

    ``dns_profiles`` are (name, provider's flag). ``provider`` is the chosen one when credentials are typed. ``kept`` names the
    typed parameters that are in the vault already; their values never come back. ``emergency`` says that this person may have
    it done at once, as far as is known; ``pbx_matters`` that other fields depend on which PBX is chosen.
    """

    dns_profiles: tuple[tuple[str, str], ...] = ()
    typed_allowed: bool = False
    provider: Provider | None = None
    kept: frozenset[str] = frozenset()
    emergency: bool = False
    pbx_matters: bool = False


def block_id(field: str, revision: int) -> str:
    """A new revision makes new ids, under which Slack takes the initial values instead of what was typed before."""
    return f"f{revision}:{field}"


def param_field(provider: str, key: str) -> str:
    """The provider is part of the name, or Slack would carry a value over to another provider's parameter of that name."""
    return f"param.{provider}.{key}"


def shown(ask: Ask, context: FormContext) -> list[str]:
    """The names of the fields on display that take input, in order."""
    names = ["pbx", "kind"]
    names += ["files"] if ask.needs_files else []
    names += ["domain"] if ask.kind is Kind.APPLY else []
    names += ["auto_renewal"] if ask.kind is Kind.IMPORT else []
    if ask.needs_dns and can_choose_dns(context):
        names += ["dns", *_typed(ask, context)]
    if not context.emergency:
        return [*names, "reason", "start"]
    return [*names, "reason", *(["emergency", "emergency_pbx"] if ask.emergency else ["start", "emergency"])]


def can_choose_dns(context: FormContext) -> bool:
    return bool(context.dns_profiles) or context.typed_allowed


def _typed(ask: Ask, context: FormContext) -> list[str]:
    if ask.dns != TYPED or not context.typed_allowed:
        return []
    provider = context.provider
    return ["provider", *(param_field(provider.flag, param.key) for param in provider.fields())] if provider else ["provider"]


def render(name: str, ask: Ask, context: FormContext, revision: int) -> Block:
    """One field as an input block."""
    at = block_id(name, revision)
    if name in _RENDER:
        return _RENDER[name](at, ask, context)
    return _param(at, name, ask, context)


def _pbx(at: str, ask: Ask, context: FormContext) -> Block:
    chosen = parts.option(ask.pbx, ask.pbx) if ask.pbx else None
    return parts.field(at, "PBX", parts.external("pbx", "Choose a PBX", chosen, from_length=0), dispatch=context.pbx_matters)


_KIND_OPTIONS = (
    parts.option("Trusted CA certificate", Kind.TRUSTED.value, "A CA that the PBX shall trust, from a file"),
    parts.option("Server certificate: import", Kind.IMPORT.value, "The PBX's own certificate with its private key, from files"),
    parts.option("Server certificate: apply", Kind.APPLY.value, "The PBX applies for one itself and proves its domain by DNS"),
)


def _kind(at: str, ask: Ask, context: FormContext) -> Block:
    element = parts.choice("kind", "radio_buttons", _KIND_OPTIONS, [ask.kind.value])
    return parts.field(at, "What do you need?", element, dispatch=True)


_FILES: Mapping[Kind, tuple[str, str]] = {
    Kind.TRUSTED: ("CA certificate", "One certificate as PEM or DER, without a private key, at most 1 MB."),
    Kind.IMPORT: (
        "Certificate and private key",
        "One to three files, together at most 1 MB: all in one PEM, or certificate, chain and key apart. The key must not be"
        " encrypted. At the end you are asked to delete the file that held it.",
    ),
}


def _files(at: str, ask: Ask, context: FormContext) -> Block:
    label, hint = _FILES[ask.kind]
    element = {"type": "file_input", "action_id": "files", "max_files": 3}
    return parts.field(at, "Replace the file(s)" if ask.files else label, element, hint=hint, optional=bool(ask.files))


def _domain(at: str, ask: Ask, context: FormContext) -> Block:
    element = parts.text_input("domain", ask.domain, "pbx.example.com or *.example.com", max_length=DOMAIN_LENGTH)
    return parts.field(at, "Domain", element, hint="The name under which people reach the PBX, without https:// and port.")


def _auto_renewal(at: str, ask: Ask, context: FormContext) -> Block:
    options = [parts.option("Let the PBX renew this certificate by itself", "1")]
    element = parts.choice("auto_renewal", "checkboxes", options, ["1"] if ask.auto_renewal else [])
    hint = "The PBX then likely replaces it by a certificate from its own CA, and needs DNS credentials for that."
    return parts.field(at, "Automatic renewal", element, hint=hint, optional=True, dispatch=True)


def _dns(at: str, ask: Ask, context: FormContext) -> Block:
    most = MAX_PROFILES if context.typed_allowed else MAX_PROFILES + 1
    options = [parts.option(f"{name} ({flag})", name) for name, flag in context.dns_profiles[:most]]
    options += [parts.option("Type the credentials here", TYPED)] if context.typed_allowed else []
    left = len(context.dns_profiles) - most
    hint = "The PBX proves with them that it holds the domain." + (
        f" {left} more profiles do not fit here." if left > 0 else ""
    )
    element = parts.choice("dns", "static_select", options, [ask.dns], "Choose DNS credentials")
    return parts.field(at, "DNS credentials", element, hint=hint, dispatch=context.typed_allowed)


def _provider(at: str, ask: Ask, context: FormContext) -> Block:
    name = context.provider.name if context.provider else ask.provider
    chosen = parts.option(name, ask.provider) if ask.provider else None
    element = parts.external("provider", "Type a part of its name", chosen, from_length=1)
    return parts.field(at, "DNS provider", element, dispatch=True)


def _reason(at: str, ask: Ask, context: FormContext) -> Block:
    element = parts.text_input("reason", ask.reason, multiline=True, max_length=REASON_LENGTH)
    hint = "The approvers see this: what the certificate is for, and by when."
    if ask.emergency and context.emergency:
        hint = f"At least {REASON_MIN} characters: what is broken, and why it cannot wait. Everybody who is told reads this."
    return parts.field(at, "Reason", element, hint=hint)


def _emergency(at: str, ask: Ask, context: FormContext) -> Block:
    options = [parts.option("Emergency: at once, without the approvals", "1")]
    element = parts.choice("emergency", "checkboxes", options, ["1"] if ask.emergency else [])
    hint = "Everybody whom the policy names is told at once, and a second person has to confirm it afterwards."
    return parts.field(at, "Emergency", element, hint=hint, optional=True, dispatch=True)


def _emergency_pbx(at: str, ask: Ask, context: FormContext) -> Block:
    """Always empty: it is there to be typed."""
    element = parts.text_input("emergency_pbx", max_length=PBX_LENGTH)
    return parts.field(at, "Name of the PBX", element, hint="Type out the name of the PBX that is chosen above.")


def _start(at: str, ask: Ask, context: FormContext) -> Block:
    hint = (
        "Left empty: as soon as it is approved, and in a maintenance window where the PBX has any. What you choose is kept, "
        "outside the windows as well; the approvers see that."
    )
    return parts.field(at, "Start", parts.moment("start", asked_start(ask)), hint=hint, optional=True)


_RENDER: Mapping[str, Callable[[str, Ask, FormContext], Block]] = {
    "pbx": _pbx,
    "kind": _kind,
    "files": _files,
    "domain": _domain,
    "auto_renewal": _auto_renewal,
    "dns": _dns,
    "provider": _provider,
    "reason": _reason,
    "start": _start,
    "emergency": _emergency,
    "emergency_pbx": _emergency_pbx,
}


def is_kept(key: str, ask: Ask, context: FormContext) -> bool:
    """Both must know it: a change of the provider empties ``ask.params``, although the vault still holds the old values."""
    return key in context.kept and key in ask.params


def _param(at: str, name: str, ask: Ask, context: FormContext) -> Block:
    provider = context.provider
    if provider is None:
        raise ValueError(f"{name} is a field of no provider")
    param = next(param for param in provider.params if param_field(provider.flag, param.key) == name)
    kept = is_kept(param.key, ask, context)
    optional = kept or not (param.required and provider.verified)
    return parts.field(at, param.key, _param_element(param, kept), hint=_param_hint(param, provider), optional=optional)


def _param_element(param: Param, kept: bool) -> Block:
    """Never with an initial value: what is in the vault does not go back to Slack."""
    if param.type == "boolean":
        options = [parts.option("Yes", "true"), parts.option("No", "false")]
        return parts.choice("param", "static_select", options, ask="kept; choose to replace" if kept else "Yes or no")
    return parts.text_input("param", ask="kept; type to replace" if kept else "")


def _param_hint(param: Param, provider: Provider) -> str:
    about = (param.about or "").strip().rstrip(".")
    sentences = [about[:1].upper() + about[1:]] if about else []
    if param.type == "integer":
        sentences.append("A whole number")
    if param.default is not None:
        sentences.append(f"The PBX uses {param.default} if this is left empty")
    if param.required and not provider.verified:
        sentences.append("Likely needed")
    return ". ".join(sentences) + "." if sentences else ""


def no_dns() -> Block:
    """In place of the choice where there is nothing to choose from."""
    return parts.section(
        "⚠️ There are no DNS credentials to choose from. Please ask an operator of this bot to add a `[[dns]]` profile to its"
        " configuration; until then this kind of request cannot be made. [no_dns_profile]"
    )


def received(ask: Ask) -> Block:
    """A file input cannot be filled in beforehand, so what has arrived is named above it."""
    names = [f"{code(file.name, 200)} ({size(file.size)})" for file in ask.files]
    return parts.section(f"Received: {listed(names, most=10)}")


def to_be_fetched(ask: Ask) -> Block:
    """Files of an ended request, of which the bot has kept nothing."""
    names = listed([code(file.name, 200) for file in ask.files], most=10)
    return parts.section(f"From #{ask.after}: {names}. It is fetched from Slack again; upload it if it was deleted there.")


def wiped(ask: Ask) -> Block:
    return parts.section(f"The DNS credentials that you typed for #{ask.after} are not kept. Please type them again.")
