"""What one person may read of the requests, a page at a time, and what of it waits for them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.domain import readers
from bot.domain.requests import Request
from bot.domain.rules import Memberships, Rule
from bot.store.history import Find
from bot.work.context import Context
from bot.work.ruling import groups_for, rule_today

#: How old the membership of a group may be by which something is shown. Decisions read it anew (`bot.slack.people.FRESH`).
MEMBERS_FOR = timedelta(minutes=5)
#: So many requests are looked through at once, and so many times in search of a page; more is for the next page.
BATCH, BATCHES = 50, 20


@dataclass(frozen=True)
class Item:
    """A request in a list, and whether it waits for whoever reads the list; None when Slack did not say."""

    request: Request
    waits: bool | None = False


@dataclass(frozen=True)
class Page:
    """A part of a list. The next one goes on ``after`` it; ``unsure`` means that Slack did not say who is in a group."""

    items: tuple[Item, ...]
    after: int = 0
    more: bool = False
    unsure: bool = False


class Reader:
    """Nothing is shown to people who may not read it, and no group is read that does not matter."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def page(self, user: str, find: Find, after: int = 0, most: int = 10, *, waiting: bool = False) -> Page:
        """So many of what is found after that one, as far as the user may read it; with ``waiting``, what waits for them."""
        kept: list[Item] = []
        unsure = False
        for _ in range(BATCHES):
            with self._context.store.begin() as session:
                found = find(session, after, BATCH)
            for item, reads in self._judge(user, found):
                unsure |= reads is None or item.waits is None
                if reads and (item.waits or not waiting):
                    if len(kept) == most:
                        return Page(tuple(kept), after, more=True, unsure=unsure)
                    kept.append(item)
                after = item.request.id
            if len(found) < BATCH:
                return Page(tuple(kept), after, unsure=unsure)
        return Page(tuple(kept), after, more=True, unsure=unsure)

    def may_read_at_once(self, user: str, request: Request) -> bool | None:
        """Without asking Slack; None when it has to be asked."""
        return self._judged(user, request, self._rules(request, {}), {})[1]

    def may_read(self, user: str, request: Request) -> bool | None:
        """None when Slack did not say who is in a group."""
        return self._judge(user, [request])[0][1]

    def _judge(self, user: str, found: Sequence[Request]) -> list[tuple[Item, bool | None]]:
        """Each with whether the user may read it. One reading of the groups serves all of them."""
        rules = [self._rules(request) for request in found]
        groups: set[str] = set()
        for request, each in zip(found, rules, strict=True):
            groups |= readers.groups_to_read(request, each or (), self._operators, user)
            groups |= readers.groups_to_decide(request, each or (), user)
        members = self._members(groups)
        return [self._judged(user, request, each, members) for request, each in zip(found, rules, strict=True)]

    def _judged(
        self, user: str, request: Request, rules: tuple[Rule, ...] | None, members: Memberships
    ) -> tuple[Item, bool | None]:
        if rules is None:
            return Item(request, None), True if user == request.requester else None
        waits = readers.may_decide(request, rules, user, members)
        return Item(request, waits), readers.may_read(request, rules, self._operators, user, members)

    def _rules(self, request: Request, members: Memberships | None = None) -> tuple[Rule, ...] | None:
        """Those that are kept with it; for what was asked before rules were kept, the one of today. None when a user group
        decides which that is, and was not read."""
        if request.rules:
            return request.rules
        policy = self._context.config.rules
        known = self._members(groups_for(policy, request)) if members is None else members
        match = rule_today(policy, request, known)
        if match.code == "membership_unknown":
            return None
        return (match.rule,) if match.rule else ()

    def _members(self, groups: Iterable[str]) -> Memberships:
        wanted = frozenset(groups)
        return self._context.people.members(wanted, MEMBERS_FOR) if wanted else {}

    @property
    def _operators(self) -> tuple[str, ...]:
        return self._context.config.slack.operators
