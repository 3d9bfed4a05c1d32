"""A request that was changed, or decided, while somebody was looking at what it was before."""

from collections.abc import Sequence
from datetime import datetime

from bot.blocks import parts, words
from bot.blocks.parts import View
from bot.blocks.text import code, escape, many, packed
from bot.domain.events import Event
from bot.domain.requests import Decision, Request, Shown
from bot.domain.rules import mention

#: As many differences as are told in one go; the card and its Details have everything.
MOST = 10


def listing(changes: Sequence[str], most: int = MOST, length: int = 270) -> str:
    """A line for each difference, with how many were left out."""
    left = len(changes) - most
    shown = [f"• {escape(change, length)}" for change in changes[:most]]
    return "\n".join([*shown, *([f"• and {many(left, 'more difference')}"] if left > 0 else [])])


def outdated(request: Request, changes: Sequence[str]) -> str:
    """To whoever pressed a button that was on another version. Without changes nobody knows what it showed."""
    told = f"#{request.id} has changed since it was shown to you, so your click was not counted."
    if not changes:
        return f"{told} Please look at its card again and decide anew."
    return f"{told} What is different now:\n{listing(changes)}\nPlease look at its card again and decide anew."


def edited(event: Event, request: Request) -> str:
    """The line in the thread. Those who had voted are mentioned, because they may vote again."""
    voted = [mention(str(user)) for user in event.data.get("voted", ())][:20]
    again = f"{', '.join(voted)}: please look again, what you said was about the version before. " if voted else ""
    told = listing([str(change) for change in event.data.get("changes", ())], 5, 400)
    return f"✏️ *edited* by {mention(event.actor)}:\n{told}\n{again}Votes start again."


def decided(request: Request, now: datetime) -> str:
    """What became of a request that is not open any more, as "<@U1> approved this 2 s ago."; "" where nobody decided it."""
    if request.decided_at is None or request.decision not in (Decision.APPROVED, Decision.REJECTED):
        return ""
    who = request.votes[-1].user if request.votes else request.requester
    return f"{mention(who)} {request.decision.value} this {ago((now - request.decided_at).total_seconds())}."


def ago(seconds: float) -> str:
    if seconds < 90:
        return f"{max(0, round(seconds))} s ago"
    return f"{round(seconds / 60)} min ago" if seconds < 5400 else f"{round(seconds / 3600)} h ago"


def asked(request: Request) -> View:
    """The last view of a change."""
    where = f"<#{request.channel}>" if request.channel else "the channel of this PBX"
    blocks = [
        parts.section(f"✅ You have changed *{escape(words.title(request), 300)}*. Its card in {where} shows it now."),
        parts.section("Votes start again. The thread says what is different, and asks those who had voted to look again;"
                      f" {code(f'/pbx-cert status {request.id}')} says how it stands."),
    ]  # fmt: skip
    return parts.modal("Changed", blocks, callback_id="asked", close="Close")


def too_late(draft: Request, news: str) -> View:
    """Nothing of a change happened. What was typed is still there, and leads on. ``news`` is mrkdwn."""
    blocks = [
        *parts.sections(packed([f"#{draft.number} was not changed.", news])),
        parts.section("Nothing that you typed is lost: it is kept for an hour after you last touched it."),
        parts.actions(parts.button("Go on with it", "change", Shown.of(draft).dump(), "primary")),
    ]
    return parts.modal("Not changed", blocks, callback_id="too_late", close="Close")


def what_changes(draft: Request, changes: Sequence[str]) -> list[str]:
    """What stands above the evidence of a change."""
    return [f"*What you change about #{draft.number}*", listing(changes)]
