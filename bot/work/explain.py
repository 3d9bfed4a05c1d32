"""Explain who may decide a request, and why, by what Slack and the configuration say now."""

from bot.config import Config
from bot.domain import policy
from bot.domain.explanation import Explanation
from bot.domain.requests import Request
from bot.slack.people import People
from bot.work.ruling import groups_for, groups_of, rule_today, ruling


def explain(config: Config, people: People, request: Request, user: str = "") -> Explanation:
    """Groups that Slack does not tell count as unknown, and the explanation says so."""
    rules = config.rules
    groups = groups_for(rules, request)
    members = people.members(groups) if groups else {}
    ruled, tried = ruling(rules, request, members), rule_today(rules, request, members).tried
    counting = ruled.rules or request.rules
    verdict = None
    if user and counting:
        asked = groups_of(counting, [user])
        known = people.members(asked) if asked else {}
        verdict = policy.may_vote(counting, user, request.requester, known)
    return Explanation(request, counting, tried, ruled.refusal, verdict)
