"""Answer why: who may decide a request, and what is missing. Slack is asked for this, so it comes after the acknowledgement."""

from bot.blocks import replies
from bot.blocks.why import why
from bot.domain.requests import Request
from bot.listeners.desk import Desk
from bot.work.explain import explain


def explained(desk: Desk, number: int, user: str) -> str:
    """In mrkdwn, for this person alone."""
    request = desk.load(number)
    if request is None or request.is_private:
        return f"There is no request #{number}."
    return unreadable(desk, request, user) or why(explain(desk.context.config, desk.context.people, request, user))


def unreadable(desk: Desk, request: Request, user: str) -> str:
    """Why this person may not read it; "" if they may. Slack is asked where a user group decides that."""
    may_read = desk.reader.may_read(user, request)
    if may_read is None:
        return replies.unsure()
    return "" if may_read else replies.not_readable(request)
