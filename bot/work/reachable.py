"""Ask Slack about everybody whom a policy needs: does enough of it exist for each request to be approved?

Asked before a configuration comes into force, and every night, because people leave without anybody telling the bot.
"""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Protocol, TypeVar

from bot.config import Config
from bot.domain import policy, reach
from bot.domain.profile import Profile
from bot.domain.reach import Finding, Grade, Known
from bot.domain.rules import groups_in, is_group
from bot.exceptions import SlackRateLimited, SlackRefused
from bot.slack.people import NOBODY

T = TypeVar("T")

#: Its words for a call that nobody is to be judged by: the token is no good for it, or Slack itself is in trouble. Whatever it
#: says of a user group otherwise is final, such as no_such_subteam, or plan_upgrade_required on a free plan.
_NOT_ASKED = frozenset({
    "not_authed", "invalid_auth", "account_inactive", "token_revoked", "token_expired", "missing_scope", "access_denied",
    "not_allowed_token_type", "ekm_access_denied", "org_login_required", "internal_error", "fatal_error",
})  # fmt: skip
#: Why somebody is of no use, by the code of `policy.may_take_part`.
_CAUSES = {
    "deactivated": "is deactivated",
    "guest": "is a guest",
    "bot": "is a bot",
    "other_workspace": "is of another workspace",
}
#: Seconds that a check of a configuration waits in all where Slack limits the calls.
PATIENCE = 5.0


class Directory(Protocol):
    """What is needed of `bot.slack.gateway.Gateway`."""

    def group_members(self, group: str) -> frozenset[str]: ...

    def profile(self, user: str) -> Profile: ...


class Census:
    """Asks about each group and each person once, so that it can go on where Slack's limits stopped it."""

    def __init__(self, slack: Directory, outsiders: Collection[str]) -> None:
        self._slack = slack
        self._outsiders = outsiders
        self._members: dict[str, frozenset[str]] = {}
        self._able: set[str] = set()
        self._unable: dict[str, str] = {}

    def check(self, config: Config, *, on_call: bool = True) -> list[Finding]:
        """What is wrong with its policy. Raises SlackError when that cannot be said, or not yet.

        ``on_call``: also of those who could have something done as an emergency, without whom everything can still be approved.
        """
        rules = config.rules
        urgent = {clause: reach.urgent_of(clause) if on_call else frozenset[str]() for clause in rules.clauses}
        for group in sorted(reach.groups_to_read(rules) | groups_in(frozenset[str]().union(*urgent.values()))):
            self._group(group)
        for clause in rules.clauses:
            for subject in sorted(reach.subjects_of(clause, rules.teams) | urgent[clause]):
                self._look_at(subject, reach.most_wanted(clause.rule))
        known = Known(self._members, frozenset(self._able), self._unable)
        return list(reach.findings(rules, [pbx.name for pbx in config.pbx], known))

    def _look_at(self, subject: str, wanted: int) -> None:
        """At a person, or at as many members of a group as could be wanted."""
        if not is_group(subject):
            self._is_able(subject)
            return
        able = 0
        for member in sorted(self._members.get(subject, ())):
            able += self._is_able(member)
            if able == wanted:
                break
        if not able and subject in self._members:
            self._unable[subject] = "has no member who may take part"

    def _group(self, group: str) -> None:
        if group in self._members or group in self._unable:
            return
        try:
            self._members[group] = self._slack.group_members(group)
        except SlackRefused as error:
            if error.error in _NOT_ASKED or error.error.startswith("http_"):  # somebody on the way to Slack
                raise
            self._unable[group] = f"cannot be read [{error.error}]"

    def _is_able(self, user: str) -> bool:
        if user not in self._able and user not in self._unable:
            self._ask(user)
        return user in self._able

    def _ask(self, user: str) -> None:
        try:
            profile = self._slack.profile(user)
        except SlackRefused as error:
            if error.error not in NOBODY:
                raise
            self._unable[user] = "does not exist in this workspace"
            return
        verdict = policy.may_take_part(profile, self._outsiders)
        if verdict.permitted:
            self._able.add(user)
        else:
            self._unable[user] = _CAUSES[verdict.code]


def check(config: Config, slack: Directory, seconds: float = PATIENCE, *, on_call: bool = True) -> list[Finding]:
    """As `Census.check`, with some patience for Slack's limits."""
    census = Census(slack, config.slack.outsiders)
    return patiently(lambda: census.check(config, on_call=on_call), seconds)


def patiently(ask: Callable[[], T], seconds: float) -> T:
    """Ask again as long as Slack only wants us to wait, and not for longer than so many seconds in all."""
    until = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except SlackRateLimited as error:
            if time.monotonic() + error.retry_after > until:
                raise
            time.sleep(error.retry_after)


def lines_of(findings: Sequence[Finding]) -> Iterator[str]:
    """What keeps a configuration from being used, for a terminal or a message to operators."""
    for finding in findings:
        if finding.grade is Grade.BROKEN:
            yield finding.sentence()
