"""What a channel is told when the bot's own database fails, and when it is back."""

from bot.blocks import parts
from bot.blocks.parts import Block
from bot.blocks.text import duration, escape


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
