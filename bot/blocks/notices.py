"""What a PBX's channel is told of the PBX itself: that it fell silent, and that it answers again."""

from datetime import datetime

from bot.blocks import parts
from bot.blocks.parts import Block
from bot.blocks.text import at, code, escape, many
from bot.domain.events import Event, EventKind


def notice(event: Event) -> tuple[list[Block], str]:
    """The message's blocks and its text, which says the same."""
    text = _silent(event) if event.kind is EventKind.PBX_SILENT else _answers(event)
    return [parts.section(text)], text


def undeliverable(event: Event, channel: str, error: str) -> tuple[list[Block], str]:
    """The same for an operator, because Slack does not let the bot tell the channel."""
    told, _ = notice(event)
    why = f"This is told to you because the bot cannot post in <#{channel}>. [{escape(error, 60)}]"
    text = f"{told[0]['text']['text']}\n{why}"
    return [parts.section(text)], text


def _silent(event: Event) -> str:
    waiting = int(event.data.get("waiting") or 0)
    waits = f"; {many(waiting, 'request')} {'waits' if waiting == 1 else 'wait'} for it" if waiting else ""
    since = at(datetime.fromisoformat(event.data["since"]), "{time}")
    return (
        f"🔌 {_pbx(event)} has not answered since {since}{waits}. Nothing is lost; the bot tries again by itself and says here"
        f" when it is back. The last attempt: {escape(str(event.data.get('sentence', '')), 1000)}"
    )


def _answers(event: Event) -> str:
    goes_on = "; the bot goes on with what waits" if event.data.get("waiting") else ""
    return f"▶️ {_pbx(event)} answers again after {_rounded(float(event.data.get('seconds') or 0))}{goes_on}."


def _pbx(event: Event) -> str:
    return code(str(event.data.get("pbx", "")), 100)


def _rounded(seconds: float) -> str:
    """An outage's length as people say it; nobody counts the seconds of an hour."""
    if seconds < 90:
        return many(max(1, round(seconds)), "second")
    minutes = round(seconds / 60)
    if minutes < 90:
        return many(minutes, "minute")
    return f"{many(minutes // 60, 'hour')} and {many(minutes % 60, 'minute')}" if minutes % 60 else many(minutes // 60, "hour")
