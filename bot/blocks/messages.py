"""Messages to the requester alone: where the card is, that it cannot be posted, how it ended."""

from bot.blocks import parts, words
from bot.blocks.card import ending
from bot.blocks.parts import Block
from bot.blocks.text import code, escape, packed
from bot.domain.requests import Request

#: What to do about Slack's refusal of a card (docs.slack.dev/reference/methods/chat.postMessage).
_REMEDIES = {
    "not_in_channel": "Somebody has to invite the bot there with /invite.",
    "channel_not_found": "The channel does not exist, or it is private and the bot is not in it: an operator has to look.",
    "is_archived": "The channel is archived; an operator has to choose another one.",
}


def asked_message(request: Request, link: str) -> tuple[list[Block], str]:
    """Where the requester finds the card."""
    text = f"You have asked for *{escape(words.title(request), 300)}*. <{link}|The card> is in <#{request.channel}>."
    return [parts.section(text)], text


def not_posted_message(request: Request, error: str) -> tuple[list[Block], str]:
    """The approvers see nothing yet; the bot goes on trying."""
    remedy = _REMEDIES.get(error, "An operator has to look.")
    text = (
        f"The card of *{escape(words.title(request), 300)}* cannot be posted in <#{request.channel}>, so nobody can approve it "
        f"yet. {remedy} The bot keeps trying. [{escape(error, 60)}]"
    )
    return [parts.section(text)], text


def outcome_message(request: Request, link: str) -> tuple[list[Block], str]:
    """How it ended, for a requester who is not in the card's channel. ``link`` is empty where the card cannot be reached."""
    state = request.execution or request.decision
    story = f" <{link}|The thread> tells the whole story." if link else f" The bot cannot tell it in <#{request.channel}>."
    top = f"*{escape(words.title(request), 300)}*: {code(state.value)}.{story}"
    return parts.sections(packed([top, words.state(request), *ending(request)])), f"{words.title(request)[:200]}: {state}"
