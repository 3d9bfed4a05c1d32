"""The home tab: what waits for a person, what they asked for, what is under way, and which certificates expire when.

Rendered whole from what it is given, within the 100 blocks of a view; what has no room is on the next page of its section.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Protocol, Self

from bot.blocks import emergencies, parts, words
from bot.blocks.card import BUTTONS, ending
from bot.blocks.parts import Block, View
from bot.blocks.replies import Listed, expiry, is_soon
from bot.blocks.text import at, code, escape, listed, packed, quote
from bot.domain.emergencies import awaits_look
from bot.domain.requests import MOST, Execution, Request, canonical
from bot.domain.rules import mention

#: How many requests and how many certificates a section shows at once.
SIZE, CERTIFICATES = 8, 12
#: As much as is told of one request, so that the whole stays below the 250 kB of a view.
_LONGEST = 2000
#: So many blocks at most tell of PBXs that could not be asked.
_TROUBLES = 4

#: The oldest emergencies that nobody has confirmed; when they are, the next ones come up.
EMERGENCIES = 5

UNCONFIRMED = "Emergencies to confirm"
WAITING, MINE, RUNNING, EXPIRING = "Waiting for me", "My requests", "Running", "Certificates by expiry"


@dataclass(frozen=True)
class Places:
    """Where each section goes on: after the request of this number, or after so many certificates; 0 is its beginning.

    It travels in the view and its buttons, so whatever comes back from there is only a hint.
    """

    waiting: int = 0
    mine: int = 0
    #: Of their own requests those that are not ended stand first; this says that the page begins among the others.
    mine_ended: bool = False
    running: int = 0
    certificates: int = 0

    def dump(self) -> str:
        return canonical(asdict(self))

    @classmethod
    def load(cls, text: str) -> Self:
        """The beginning, for anything that is not such a value."""
        try:
            data = json.loads(text)
            ended, numbers = data.pop("mine_ended"), tuple(data.values())
            sound = type(ended) is bool and all(type(number) is int and 0 <= number < MOST for number in numbers)
            return cls(**data, mine_ended=ended) if sound else cls()
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return cls()


@dataclass(frozen=True)
class Entry:
    """One request in the tab; ``link`` leads to its card, and is empty while that is not known."""

    request: Request
    link: str = ""
    waits: bool = False


@dataclass(frozen=True)
class Part:
    """What a section shows now. ``more`` and ``first`` are where its buttons lead, None for a button that is not needed."""

    entries: tuple[Entry, ...] = ()
    more: Places | None = None
    first: Places | None = None


class PbxListing(Protocol):
    """What a PBX listed at that time; None while it is being asked, or with the ``trouble`` for which it could not be."""

    @property
    def pbx(self) -> str: ...
    @property
    def certificates(self) -> Sequence[Listed] | None: ...
    @property
    def at(self) -> datetime | None: ...
    @property
    def trouble(self) -> str: ...


@dataclass(frozen=True)
class Home:
    """Everything that one person's tab is made of. ``unsure`` means that Slack did not say who is in a group."""

    user: str
    now: datetime
    emergencies: Part = Part()
    waiting: Part = Part()
    mine: Part = Part()
    running: Part = Part()
    listings: Sequence[PbxListing] = ()
    places: Places = Places()
    unsure: bool = False


@dataclass(frozen=True)
class Act:
    """A button below a request, for the next thing that this person can do about it. The server decides whether they may."""

    applies: Callable[[Entry, str], bool]
    render: Callable[[Entry], Block]


def _of_card(action_id: str, may: Callable[[Entry, str], bool]) -> Act:
    """The card's own button, where it stands on the card and this person may press it; its listener is the card's."""
    button = next(button for button in BUTTONS if button.action_id == action_id)
    return Act(
        lambda entry, user: button.applies(entry.request) and may(entry, user), lambda entry: button.render(entry.request)
    )


def _is_own(entry: Entry, user: str) -> bool:
    return entry.request.requester == user


def _may_look(entry: Entry, user: str) -> bool:
    return bool(entry.waits) and awaits_look(entry.request)


#: In the order in which they stand. What is decided is decided on the card, where the evidence is.
ACTS: tuple[Act, ...] = (
    Act(lambda entry, user: entry.waits and bool(entry.link),
        lambda entry: parts.link("Decide on its card", "home_card", entry.link, "primary")),
    Act(lambda entry, user: not entry.waits and bool(entry.link),
        lambda entry: parts.link("Open its card", "home_card", entry.link)),
    _of_card("edit", _is_own),
    _of_card("withdraw", _is_own),
    Act(_may_look, lambda entry: emergencies.confirm_button(entry.request)),
    Act(_may_look, lambda entry: emergencies.object_button(entry.request)),
    _of_card("ask_anew", _is_own),
)  # fmt: skip


def home(shown: Home) -> View:
    """The tab as it is now."""
    blocks = [
        parts.actions(
            parts.button("Ask for a certificate", "home_ask", "-", "primary"),
            parts.button("Refresh", "home_refresh", shown.places.dump()),
        )
        | {"block_id": "top"},
        *([_unsure()] if shown.unsure else []),
        *_emergencies(shown),
        *_section(WAITING, shown.waiting, shown.user, "Nothing waits for your approval."),
        *_section(MINE, shown.mine, shown.user, "You have not asked for anything yet."),
        *_section(RUNNING, shown.running, shown.user, "Nothing is approved and not done."),
        *_certificates(shown),
    ]
    return parts.home(blocks, shown.places.dump())


def unavailable(text: str, places: Places) -> View:
    """In place of everything: the bot's own database cannot be read, or it is not for this person."""
    refresh = parts.button("Refresh", "home_refresh", places.dump())
    return parts.home([parts.section(f"⚠️ {escape(text, 2000)}"), parts.actions(refresh)], places.dump())


def _unsure() -> Block:
    text = (
        "⚠️ Slack did not say who is in one of the user groups, so something that waits for you, or that you may read, can be "
        "missing here. Press Refresh in a minute. [membership_unknown]"
    )
    return parts.section(text)


def _emergencies(shown: Home) -> list[Block]:
    """Only where there is one that waits for this person."""
    return _section(UNCONFIRMED, shown.emergencies, shown.user, "") if shown.emergencies.entries else []


def _section(title: str, part: Part, user: str, nothing: str) -> list[Block]:
    name = title.replace(" ", "-").lower()
    blocks = [parts.header(title) | {"block_id": name}]
    for entry in part.entries:
        blocks += _entry(f"{name}:{entry.request.id}", entry, user)
    if not part.entries:
        blocks.append(parts.context("Nothing more." if part.first else nothing))
    return [*blocks, *_turning(name, part.more, part.first)]


def _turning(name: str, more: Places | None, first: Places | None) -> list[Block]:
    buttons = [parts.button("More", "home_more", more.dump())] if more else []
    buttons += [parts.button("Back to the first", "home_first", first.dump())] if first else []
    return [parts.actions(*buttons) | {"block_id": f"{name}:turn"}] if buttons else []


def _entry(block_id: str, entry: Entry, user: str) -> list[Block]:
    """The same ids each time, so that nobody loses their place when the tab is painted anew."""
    buttons = [act.render(entry) for act in ACTS if act.applies(entry, user)]
    acts = [parts.actions(*buttons) | {"block_id": f"{block_id}:acts"}] if buttons else []
    return [parts.section(_text(entry.request, user)) | {"block_id": block_id}, *acts]


def _text(request: Request, user: str) -> str:
    begins = f"Begins {at(request.starts_at)}." if request.starts_at and request.execution is Execution.QUEUED else ""
    who = "" if request.requester == user else f"Asked for by {mention(request.requester)}, {at(request.created_at)}"
    why = quote(request.ask.reason, 300, lines=2) if request.is_open else ""
    urgent = emergencies.lines(request)
    lines = [f"*{escape(words.title(request), 300)}*", *urgent, words.state(request), begins, who, why, *ending(request)]
    return packed((line for line in lines if line), _LONGEST)[0]


def _certificates(shown: Home) -> list[Block]:
    rows = sorted(
        ((listing.pbx, one) for listing in shown.listings for one in listing.certificates or ()),
        key=lambda row: _soonest(*row),
    )
    begin = min(shown.places.certificates, max(0, len(rows) - 1))
    page = rows[begin : begin + CERTIFICATES]
    blocks = [parts.header(EXPIRING) | {"block_id": "expiry"}, *(_certificate(*row, shown.now) for row in page)]
    if not page and any(listing.certificates is not None for listing in shown.listings):
        blocks.append(parts.context("No PBX lists a certificate."))
    end = begin + CERTIFICATES
    more = replace(shown.places, certificates=end) if len(rows) > end else None
    turning = _turning("expiry", more, replace(shown.places, certificates=0) if begin else None)
    return [*blocks, *turning, *_about_the_pbxs(shown.listings)]


def _soonest(pbx: str, one: Listed) -> tuple[bool, float, str, int]:
    """What has no date that can be read stands last."""
    return one.expires is None, one.expires.timestamp() if one.expires else 0.0, pbx, one.id


def _certificate(pbx: str, one: Listed, now: datetime) -> Block:
    issued = f", issued to {code(one.issue_to, 200)}" if one.issue_to else ""
    text = f"{code(one.name, 200)} on {code(pbx, 100)} ({escape(str(one.type), 40)}{issued}): {expiry(one, now)}"
    block = parts.section(text) | {"block_id": f"expiry:{pbx}:{one.id}"}
    return block | ({"accessory": parts.button("Ask for a new one", "home_renew", pbx)} if is_soon(one, now) else {})


def _about_the_pbxs(listings: Sequence[PbxListing]) -> list[Block]:
    """When each was asked, who is being asked, and who could not be."""
    asked = [f"{code(each.pbx, 100)} {at(each.at, '{time}')}" for each in listings if each.certificates is not None and each.at]
    asking = [code(each.pbx, 100) for each in listings if each.certificates is None and not each.trouble]
    lines = [f"Listed: {listed(asked, 50, 2500)}"] if asked else []
    lines += [f"⏳ Being asked: {listed(asking, 50, 2500)} …"] if asking else []
    lines += [f"🔌 {code(each.pbx, 100)} is not shown. {escape(each.trouble, 600)}" for each in listings if each.trouble]
    return [parts.context(text) for text in packed(lines)[:_TROUBLES]]
