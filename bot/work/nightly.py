"""Once a night: can everything still be approved by somebody? What is new is told once, and once when it is over."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

import structlog
from sqlalchemy.orm import Session

from bot.config import Config
from bot.domain.daily import next_time
from bot.domain.events import BOT, EventKind
from bot.domain.reach import Finding, Grade
from bot.domain.requests import canonical
from bot.exceptions import SlackError, SlackRateLimited
from bot.store import agenda, audit, bulletins, meta
from bot.store.agenda import Entry, Work
from bot.work.context import Context
from bot.work.loop import later
from bot.work.reachable import Census

log = structlog.get_logger(__name__)

#: The agenda's key: one look, whatever the number of replicas.
KEY = "nightly"
#: When, in ``slack.timezone``.
AT = time(3, 0)
#: Slack is asked again so often, and so long apart at most in seconds, before the night is given up. Its limits are no failure.
ATTEMPTS, LONGEST = 12, 900.0
#: Between two looks that Slack's limits end: coming back as soon as one call is possible would leave none to those who click.
BREATHER = timedelta(minutes=1)
#: What was asked longer ago is asked again.
OLD = timedelta(hours=2)

_KNOWN = "policy trouble"


def schedule(session: Session, now: datetime, config: Config, *, at_once: bool = False) -> None:
    """Let there be a look tonight, or now."""
    agenda.put(session, Work.NIGHTLY, KEY, now if at_once else next_time(now, AT, config.slack.timezone))


@dataclass(frozen=True)
class _Begun:
    """A look that Slack's limits interrupted."""

    config: Config
    at: datetime
    census: Census


class Nightly:
    """One visit asks about everybody; what Slack's limits stopped goes on where it was."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store
        self._begun: _Begun | None = None

    def visit(self, entry: Entry) -> None:
        config = self._context.config
        census = self._resumed(config)
        try:
            found = census.check(config)
        except SlackError as error:
            self._come_back(entry, config, error)
            return
        self._begun = None
        now = self._store.now()
        with self._store.begin() as session:
            _compare(session, now, [finding for finding in found if finding.grade is not Grade.NOTE])
            agenda.again(session, entry, next_time(now, AT, config.slack.timezone), fresh=True)

    def _resumed(self, config: Config) -> Census:
        """The one that was begun, unless it is for another configuration, or what it knows is old: another process may have
        finished that night's look."""
        now = self._store.now()
        if self._begun is None or self._begun.config is not config or abs(now - self._begun.at) > OLD:
            self._begun = _Begun(config, now, Census(self._context.slack, config.slack.outsiders))
        return self._begun.census

    def _come_back(self, entry: Entry, config: Config, error: SlackError) -> None:
        now = self._store.now()
        log.warning("policy.not_checked", code=error.code, attempt=entry.attempt)
        with self._store.begin() as session:
            if isinstance(error, SlackRateLimited):
                agenda.again(session, entry, now + max(BREATHER, timedelta(seconds=error.retry_after)), fresh=True)
            elif entry.attempt >= ATTEMPTS:
                agenda.again(session, entry, next_time(now, AT, config.slack.timezone), fresh=True)
            else:
                agenda.again(session, entry, later(now, entry.attempt, longest=LONGEST))


def _compare(session: Session, now: datetime, found: Sequence[Finding]) -> None:
    """Each new trouble is an event, and each that is gone; what was known before is not told again.

    While nobody is left under a rule, that says it all: who of its people could not approve before is neither told nor over.
    """
    before, after = _known(session), {finding.key: _told(finding) for finding in found}
    worse = {finding.line for finding in found if finding.grade is Grade.BROKEN}
    still = {key: told for key, told in before.items() if key in after or told["line"] in worse}
    new = {key: told for key, told in after.items() if key not in before}
    for told in (told for key, told in before.items() if key not in still):
        audit.append(session, now, EventKind.POLICY_TROUBLE, BOT, None, **told, mended=True)
    for told in new.values():
        audit.append(session, now, EventKind.POLICY_TROUBLE, BOT, None, **told, mended=False)
    if new or len(still) < len(before):
        bulletins.due(session, now)
        meta.put(session, _KNOWN, canonical({**still, **new}).encode())


def _told(finding: Finding) -> dict[str, str]:
    return {"pbx": ", ".join(finding.pbxs), "line": finding.line, "sentence": finding.sentence()}


def _known(session: Session) -> Mapping[str, dict[str, str]]:
    known: Mapping[str, dict[str, str]] = json.loads(meta.get(session, _KNOWN) or b"{}")
    return known
