"""What operators are told of the bot itself: its configuration, and whether everything can still be approved."""

import re
from collections.abc import Callable, Mapping

from bot.blocks import parts
from bot.blocks.parts import Block
from bot.blocks.text import code, escape, many, packed
from bot.domain.events import BOT, Event, EventKind
from bot.domain.rules import mention

Message = tuple[list[Block], str]

#: An id of Slack's within a sentence of `bot.domain.reach`.
_ID = re.compile(r"\b[UWS][A-Z0-9]{2,}\b")
#: As many mistakes as a person reads in one go, and so long at most.
_MOST, _LONGEST = 20, 400


def bulletin(event: Event) -> Message | None:
    """For the operators' channel; None for what only the person hears who asked for it."""
    tell = TOLD.get(event.kind)
    return _message(tell(event)) if tell else None


def answer(event: Event) -> Message | None:
    """For the person who ordered the configuration to be read; None if that was nobody in Slack."""
    if event.actor == BOT:
        return None
    if event.kind is EventKind.CONFIG_LOADED:
        return _message(f"✅ {_replica(event)} now works by the new configuration.{_unchecked(event)}")
    return _message(_refused(event)) if event.kind is EventKind.CONFIG_REFUSED else None


def undeliverable(event: Event, channel: str, error: str) -> Message | None:
    """The same for an operator, because Slack does not let the bot tell the channel."""
    tell = TOLD.get(event.kind)
    why = f"This is told to you because the bot cannot post in <#{channel}>. [{escape(error, 60)}]"
    return _message(f"{tell(event)}\n{why}") if tell else None


def _message(text: str) -> Message:
    texts = packed(text.splitlines())
    return parts.sections(texts), texts[0]


def _refused(event: Event) -> str:
    mistakes = [str(each) for each in event.data.get("mistakes") or ()]
    shown = [f"• {escape(each, _LONGEST)}" for each in mistakes[:_MOST]]
    more = [f"_{many(len(mistakes) - _MOST, 'more mistake')}_"] if len(mistakes) > _MOST else []
    asked = "" if event.actor == BOT else f", as <@{event.actor}> had ordered"
    first = (
        f"🛑 {_replica(event)} read its configuration anew{asked}, and does not take it. The last good one stays in force. "
        "Put this right and let it be read again:"
    )
    return "\n".join([first, *shown, *more])


def _differs(event: Event) -> str:
    hashes: Mapping[str, str] = event.data.get("hashes") or {}
    if event.data.get("agree"):
        return "✅ All bots on this database work by the same configuration again."
    groups: dict[str, list[str]] = {}
    for replica, found in hashes.items():
        groups.setdefault(found, []).append(replica)
    shown = [f"• {code(found[:12], 20)}: {', '.join(code(each, 40) for each in at)}" for found, at in sorted(groups.items())]
    first = (
        "⚠️ The bots on this database work by different configurations, so who may approve depends on which of them a click"
        " comes to. Give all of them the same file and the same secrets, then `/pbx-cert reload`. By the configuration's hash:"
    )
    return "\n".join([first, *shown])


def _trouble(event: Event) -> str:
    sentence = _mentioned(escape(str(event.data.get("sentence", "")), 1500))
    if event.data.get("mended"):
        return f"✅ This is no longer so: {sentence}"
    return f"⚠️ The policy needs somebody who cannot approve. {sentence} Please look at the configuration or at the user group."


def _mentioned(sentence: str) -> str:
    return _ID.sub(lambda found: mention(found[0]), sentence)


def _unchecked(event: Event) -> str:
    why = event.data.get("unchecked")
    if not why:
        return ""
    return f" Slack could not be asked whether everything can be approved; the bot looks again soon. [{escape(str(why), 60)}]"


def _replica(event: Event) -> str:
    return f"The bot {code(str(event.data.get('replica', '')), 40)}"


TOLD: Mapping[EventKind, Callable[[Event], str]] = {
    EventKind.CONFIG_REFUSED: _refused,
    EventKind.CONFIG_DIFFERS: _differs,
    EventKind.POLICY_TROUBLE: _trouble,
}
