"""Answer why: who may decide a request, and what is missing. Slack is asked for this, so it comes after the acknowledgement."""

from bot.blocks.why import why
from bot.domain.requests import Decision
from bot.listeners.desk import Desk
from bot.work.explain import explain


def explained(desk: Desk, number: int, user: str) -> str:
    """In mrkdwn, for this person alone."""
    request = desk.load(number)
    if request is None or request.decision is Decision.DRAFT:
        return f"There is no request #{number}."
    return why(explain(desk.context.config, desk.context.people, request, user))
