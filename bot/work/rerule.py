"""After a change of the configuration: does each open request still have the rule that it was asked under?

Where it has another one today, that is kept beside it, told, and both count. A decision does not rest on this: it looks the
rule up for itself (`bot.work.decide`). This is so that nobody has to click to learn of it.
"""

from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from bot.config import fingerprint
from bot.domain.requests import Request
from bot.domain.rules import Match
from bot.exceptions import Stale
from bot.store import agenda, ledger
from bot.store.agenda import Entry, Work
from bot.work.context import Context
from bot.work.loop import later
from bot.work.ruling import groups_for, rule_today

log = structlog.get_logger(__name__)

#: An entry for another configuration is left to the replicas that work by it, for so many looks this long apart.
_THEIRS, _LOOKS = timedelta(seconds=1), 60
#: A group that Slack does not tell is asked for again so often.
_ATTEMPTS = 20

_KEY = "rules:"


def schedule(session: Session, now: datetime, config_hash: str) -> None:
    """Let the rules of all open requests be looked up by this configuration, once over all replicas."""
    agenda.put(session, Work.RULES, f"{_KEY}{config_hash}", now)


class Reruler:
    """One visit looks at every open request, each in a transaction of its own; killed, it begins anew and repeats nothing."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store

    def visit(self, entry: Entry) -> None:
        if entry.key != f"{_KEY}{self._hash()}":
            self._leave(entry)
            return
        with self._store.begin() as session:
            waiting = ledger.pending(session)
        unknown = [number for number in waiting if not self._look(entry, number)]
        with self._store.begin() as session:
            if unknown and entry.attempt < _ATTEMPTS:
                agenda.again(session, entry, later(self._store.now(), entry.attempt))
            else:
                agenda.finish(session, entry)

    def _hash(self) -> str:
        return fingerprint(self._context.config, self._store.vault.keyed_digest)

    def _leave(self, entry: Entry) -> None:
        """Here another configuration is in force; who works by this one takes it, if anybody does."""
        with self._store.begin() as session:
            if entry.attempt < _LOOKS:
                agenda.again(session, entry, self._store.now() + _THEIRS)
            else:
                agenda.finish(session, entry)

    def _look(self, entry: Entry, number: int) -> bool:
        """False when Slack would not tell what the rule of this request is."""
        with self._store.begin() as session:
            agenda.hold(session, entry, self._store.now())
            request = ledger.load(session, number)
        if request is None or not request.is_open:
            return True
        match = self._match(request)
        if match.rule is None:  # for a PBX that is gone nobody can approve, whatever its rule was
            return match.code != "membership_unknown"
        same = request.rule is not None and request.rule.is_same(match.rule)
        try:
            with self._store.begin() as session:
                ledger.rule_changed(session, self._store.now(), request, None if same else match.rule)
        except Stale:  # decided or changed meanwhile, and whoever changed it has looked its rule up
            log.info("rule.not_open", request=number)
        return True

    def _match(self, request: Request) -> Match:
        rules = self._context.config.rules
        groups = groups_for(rules, request)
        return rule_today(rules, request, self._context.people.members(groups) if groups else {})
