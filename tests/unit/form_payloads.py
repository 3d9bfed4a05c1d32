"""The form as Slack sends it back, and what it is made with."""

from collections.abc import Mapping
from typing import Any

from bot.blocks.fields import FormContext
from bot.domain.dns_providers import Param, Provider
from bot.domain.requests import TYPED, Kind
from tests.unit import block_samples as samples

CONTEXT = FormContext(dns_profiles=(("corp", "alidns"),))
PROVIDER = Provider(
    "Some DNS", "some", True, True,
    (Param("Token", "string", None, True, "API token"), Param("TTL", "integer", 600), Param("Sandbox", "boolean")),
)  # fmt: skip
TYPING = FormContext(typed_allowed=True, provider=PROVIDER)
APPLY_TYPED = samples.ask(Kind.APPLY, dns=TYPED, provider="some", params=("Token",))


def inputs(view: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The input blocks by field name, in order."""
    return {b["block_id"].partition(":")[2]: b for b in view["blocks"] if b["type"] == "input"}


def payload(view: Mapping[str, Any], **values: Mapping[str, Any]) -> dict[str, Any]:
    """The view as Slack sends it back, with the state of these fields and of no others."""
    blocks = {name: block for name, block in inputs(view).items() if name in values}
    state = {b["block_id"]: {b["element"]["action_id"]: values[name]} for name, b in blocks.items()}
    assert len(state) == len(values), "every given field is in the form"
    return {**view, "state": {"values": state}}


def chosen(value: str) -> dict[str, Any]:
    return {"type": "static_select", "selected_option": {"text": {}, "value": value}}


def typed(value: str | None) -> dict[str, Any]:
    return {"type": "plain_text_input", "value": value}
