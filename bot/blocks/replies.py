"""What the command answers with in words: help, how a request stands, and what a PBX lists."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from bot.blocks import parts, words
from bot.blocks.card import ending
from bot.blocks.lines import line
from bot.blocks.parts import Block
from bot.blocks.text import MAX_TEXT, at, code, duration, escape, many, packed
from bot.domain.events import Event
from bot.domain.requests import SLOTS, Request
from bot.domain.rules import mention

#: What expires so soon is marked.
SOON = timedelta(days=30)


class Listed(Protocol):
    """A certificate as a PBX lists it. ``expires`` is None where the text's layout leaves the date in doubt."""

    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str | None: ...
    @property
    def issue_to(self) -> str: ...
    @property
    def expires(self) -> datetime | None: ...
    @property
    def expiration_text(self) -> str: ...
    @property
    def apply_status(self) -> str | None: ...


def help_text() -> str:
    return "\n".join(
        [
            "*Certificates for the PBXs*: you ask, somebody else approves, the bot does it on the PBX and tells how it went.",
            "• `/pbx-cert` opens the form: a trusted CA certificate, a server certificate from files, or one that the PBX"
            " applies for.",
            "• `/pbx-cert pending` shows what is open, and which of it waits for you; `/pbx-cert mine` what you asked for.",
            "• `/pbx-cert history` shows what was ever asked for; `/pbx-cert history hq` for one PBX, `/pbx-cert history"
            " example.com` for a host name or a domain, `/pbx-cert history U0123ABCD` by one person.",
            "• `/pbx-cert status 42` says how request #42 stands.",
            "• `/pbx-cert why 42` says who may decide request #42, why you may or may not, and what is missing.",
            "• `/pbx-cert list` or `/pbx-cert list hq` shows what a PBX lists now, and when it expires.",
            "• `/pbx-cert reload` lets every bot read its configuration anew; for operators.",
            "• `/pbx-cert help` shows this.",
            "Slack takes no commands inside threads; the shortcut of this app opens the form from anywhere. The app's home tab"
            " has all of it in one place.",
            "Nobody can approve their own request.",
        ]
    )


def status(request: Request, events: Sequence[Event]) -> str:
    """How a request stands, with as many of its last events as fit into 3000 characters."""
    top = [f"*{escape(words.title(request), 300)}*, asked for by {mention(request.requester)}", words.state(request)]
    text = packed([*top, *ending(request)])[0]
    if request.reduced_at is not None:
        return f"{text}\n{words.reduced(request.reduced_at)}"
    told = [f"{at(event.at)} {said.splitlines()[0]}" for event in events if (said := line(event, request))]
    shown: list[str] = []
    while told and len("\n".join([text, *shown, told[-1]])) < MAX_TEXT - 50:
        shown.insert(0, told.pop())
    rest = [f"_{many(len(told), 'earlier event')} not shown_"] if told else []
    return "\n".join([text, *rest, *shown])


def not_readable(request: Request) -> str:
    """For whoever is not among those whom its rules let read it."""
    rules = " and ".join(dict.fromkeys(code(rule.line, 100) for rule in request.rules if rule.readers)) or "the policy"
    return f"You may not read #{request.id}: {rules} names who may, and you are not among them. [not_reader]"


def unsure() -> str:
    """For whoever may be among them."""
    return "Slack could not be asked whether you may read this. Please try again in a minute. [membership_unknown]"


def listing(pbx: str, certificates: Sequence[Listed], now: datetime) -> tuple[list[Block], str]:
    """What a PBX lists now, those that expire first on top, with the slots used of each type."""
    known = [(kind, [found for found in certificates if found.type == kind]) for kind in SLOTS]
    other = [found for found in certificates if found.type not in SLOTS]
    lines = [f"*Certificates on {code(pbx, 100)}*"]
    for kind, found in known:
        lines += [f"*{kind}*: {len(found)} of {SLOTS[kind]} slots used", *_rows(found, now)]
    lines += [f"*of a type unknown here*: {len(other)}", *_rows(other, now)] if other else []
    used = ", ".join(f"{len(found)} of {SLOTS[kind]} {kind}" for kind, found in known)
    texts = packed(lines)
    return parts.sections(texts[:49]), f"{escape(pbx, 100)}: {used} slots used."


def _rows(certificates: Sequence[Listed], now: datetime) -> list[str]:
    def soonest(found: Listed) -> tuple[bool, float, int]:
        return found.expires is None, found.expires.timestamp() if found.expires else 0.0, found.id

    return [f"• {_row(found, now)}" for found in sorted(certificates, key=soonest)]


def _row(found: Listed, now: datetime) -> str:
    issued = f", issued to {code(found.issue_to, 200)}" if found.issue_to else ""
    status = f", {escape(str(found.apply_status), 40)}" if found.apply_status not in (None, "", "issuance_success") else ""
    return f"{code(found.name, 200)} (id {found.id}{issued}{status}): {expiry(found, now)}"


def expiry(found: Listed, now: datetime) -> str:
    """When it expires and how long that is, with a sign on what needs somebody soon."""
    if found.expires is None:
        return f"expiry as the PBX writes it: {code(found.expiration_text, 60)}" if found.expiration_text else "no expiry given"
    left = (found.expires - now).total_seconds()
    if left <= 0:
        return f"🔴 *EXPIRED* on {found.expires:%Y-%m-%d}"
    days = int(left // 86400)
    told = f"in {many(days, 'day')}" if days else f"in {duration(left)}"
    return f"{'🟠 ' if is_soon(found, now) else ''}expires {told}, on {found.expires:%Y-%m-%d}"


def is_soon(found: Listed, now: datetime) -> bool:
    """Whether it expires within 30 days, or has."""
    return found.expires is not None and found.expires - now < SOON
