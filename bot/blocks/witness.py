"""The head of the audit chain, as it is posted once a day."""

from bot.blocks import parts
from bot.blocks.parts import Block
from bot.blocks.text import code, escape, many
from bot.domain.events import Event


def witness_message(event: Event) -> tuple[list[Block], str]:
    head, length = str(event.data.get("head", "")), int(event.data.get("length", 0))
    command = code(f"pbx-cert-bot audit verify --head {head}", 160)
    text = (
        f"🔗 Audit chain: {many(length, 'event')}, head {code(head, 80)}. From now on {command} proves that none of them was"
        " changed, taken away or put in since."
    )
    return [parts.section(text)], f"Audit chain: {many(length, 'event')}, head {escape(head[:12], 12)}…"
