"""Emergencies: what a click does to one, by what Slack says now of who is who; and raised again until somebody looks.

Who may confirm afterwards is whoever may approve by today's rule, or by the kept one where the configuration has none any more:
what was done stays open until somebody looks, so there has to be somebody, however long ago the rule was written.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta

import structlog

from bot.blocks.text import duration
from bot.domain import emergencies as domain
from bot.domain import policy
from bot.domain.emergencies import CONFIRM, DECLARE, LOOKS
from bot.domain.policy import Verdict
from bot.domain.requests import Decision, Request
from bot.domain.rules import Memberships, Rule, mention
from bot.exceptions import Stale
from bot.store import agenda, emergencies, ledger, votes
from bot.store.agenda import Entry
from bot.store.votes import Click
from bot.work.context import Context
from bot.work.ruling import Ruling, groups_for, ruling

log = structlog.get_logger(__name__)

VERDICTS = frozenset({DECLARE, *LOOKS})
#: How often it is raised again once the time is over.
DAILY = timedelta(days=1)


class Emergencies:
    """For `bot.work.decide`, which has read the rules and who is in the groups."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def groups_for(self, click: Click, request: Request, ruled: Ruling) -> frozenset[str]:
        """The user groups that decide whether this click counts."""
        if click.verdict == DECLARE:
            urgent = (rule.emergency for rule in ruled.rules if rule.emergency)
            return _groups(policy.groups_to_read(click.user, each.by) for each in urgent)
        rule = looking_rule(request, ruled)
        return policy.groups_to_read(click.user, rule.approvers) if rule else frozenset()

    def decide(self, click: Click, request: Request, ruled: Ruling, members: Callable[[], Memberships]) -> Verdict | None:
        """Do what was clicked. Returns why not, if it cannot be. ``members`` gives them as they are when it is called."""
        judge, act = (self._may_declare, self._declare) if click.verdict == DECLARE else (self._may_look, self._look)
        verdict = judge(click, request, ruled, members())
        if verdict.permitted:  # the rules may name a guest; slack.outsiders has the last word
            inside = self._context.may_take_part(click.user)
            verdict = judge(click, request, ruled, members()) if inside.permitted else inside
        if not verdict.permitted:
            return verdict
        try:
            act(click, ruled, verdict)
        except Stale:
            return self._too_late(click, verdict)
        return None

    def _may_declare(self, click: Click, request: Request, ruled: Ruling, members: Memberships) -> Verdict:
        if ruled.refusal is not None:
            return ruled.refusal
        if not self._context.knows(request.ask.pbx):
            return Verdict(False, "no_rule", f"{request.ask.pbx} is not configured any more, so nothing was done.", "policy")
        return domain.may_declare(ruled.rules, click.user, members)

    def _may_look(self, click: Click, request: Request, ruled: Ruling, members: Memberships) -> Verdict:
        rule = looking_rule(request, ruled)
        if rule is None:
            assert ruled.refusal is not None, "without rules there is a reason"
            return ruled.refusal
        return domain.may_look(rule, click.user, request.requester, members)

    def _declare(self, click: Click, ruled: Ruling, verdict: Verdict) -> None:
        store, config = self._context.store, self._context.config
        to = domain.everybody(ruled.rules, config.slack.operators, click.user)
        with store.begin() as session:
            if votes.settle(session, store.now(), click, "acted"):
                emergencies.declare(session, store.now(), store.vault, click.shown, click.user, config.slack.pending_for, to)

    def _look(self, click: Click, ruled: Ruling, verdict: Verdict) -> None:
        store = self._context.store
        with store.begin() as session:
            emergencies.look(session, store.now(), click.shown, click.id, click.user, click.verdict, click.reason, verdict.rule)

    def _too_late(self, click: Click, verdict: Verdict) -> Verdict:
        with self._context.store.begin() as session:
            request = ledger.load(session, click.shown.request)
        assert request is not None, "requests are never deleted"
        code, reason = self._reason(click, request)
        return Verdict(False, code, reason, verdict.rule)

    def _reason(self, click: Click, request: Request) -> tuple[str, str]:
        if click.verdict == DECLARE:
            text = f"#{request.number} is no longer what was shown to you, so nothing was done. Ask again with `/pbx-cert`."
            return "draft_gone", text
        if look := domain.looked_at(request):
            did = "confirmed this" if look.verdict == CONFIRM else "objected to this"
            ago = duration((self._context.now() - look.at).total_seconds())
            return "looked_before", f"{mention(look.user)} {did} {ago} ago; that settles it."
        if request.decision is not Decision.APPROVED or not request.ask.emergency:
            return "no_emergency", f"#{request.id} is no emergency that waits for somebody to look at it; nothing has changed."
        return "changed", f"#{request.id} has changed since it was shown to you. Please look at its card again."


class Confirmer:
    """One visit raises an emergency again that nobody has looked at, and comes back the next day."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def visit(self, entry: Entry) -> None:
        store = self._context.store
        with store.begin() as session:
            request = ledger.load(session, entry.request or 0)
        until = domain.confirm_by(request) if request else None
        if request is None or until is None or not domain.awaits_look(request):
            self._finish(entry)
            return
        to = self._people(request)
        try:
            with store.begin() as session:
                emergencies.raise_again(session, store.now(), request, until, to)
                agenda.again(session, entry, store.now() + DAILY, fresh=True)
        except Stale:  # somebody has looked just now
            self._finish(entry)
            return
        log.warning("emergency.unconfirmed", request=request.id)

    def _people(self, request: Request) -> tuple[str, ...]:
        """By today's rule; by the kept one, too, while Slack does not tell who is in a group that decides which it is."""
        rules = self._context.config.rules
        groups = groups_for(rules, request)
        members = self._context.people.members(groups) if groups else {}
        rule = looking_rule(request, ruling(rules, request, members)) or request.rule
        return domain.reminded(rule, request.requester) if rule else ()

    def _finish(self, entry: Entry) -> None:
        with self._context.store.begin() as session:
            agenda.finish(session, entry)


def looking_rule(request: Request, ruled: Ruling) -> Rule | None:
    """By which it is said who may look at it afterwards; None when Slack has to be asked again."""
    if ruled.rules:
        return ruled.rules[-1]
    is_gone = ruled.refusal is not None and ruled.refusal.code == "no_rule"
    return request.rule if is_gone else None


def _groups(each: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*each)
