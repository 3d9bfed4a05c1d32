"""`/pbx-cert reload`: operators let every bot on this database read its configuration anew."""

from bot.domain import policy
from bot.domain.policy import Verdict
from bot.domain.rules import groups_in
from bot.exceptions import StoreError
from bot.listeners.desk import Desk, not_taken
from bot.store import audit, replicas
from bot.store.engine import LISTENER_WAIT


def reload_all(desk: Desk, user: str) -> str:
    """Commit the order, or say why not. Slack is asked who the operators are, so this comes after the acknowledgement."""
    store, verdict = desk.context.store, _may_reload(desk, user)
    try:
        with store.begin(LISTENER_WAIT) as session:
            if not verdict.permitted:
                audit.refused(session, store.now(), user, "reload", verdict)
                return verdict.reason
            replicas.order(session, user)
            count = len(replicas.alive(session, store.now()))
    except StoreError as error:
        return not_taken(error)
    if count < 2:
        return "The bot now reads its configuration anew, and tells you by direct message how it went."
    return f"All {count} bots now read their configuration anew, and tell you by direct message how it went."


def _may_reload(desk: Desk, user: str) -> Verdict:
    operators = desk.context.config.slack.operators
    groups = groups_in(operators)
    return policy.may_reload(operators, user, desk.context.people.members(groups) if groups else {})
