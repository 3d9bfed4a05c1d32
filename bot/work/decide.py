"""Decide the clicks that are recorded: one membership call serves all that wait, each click is one transaction."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

import structlog

from bot.blocks import changes
from bot.domain import policy
from bot.domain.emergencies import is_emergency
from bot.domain.events import EventKind, Word
from bot.domain.policy import PROFILE_UNKNOWN, Verdict
from bot.domain.quorum import Scale
from bot.domain.requests import Decision, Request, Shown
from bot.domain.rules import Memberships, Rule, mention
from bot.exceptions import SlackError, Stale
from bot.store import agenda, audit, breakers, edits, fates, ledger, tokens, votes
from bot.store.agenda import Entry, Work
from bot.store.votes import APPROVE, REJECT, TRY_AGAIN, Click
from bot.work.context import Context
from bot.work.emergencies import VERDICTS, Emergencies
from bot.work.hearing import FINAL_WORDS, MOMENT, WORDS, Hearing
from bot.work.ruling import Ruling, groups_of

log = structlog.get_logger(__name__)

_NO_SUCH_PBX = Verdict(False, "no_rule", "This PBX is not configured any more, so nothing was done.", "no such PBX")
#: A visit holds its entry anew after so long: there is time enough left for a call of Slack's.
KEEPS = agenda.LEASE / 3
#: How often a click is weighed while Slack takes its time.
ROUNDS = 3
#: The code of a refusal because the button was on an older version.
CHANGED = "changed"
_TOO_SLOW = "Slack takes too long to say who may decide this, so nothing was decided. Please try again in a minute."
_EARLIER_UNKNOWN = (
    "Slack could not be asked whether those who approved this before you still may, so nothing was decided. Please try again "
    "in a minute."
)


class Decider:
    """Counts or refuses what `bot.store.votes.record` stored."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._emergencies = Emergencies(context)

    def visit(self, entry: Entry) -> None:
        """Decide all that waits; what comes in meanwhile has an entry of its own."""
        with self._context.store.begin() as session:
            waiting = votes.waiting(session, self._context.store.vault)
            known = {click.shown.request for click in waiting}
            requests = {number: ledger.load(session, number) for number in known}
        hearing = Hearing(self._context, self._emergencies, self._keeper(entry))
        hearing.read_ahead(waiting, requests)
        for click in waiting:
            self._decide(click, hearing)
        with self._context.store.begin() as session:
            agenda.finish(session, entry)

    def _keeper(self, entry: Entry) -> Callable[[], None]:
        """To be called before each question to Slack: nobody takes the visit over while the answers come."""
        held = self._context.now()

        def keep() -> None:
            nonlocal held
            now = self._context.now()
            if now - held >= KEEPS:
                with self._context.store.begin() as session:
                    agenda.hold(session, entry, now)
                held = now

        return keep

    def _decide(self, click: Click, hearing: Hearing) -> None:
        with self._context.store.begin() as session:
            request = ledger.load(session, click.shown.request)
        if request is None:
            self._refuse(click, _NO_SUCH_PBX)
            return
        ruled = hearing.ruling(click, request)
        if click.verdict in VERDICTS:
            if refusal := self._emergencies.decide(click, request, ruled, lambda: hearing.members(click, request, ruled)):
                self._refuse(click, refusal)
            return
        if click.verdict not in FINAL_WORDS and not self._context.knows(request.ask.pbx):
            self._refuse(click, _NO_SUCH_PBX)
            return
        if request.is_open and ruled.rules:
            self._note(request, ruled)
        verdict, scale = self._weigh(click, request, hearing)
        if not verdict.permitted:
            self._refuse(click, verdict)
        elif click.verdict == TRY_AGAIN:
            self._resume(click, request)
        elif click.verdict in WORDS:
            self._hear(click, request, verdict)
        elif _is_of_today(click, request):
            self._count(click, request, verdict, scale)
        else:  # it will not be so again: most of a crowd comes this way, and costs no attempt to count
            self._refuse(click, self._too_late(click, request, verdict))

    def _weigh(self, click: Click, request: Request, hearing: Hearing) -> tuple[Verdict, Scale]:
        """Whether it counts, and by what, all of it known at one moment: while Slack answers one question, the answers to the
        others grow old, so whatever took its time is looked up once more."""
        for _ in range(ROUNDS):
            began = self._context.now()
            verdict, scale = self._weighed(click, request, hearing)
            if not verdict.permitted or self._context.now() - began <= MOMENT:
                return verdict, scale
        return Verdict(False, "membership_unknown", _TOO_SLOW, verdict.rule), scale

    def _weighed(self, click: Click, request: Request, hearing: Hearing) -> tuple[Verdict, Scale]:
        """The rules may name a guest; slack.outsiders has the last word."""
        ruled = hearing.ruling(click, request)
        members = hearing.members(click, request, ruled)
        verdict, scale = ruled.refusal or self._judge(ruled.rules, click, request, members), Scale(ruled.rules, members)
        is_vote = click.verdict in (APPROVE, REJECT)
        if not verdict.permitted or (is_vote and not _is_of_today(click, request)):  # what comes too late costs no call
            return verdict, scale
        inside = hearing.may_take_part(click.user)
        if not inside.permitted:
            return inside, scale
        outside = hearing.outside(click, request)
        if PROFILE_UNKNOWN in outside.values():
            return Verdict(False, "membership_unknown", _EARLIER_UNKNOWN, verdict.rule), scale
        return verdict, replace(scale, outside=outside)

    def _note(self, request: Request, ruled: Ruling) -> None:
        """Whoever looks at the card sees by what it is decided."""
        store = self._context.store
        with suppress(Stale), store.begin() as session:
            ledger.rule_changed(session, store.now(), request, ruled.rules[1] if len(ruled.rules) > 1 else None)

    def _judge(self, rules: Sequence[Rule], click: Click, request: Request, members: Memberships) -> Verdict:
        operators = self._context.config.slack.operators
        if click.verdict == TRY_AGAIN:
            return policy.may_operate(rules, operators, click.user, members)
        if click.verdict in WORDS:
            return policy.may_say(rules, operators, click.user, members)
        if click.verdict != APPROVE or not _is_of_today(click, request):  # which is refused for that, whatever else is missing
            return policy.may_vote(rules, click.user, request.requester, members)
        verdict = policy.may_approve(rules, click.user, request.requester, members)
        return _with_comment(rules, click, _with_everybody(rules, request, members, verdict))

    def _count(self, click: Click, request: Request, verdict: Verdict, scale: Scale) -> None:
        store = self._context.store
        begins = self._context.beginning(request)
        try:
            with store.begin() as session:
                votes.count(session, store.now(), store.vault, click, verdict, scale, begins)
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
        if is_emergency(request):
            return "emergency", f"{mention(request.requester)} let this be done as an emergency, without the approvals."
        if request.decision is Decision.APPROVED and any(vote.user == click.user for vote in request.votes):
            return "voted_before", "Your vote for this was counted already."
        if decided := changes.decided(request, now):
            return f"{request.decision.value}_before", decided
        if not request.is_open or (request.expires_at and request.expires_at <= now):
            return "closed", f"#{request.id} is not open any more; your click changed nothing."
        if any(vote.user == click.user for vote in request.votes):
            return "voted_before", "Your vote for this was counted already."
        return CHANGED, f"#{request.id} has changed since it was shown to you."

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
        """``verdict.reason`` is what they are told; of an outdated button also what is different now."""
        store, told, more = self._context.store, verdict.reason, {}
        with store.begin() as session:
            if verdict.code == CHANGED:
                request = ledger.expect(ledger.load(session, click.shown.request))
                different = edits.changes_since(session, request, click.shown.version)
                told, more = changes.outdated(request, different), {"changes": list(different)}
            is_ours = votes.refuse(session, store.now(), click, verdict.code, verdict.reason, verdict.rule, **more)
        if is_ours:  # if not, whoever decided it has told it
            self._context.pool.submit(self._tell, click, told)

    def _tell(self, click: Click, text: str) -> None:
        """Privately, and only now that the refusal is committed. Lost words change nothing: the card tells the state."""
        try:
            if click.reply_to:
                self._context.slack.respond(click.reply_to, text=text)
            else:
                self._context.slack.direct(click.user, blocks=[], text=text, event="")
        except SlackError as error:
            log.warning("refusal.not_told", request=click.shown.request, code=error.code)


def _is_of_today(click: Click, request: Request) -> bool:
    """Whether it can still be decided, and is what they were shown."""
    return request.is_open and click.shown == Shown.of(request)


def _with_everybody(rules: Sequence[Rule], request: Request, members: Memberships, verdict: Verdict) -> Verdict:
    """An approval may be the last one, and then the others are weighed with it: who is in which group has to be known."""
    approved = [vote.user for vote in request.votes if vote.verdict == APPROVE]
    if verdict.permitted and groups_of(rules, approved) - members.keys():
        return Verdict(False, "membership_unknown", _EARLIER_UNKNOWN, verdict.rule)
    return verdict


def _with_comment(rules: Sequence[Rule], click: Click, verdict: Verdict) -> Verdict:
    wants = next((rule for rule in rules if rule.comment), None)
    if verdict.permitted and wants is not None and not click.reason.strip():
        reason = "Its rule asks you to say why you approve. Nothing was counted: press Approve again and write a comment."
        return Verdict(False, "comment_wanted", reason, wants.line)
    return verdict
