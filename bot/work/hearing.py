"""What has to be known of people before their clicks are decided, asked once for all that wait."""

from collections.abc import Iterable, Mapping

from bot.domain import policy
from bot.domain.events import Word
from bot.domain.policy import PROFILE_UNKNOWN
from bot.domain.requests import Request
from bot.domain.rules import Memberships, Rule
from bot.slack.people import NOBODY
from bot.store.votes import APPROVE, REJECT, Click
from bot.work.context import Context
from bot.work.emergencies import VERDICTS, Emergencies
from bot.work.ruling import Ruling, groups_for, groups_of, ruling

WORDS = frozenset(Word)
#: The words that settle a fate without another look, for which the PBX need not be configured any more.
SETTLING = frozenset({Word.IS_THERE, Word.IS_NOT_THERE})


class Hearing:
    """One visit's. No answer is older than 30 s when it is given (promise 3), so ask for it right before it is used: most are
    known by then. What Slack did not tell once in this visit is not asked again."""

    def __init__(self, context: Context, emergencies: Emergencies) -> None:
        self._context = context
        self._emergencies = emergencies
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
        return Ruling((request.rule,)) if is_gone and request.rule and click.verdict in SETTLING else ruled

    def members(self, click: Click, request: Request, ruled: Ruling) -> Memberships:
        """Of every group that decides what this click is worth, and those votes to which it may be added."""
        return self._read(self._groups(click, request, ruled))

    def outside(self, click: Click, request: Request) -> dict[str, str]:
        """Who approved it before and may not take part any more, with the code of why; their approvals lapse with this one."""
        if click.verdict != APPROVE:
            return {}
        codes = {vote.user: self._became(vote.user) for vote in request.votes if vote.verdict == APPROVE}
        return {user: code for user, code in codes.items() if code}

    def _became(self, user: str) -> str:
        """Empty for whoever may take part."""
        if user in self._unknown:
            return PROFILE_UNKNOWN
        verdict = self._context.may_take_part(user)
        if verdict.permitted:
            return ""
        if verdict.code == PROFILE_UNKNOWN:
            if self._context.people.profile_trouble(user) in NOBODY:
                return "gone"
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
        wanted = frozenset(groups) - self._unread
        members = self._context.people.members(wanted) if wanted else {}
        self._unread |= wanted - members.keys()
        return members
