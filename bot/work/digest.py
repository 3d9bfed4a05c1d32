"""Once a day, find what waits for each approver, so that each is told of all of it in one direct message.

Three pieces of work, each left on the agenda by the one before in its own transaction. The *day*'s entry is the one schedule of
all replicas. *Gathering* reads the user groups, one at a time: Slack allows about twenty such calls a minute in all, and who
clicks meanwhile needs some of them. It ends in one event, which says who is told of what. From that on they are told
(`bot.work.courier`). There is one event a day, whatever the configuration's hour was changed to meanwhile.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from bot.config.models import SlackConfig
from bot.domain import wanted
from bot.domain.daily import day_of, next_time
from bot.domain.events import BOT, EventKind
from bot.domain.requests import Request
from bot.domain.rules import Memberships
from bot.store import agenda, audit, history
from bot.store.agenda import Entry, Work
from bot.work.context import Context
from bot.work.courier import Courier
from bot.work.ruling import rule_today

log = structlog.get_logger(__name__)

#: The agenda's keys: of the schedule; of the gathering, before the day; of the telling, before the event's number.
KEY, GATHER, TELL = "digest", "digest:gather:", "digest:tell:"
#: Between two user groups, so that clicks find most of Slack's calls unused.
APART = timedelta(seconds=5)
#: A membership that is so old still tells who is to be reminded; nothing is decided by it.
READ_WITHIN = timedelta(hours=1)
#: So many attempts more than there are groups; who is in a group that Slack does not tell then is not told of what waits.
TRIES = 12


def schedule(session: Session, now: datetime, slack: SlackConfig) -> None:
    """Let the days begin, if they have not yet, and keep to the configuration's hour. What was missed is still due."""
    agenda.replan(session, Work.DIGEST, KEY, now, next_time(now, slack.digest_at, slack.timezone))


class Digester:
    """A due `Work.DIGEST`, whichever of the three it is."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store
        self._courier = Courier(context)

    def visit(self, entry: Entry) -> None:
        if entry.key.startswith(TELL):
            self._courier.visit(entry, int(entry.key.removeprefix(TELL)))
        elif entry.key.startswith(GATHER):
            self._gather(entry, entry.key.removeprefix(GATHER))
        else:
            self._begin(entry)

    def _begin(self, entry: Entry) -> None:
        now, slack = self._store.now(), self._context.config.slack
        day = day_of(now, slack.timezone).isoformat()
        with self._store.begin() as session:
            agenda.again(session, entry, next_time(now, slack.digest_at, slack.timezone), fresh=True)
            if not _is_told(session, day):
                agenda.put(session, Work.DIGEST, GATHER + day, now)

    def _gather(self, entry: Entry, day: str) -> None:
        with self._store.begin() as session:
            requests = [self._ruled(request) for request in history.undecided(session, self._store.now())]
        groups = sorted({group for request in requests for group in wanted.groups(request)})
        members = self._read(groups, entry.attempt)
        if len(members) < len(groups) and entry.attempt < len(groups) + TRIES:
            with self._store.begin() as session:
                agenda.again(session, entry, self._store.now() + APART)
            return
        if len(members) < len(groups):
            log.warning("digest.groups_unread", groups=sorted(set(groups) - members.keys()))
        self._settle(entry, day, _for_each(requests, members))

    def _ruled(self, request: Request) -> Request:
        """One of the time before rules were kept waits for those whom today's rule names."""
        return request if request.rule else replace(request, rule=rule_today(self._context.config.rules, request, {}).rule)

    def _read(self, groups: Sequence[str], attempt: int) -> Memberships:
        """What is known, and the next of the others: each in its turn, so that one that Slack does not tell holds up none."""
        known = self._context.people.known(groups, READ_WITHIN)
        unread = [group for group in groups if group not in known]
        if not unread:
            return known
        return known | self._context.people.members([unread[attempt % len(unread)]], READ_WITHIN)

    def _settle(self, entry: Entry, day: str, told: Mapping[str, Sequence[int]]) -> None:
        now = self._store.now()
        with self._store.begin() as session:
            agenda.finish(session, entry)
            if told and not _is_told(session, day):
                number = audit.append(session, now, EventKind.DIGEST, BOT, day=day, users=list(told),
                                      requests=[list(numbers) for numbers in told.values()])  # fmt: skip
                agenda.put(session, Work.DIGEST, f"{TELL}{number}", now)


def _is_told(session: Session, day: str) -> bool:
    last = audit.last_of(session, EventKind.DIGEST)
    return last is not None and last.data.get("day") == day


def _for_each(requests: Sequence[Request], members: Memberships) -> dict[str, list[int]]:
    """The numbers of what waits for each person, in order."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for request in requests:
        for user in sorted(wanted.people(request, members)):
            found[user].append(request.id)
    return dict(sorted(found.items()))
