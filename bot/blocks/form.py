"""The modal in which people ask: its view, what it carries, and where its errors go.

What was typed travels in two places: in Slack's state of the view, and in ``private_metadata``, because Slack may leave
a filled-in value out of the state (docs.slack.dev/reference/views). No secret is in either of what we send.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.blocks import fields, parts
from bot.blocks.fields import FormContext, block_id, shown
from bot.blocks.parts import Block, View
from bot.blocks.text import MAX_TEXT, escape, packed
from bot.domain.problems import Problem
from bot.domain.requests import TYPED, Ask, ReceivedFile

__all__ = ["CALLBACK", "FormContext", "FormState", "block_id", "errors", "form"]

CALLBACK = "form"

#: The most that private_metadata may hold (docs.slack.dev/reference/views/modal-views).
MAX_METADATA = 3000


@dataclass(frozen=True)
class FormState:
    """What the form stands at. ``draft`` and ``version`` are the row's once there is one; ``revision`` makes new block ids.

    ``edits`` is the request that it changes, if it does, and ``edits_version`` the version of it that its requester has seen.
    """

    ask: Ask
    draft: int | None = None
    version: int = 0
    revision: int = 0
    asked_in: str = ""
    #: Where Slack takes a private answer to the command that opened the form; it came from Slack and is this person's.
    reply_to: str = ""
    edits: int | None = None
    edits_version: int | None = None

    @property
    def holder(self) -> int | None:
        """Whose secrets the form builds upon: the draft's, or before there is one those of the request that it changes."""
        return self.draft or self.edits

    def dump(self) -> str:
        """Compact JSON, shorter than 3000 characters: what is in the draft's row anyway is cut first."""
        for ask in (self.ask, _without_links(self.ask), _with_short_names(self.ask)):
            text = self._json(ask)
            if _length(text) < MAX_METADATA:
                return text
        return self._json(replace(self.ask, files=(), reason="", domain=""))

    def _json(self, ask: Ask) -> str:
        plain = Ask().to_json()
        given = {name: value for name, value in ask.to_json().items() if name == "kind" or value != plain[name]}
        rest = {
            "draft": self.draft,
            "version": self.version,
            "revision": self.revision,
            "asked_in": self.asked_in,
            "reply_to": self.reply_to,
            "edits": self.edits,
            "edits_version": self.edits_version,
        }
        return json.dumps({**rest, "ask": given}, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def load(cls, text: str) -> "FormState":
        """Raises ValueError for anything that `dump` did not make."""
        try:
            data = json.loads(text)
            return cls(**{**data, "ask": Ask.from_json(data["ask"])})
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("not the metadata of the form") from error


def form(state: FormState, context: FormContext, problems: Sequence[Problem | Mapping[str, str]] = ()) -> View:
    """The form as it stands, each problem above its field. Only parameters that are kept stay in the metadata, and an emergency
    only where there is its box to untick; what waits for its approval does not become one."""
    context = replace(context, emergency=context.emergency and state.edits is None)
    kept = tuple(key for key in state.ask.params if key in context.kept)
    carried = replace(state, ask=replace(state.ask, params=kept, emergency=state.ask.emergency and context.emergency))
    told = _by_field([_problem(each) for each in problems], state.ask, context)
    blocks = [*_purpose(state), *parts.sections(packed(told.pop("", [])))]
    for name in shown(state.ask, context):
        blocks += _above(name, state, context) + parts.sections(packed(told.get(name, [])))
        blocks.append(fields.render(name, state.ask, context, state.revision))
    title = f"Change #{state.edits}" if state.edits else "Ask for a certificate"
    return parts.modal(title, blocks, callback_id=CALLBACK, metadata=carried.dump(), submit="Check", close="Cancel")


def errors(problems: Sequence[Problem | Mapping[str, str]], revision: int, ask: Ask, context: FormContext) -> dict[str, str]:
    """For ``response_action: errors``: every problem under an input that is on display, its own or the nearest."""
    told: dict[str, list[str]] = defaultdict(list)
    for problem in map(_problem, problems):
        name = _home(problem.field, ask, context) or "pbx"
        told[block_id(name, revision)].append(str(problem))
    return {block: " ".join(sentences)[:MAX_TEXT] for block, sentences in told.items()}


def _purpose(state: FormState) -> list[Block]:
    if state.edits:
        text = (
            f"You change #{state.edits}. It stays as it is until you confirm what you change. Then votes start again, and those"
            " who have voted are asked to look at what is different."
        )
        return [parts.context(text)]
    return [parts.context(f"Asked anew after #{state.ask.after}: a request of its own.")] if state.ask.after else []


def _above(name: str, state: FormState, context: FormContext) -> list[Block]:
    ask = state.ask
    if name == "files" and ask.files:
        return [fields.received(ask) if state.holder or not ask.after else fields.to_be_fetched(ask)]
    if name == "dns" and ask.after and ask.dns == TYPED and not any(fields.is_kept(key, ask, context) for key in ask.params):
        return [fields.wiped(ask)]
    if name == "reason" and ask.needs_dns and not fields.can_choose_dns(context):
        return [fields.no_dns()]
    return []


def _by_field(problems: Sequence[Problem], ask: Ask, context: FormContext) -> dict[str, list[str]]:
    """The sentences by the field that they stand above, general ones under "". A modal has no room for endless lists."""
    told: dict[str, list[str]] = defaultdict(list)
    for problem in problems:
        told[_home(problem.field, ask, context)].append(f"⚠️ {escape(str(problem), 1400)}")
    return {name: lines if len(lines) <= 4 else [*lines[:4], f"⚠️ + {len(lines) - 4} more"] for name, lines in told.items()}


#: Where a problem goes when its own field is not on display.
_NEAREST = {
    "provider": "dns", "auto_renewal": "kind", "files": "kind", "domain": "kind", "dns": "kind", "emergency_pbx": "emergency",
    "emergency": "pbx",
}  # fmt: skip


def _home(field: str, ask: Ask, context: FormContext) -> str:
    """The field on display that is nearest to this one; "" for what belongs to none."""
    names = shown(ask, context)
    if field.startswith("dns.") and context.provider:
        own = fields.param_field(context.provider.flag, field.removeprefix("dns."))
        if own in names:
            return own
    field = "dns" if field.startswith("dns.") else field
    while field and field not in names:
        field = _NEAREST.get(field, "")
    return field


def _problem(given: Problem | Mapping[str, str]) -> Problem:
    """The ledger keeps problems as plain JSON."""
    return given if isinstance(given, Problem) else Problem(**given)


def _length(text: str) -> int:
    """In UTF-16 units, the largest of the ways in which Slack's clients may count."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _without_links(ask: Ask) -> Ask:
    return replace(ask, files=tuple(replace(file, permalink="") for file in ask.files))


def _with_short_names(ask: Ask) -> Ask:
    return replace(ask, files=tuple(ReceivedFile(file.id, file.name[:60], file.size) for file in ask.files))
