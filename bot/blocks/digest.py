"""The one message a day to an approver: all that waits for them."""

from collections.abc import Mapping, Sequence

from bot.blocks import parts, words
from bot.blocks.parts import Block
from bot.blocks.text import at, escape, many, packed
from bot.domain.requests import Request

#: So many are listed at most; the rest is counted.
MOST = 40


def digest(requests: Sequence[Request], links: Mapping[int, str]) -> tuple[list[Block], str]:
    """The oldest first. ``links`` lead to the cards; where one is missing, the card's channel is named."""
    waits = f"{many(len(requests), 'request')} {'waits' if len(requests) == 1 else 'wait'} for your approval"
    lines = [f"📬 *{waits}*", *(_line(request, links.get(request.id, "")) for request in requests[:MOST])]
    if len(requests) > MOST:
        lines.append(f"and {len(requests) - MOST} more: `/pbx-cert pending` lists them all.")
    return parts.sections(packed(lines)), f"{waits}."


def _line(request: Request, link: str) -> str:
    title = escape(words.title(request), 300)
    name = f"<{link}|{title}>" if link else f"{title}, in <#{request.channel}>"
    until = f", open until {at(request.expires_at)}" if request.expires_at else ""
    return f"• {name}: asked for by <@{request.requester}>, waiting since {at(request.created_at)}{until}"
