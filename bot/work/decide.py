"""Decide the clicks that are recorded: one membership call serves all that wait, each click is one transaction."""

from collections.abc import Iterable

import structlog

from bot.domain import policy
from bot.domain.events import EventKind, Word
from bot.domain.policy import Memberships, Rule, Verdict
from bot.domain.requests import Decision, Request
from bot.exceptions import SlackError, Stale
from bot.store import agenda, audit, breakers, fates, ledger, tokens, votes
from bot.store.agenda import Entry, Work
from bot.store.votes import APPROVE, TRY_AGAIN, Click
from bot.work.context import Context

log = structlog.get_logger(__name__)

_NO_RULE = "no such PBX"
_WORDS = frozenset(Word)


class Decider:
    """Counts or refuses what `bot.store.votes.record` stored."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def visit(self, entry: Entry) -> None:
        """Decide all that waits; what comes in meanwhile has an entry of its own."""
        with self._context.store.begin() as session:
            waiting = votes.waiting(session, self._context.store.vault)
        members = self._members(waiting)
        for click in waiting:
            self._decide(click, members)
        with self._context.store.begin() as session:
            agenda.finish(session, entry)

    def _members(self, clicks: Iterable[Click]) -> Memberships:
        """Memberships no older than 30 s (promise 3); groups that Slack would not tell us are left out."""
        groups: set[str] = set()
        rules = {number: self._rule(number) for number in {click.shown.request for click in clicks}}
        for click in clicks:
            rule = rules[click.shown.request]
            if rule is not None:
                groups |= policy.groups_to_read(click.user, _subjects(rule, click))
        return self._context.people.members(groups) if groups else {}

    def _rule(self, number: int) -> Rule | None:
        with self._context.store.begin() as session:
            request = ledger.load(session, number)
        return self._context.rule(request.ask.pbx) if request else None

    def _decide(self, click: Click, members: Memberships) -> None:
        with self._context.store.begin() as session:
            request = ledger.load(session, click.shown.request)
        rule = self._context.rule(request.ask.pbx) if request else None
        if request is None or rule is None:
            self._refuse(
                click, Verdict(False, "no_rule", "This PBX is not configured any more, so nothing was done.", _NO_RULE)
            )
            return
        verdict = _judge(rule, click, request, members)
        if not verdict.permitted:
            self._refuse(click, verdict)
        elif click.verdict == TRY_AGAIN:
            self._resume(click, request)
        elif click.verdict in _WORDS:
            self._hear(click, request, verdict)
        elif request.is_open:
            self._count(click, verdict)
        else:  # it will not be open again: most of a crowd comes this way, and costs no attempt to count
            self._refuse(click, self._too_late(click, request, verdict))

    def _count(self, click: Click, verdict: Verdict) -> None:
        store = self._context.store
        try:
            with store.begin() as session:
                votes.count(session, store.now(), store.vault, click, verdict)
        except Stale:
            self._refuse(click, self._why_not(click, verdict))

    def _why_not(self, click: Click, verdict: Verdict) -> Verdict:
        with self._context.store.begin() as session:
            request = ledger.load(session, click.shown.request)
        assert request is not None, "requests are never deleted"
        return self._too_late(click, request, verdict)

    def _too_late(self, click: Click, request: Request, verdict: Verdict) -> Verdict:
        code, reason = self._reason(click, request)
        return Verdict(False, code, reason, verdict.rule)

    def _reason(self, click: Click, request: Request) -> tuple[str, str]:
        now = self._context.now()
        if request.decision is Decision.APPROVED and any(vote.user == click.user for vote in request.votes):
            return "voted_before", "Your vote for this was counted already."
        if request.decision is Decision.APPROVED and request.decided_at:
            last = request.votes[-1].user if request.votes else request.requester
            return "approved_before", f"<@{last}> approved this {_ago((now - request.decided_at).total_seconds())}."
        if request.decision is Decision.REJECTED and request.decided_at:
            who = request.votes[-1].user if request.votes else request.requester
            return "rejected_before", f"<@{who}> rejected this {_ago((now - request.decided_at).total_seconds())}."
        if not request.is_open or (request.expires_at and request.expires_at <= now):
            return "closed", f"#{request.id} is not open any more; your click changed nothing."
        if any(vote.user == click.user for vote in request.votes):
            return "voted_before", "Your vote for this was counted already."
        return "changed", f"#{request.id} has changed since it was shown to you. Please look at its card again and decide anew."

    def _resume(self, click: Click, request: Request) -> None:
        """An operator lets the bot log in again: what waits for the PBX is due now."""
        store = self._context.store
        with store.begin() as session:
            if not votes.settle(session, store.now(), click, "acted"):
                return
            if tokens.resume(session, request.ask.pbx):
                audit.append(session, store.now(), EventKind.LOGIN_RESUMED, click.user, request.id, pbx=request.ask.pbx)
                ledger.narrate(session, store.now(), request.id)
            agenda.bring_forward(session, ledger.pbx_key(request.ask.pbx), store.now())

    def _hear(self, click: Click, request: Request, verdict: Verdict) -> None:
        """A person says what became of a call; whoever comes after the fate is known changes nothing."""
        store, said = self._context.store, Word(click.verdict)
        try:
            with store.begin() as session:
                if not votes.settle(session, store.now(), click, "acted"):
                    return
                fates.word(session, store.now(), request, click.user, said)
                if said is Word.CHECK_AGAIN:
                    breakers.retry_now(session, request.ask.pbx, store.now())
                    agenda.put(session, Work.FULFIL, ledger.pbx_key(request.ask.pbx), store.now(), request.id)
                else:
                    fates.take_word(session, store.now(), store.vault, request, click.user, there=said is Word.IS_THERE)
        except Stale:
            reason = f"What became of #{request.id} is known by now, or the bot is still looking; your click changed nothing."
            self._refuse(click, Verdict(False, "not_asked", reason, verdict.rule))

    def _refuse(self, click: Click, verdict: Verdict) -> None:
        store = self._context.store
        with store.begin() as session:
            is_ours = votes.refuse(session, store.now(), click, verdict.code, verdict.reason, verdict.rule)
        if is_ours:  # if not, whoever decided it has told it
            self._context.pool.submit(self._tell, click, verdict)

    def _tell(self, click: Click, verdict: Verdict) -> None:
        """Privately, and only now that the refusal is committed. Lost words change nothing: the card tells the state."""
        try:
            if click.reply_to:
                self._context.slack.respond(click.reply_to, text=verdict.reason)
            else:
                self._context.slack.direct(click.user, blocks=[], text=verdict.reason, event="")
        except SlackError as error:
            log.warning("refusal.not_told", request=click.shown.request, code=error.code)


def _judge(rule: Rule, click: Click, request: Request, members: Memberships) -> Verdict:
    if click.verdict == TRY_AGAIN:
        return policy.may_operate(rule, click.user, members)
    if click.verdict in _WORDS:
        return policy.may_say(rule, click.user, members)
    verdict = policy.may_vote(rule, click.user, request.requester, members)
    if verdict.permitted and click.verdict == APPROVE and request.is_open and rule.approvals > request.approvals_needed:
        return Verdict(False, "rule_changed", _needs_more(rule, request), rule.line)
    return verdict


def _needs_more(rule: Rule, request: Request) -> str:
    """The card and its digest are of a configuration that asked for less."""
    return (
        f"The configuration has changed since #{request.id} was shown: {rule.pbx} now needs {rule.approvals} approvals, and "
        f"the card says {request.approvals_needed}. Nothing was approved. Please let <@{request.requester}> withdraw it and "
        "ask again."
    )


def _subjects(rule: Rule, click: Click) -> tuple[str, ...]:
    if click.verdict in _WORDS:
        return policy.speakers(rule)
    return (rule.operators or rule.approvers) if click.verdict == TRY_AGAIN else rule.approvers


def _ago(seconds: float) -> str:
    if seconds < 90:
        return f"{max(0, round(seconds))} s ago"
    return f"{round(seconds / 60)} min ago" if seconds < 5400 else f"{round(seconds / 3600)} h ago"
