"""What has to be known of people before their clicks are decided, asked once for all that wait."""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

from bot.domain import policy
from bot.domain.events import Word
from bot.domain.policy import PROFILE_UNKNOWN, Verdict
from bot.domain.requests import Request
from bot.domain.rules import Memberships, Rule
from bot.slack.people import FRESH, NOBODY, TOO_SLOW
from bot.store.votes import APPROVE, REJECT, Click
from bot.work.context import Context
from bot.work.emergencies import VERDICTS, Emergencies
from bot.work.ruling import Ruling, groups_for, groups_of, ruling

WORDS = frozenset(Word)
#: The words that settle a fate without another look, for which the PBX need not be configured any more.
FINAL_WORDS = frozenset({Word.IS_THERE, Word.IS_NOT_THERE})
#: How long it may take to ask for all that a click is weighed by. So much younger is each answer when it is given, so that none
#: is older than 30 s when the click counts (promise 3).
MOMENT = timedelta(seconds=5)
_AGE = FRESH - MOMENT


class Hearing:
    """One visit's. What Slack refused to tell, or could not, is not asked again in it. ``keep`` is called before each question,
    for each may take its time."""

    def __init__(self, context: Context, emergencies: Emergencies, keep: Callable[[], None]) -> None:
        self._context = context
        self._emergencies = emergencies
        self._keep = keep
        self._unread: set[str] = set()
        self._unknown: set[str] = set()

    def read_ahead(self, clicks: Iterable[Click], requests: Mapping[int, Request | None]) -> None:
        """One call for each group that any of them needs."""
        groups: set[str] = set()
        for click in clicks:
            if request := requests[click.shown.request]:
                groups |= self._groups(click, request, self.ruling(click, request))
        self._read(groups)

    def ruling(self, click: Click, request: Request) -> Ruling:
        """Which rules count. Groups that Slack would not tell us are left out, and then nothing is decided by them.

        Of a PBX that is not configured any more, the rule under which it was asked says who may settle what became of a call.
        """
        today = self._context.config.rules
        ruled = ruling(today, request, self._read(groups_for(today, request)))
        is_gone = ruled.refusal is not None and ruled.refusal.code == "no_rule"
        return Ruling((request.rule,)) if is_gone and request.rule and click.verdict in FINAL_WORDS else ruled

    def members(self, click: Click, request: Request, ruled: Ruling) -> Memberships:
        """Of every group that decides what this click is worth, and those votes to which it may be added."""
        return self._read(self._groups(click, request, ruled))

    def may_take_part(self, user: str) -> Verdict:
        self._keep()
        return self._context.may_take_part(user, _AGE)

    def outside(self, click: Click, request: Request) -> dict[str, str]:
        """Who approved it before and may not take part any more, with the code of why; their approvals lapse with this one.

        Ends with the first of whom Slack says nothing: then it cannot be approved now, whatever the others are.
        """
        found: dict[str, str] = {}
        if click.verdict == APPROVE:
            for voter in (vote.user for vote in request.votes if vote.verdict == APPROVE):
                if code := self._became(voter):
                    found[voter] = code
                if code == PROFILE_UNKNOWN:
                    break
        return found

    def _became(self, user: str) -> str:
        """Empty for whoever may take part."""
        if user in self._unknown:
            return PROFILE_UNKNOWN
        verdict = self.may_take_part(user)
        if verdict.permitted:
            return ""
        if verdict.code == PROFILE_UNKNOWN:
            trouble = self._context.people.profile_trouble(user)
            if trouble in NOBODY:
                return "gone"
            if trouble != TOO_SLOW:
                self._unknown.add(user)
        return verdict.code

    def _groups(self, click: Click, request: Request, ruled: Ruling) -> frozenset[str]:
        if click.verdict in VERDICTS:
            return self._emergencies.groups_for(click, request, ruled)
        if not ruled.rules:
            return frozenset()
        if click.verdict in (APPROVE, REJECT):
            return groups_of(ruled.rules, {click.user, *(vote.user for vote in request.votes if vote.verdict == APPROVE)})
        return policy.groups_to_read(click.user, self._subjects(click, ruled.rules))

    def _subjects(self, click: Click, rules: tuple[Rule, ...]) -> tuple[str, ...]:
        operators = self._context.config.slack.operators
        return policy.speakers(rules, operators) if click.verdict in WORDS else policy.operators_of(rules, operators)

    def _read(self, groups: Iterable[str]) -> Memberships:
        """One after the other, and then all of them at once: those that have grown too old meanwhile are asked again."""
        people, wanted = self._context.people, frozenset(groups) - self._unread
        for group in sorted(wanted):
            self._keep()
            people.members((group,), _AGE)
        self._unread |= {group for group in wanted if people.trouble(group) not in (None, TOO_SLOW)}
        left = wanted - self._unread
        return people.members(left, _AGE) if left else {}
