"""What a channel is told when the bot's own database fails, when it is back, and when it was put back from a backup."""

from typing import Any

from bot.blocks import parts
from bot.blocks.parts import Block
from bot.blocks.text import duration, escape
from bot.domain.events import Event


def outage_message(sentence: str, code: str) -> tuple[list[Block], str]:
    """``sentence`` says what is wrong and what to do about it."""
    text = (
        "🛑 Nothing can be asked for or approved at the moment, and nothing that was approved goes on. "
        f"{escape(sentence, 600)} [{escape(code, 60)}]"
    )
    return [parts.section(text)], text


def back_message(seconds: float) -> tuple[list[Block], str]:
    text = (
        f"▶️ The bot's database works again, after {duration(seconds)}. What was approved goes on by itself."
        " Whoever was told that a click was not taken, please press again."
    )
    return [parts.section(text)], text


def restored_message(event: Event) -> tuple[list[Block], str]:
    """For everybody whose request the bot may not know any more."""
    void, unknown = (_numbers(event.data.get(name)) for name in ("void", "unknown"))
    text = " ".join(
        [
            "🗄️ The bot's database was put back from a backup and knows nothing of what happened after"
            f" {escape(str(event.data.get('until', '')), 40)}.",
            *([f"Void, to be asked for again if still needed: {void}."] if void else []),
            *([f"Unknown, being looked at: {unknown}."] if unknown else []),
            "A request that was made after that is not known any more, and its buttons do nothing. Before it is asked for"
            " again, somebody should look whether the PBX has the certificate already.",
        ]
    )
    return [parts.section(text)], text


def _numbers(requests: Any) -> str:
    """So many as fit into a message."""
    shown = [f"#{number}" for number in requests or ()]
    return ", ".join(shown[:100]) + (" …" if len(shown) > 100 else "")
