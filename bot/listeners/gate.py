"""Commands are for those who may take part: guests, bots and people of other workspaces are turned away, unless configured.

Slack has to be asked what somebody is, and nobody may wait for that with the acknowledgement. So a command is acknowledged at
once and carried out afterwards; what it would have answered with goes the way of every later answer.
"""

from collections.abc import Callable
from typing import Any

from slack_bolt import Ack

from bot.domain.policy import Verdict
from bot.exceptions import StoreError
from bot.listeners.afterwards import collecting, defer, run
from bot.listeners.desk import Body, Desk, not_taken
from bot.store import audit

Listen = Callable[..., None]

_FAILED = "Something went wrong inside the bot, so nothing was done. Please ask an operator to look at its log. [internal]"


def gated(desk: Desk, what: str, listen: Listen, *, opens_form: Callable[[Body], bool]) -> Listen:
    """The same listener, for those who may take part; ``ack(text)`` becomes an answer that only they see.

    Whoever opens a form may do so too while Slack cannot be asked: it shows nothing, and the check of what they ask for asks
    again.
    """

    def listens(ack: Ack, body: Body) -> None:
        ack()
        defer(lambda: _carry_out(desk, what, listen, body, patient=opens_form(body)))

    return listens


def user_of(body: Body) -> str:
    """Whoever typed a command or used a shortcut."""
    user: str = body["user_id"] if "user_id" in body else body["user"]["id"]
    return user


def _carry_out(desk: Desk, what: str, listen: Listen, body: Body, *, patient: bool) -> None:
    verdict = desk.context.may_take_part(user_of(body))
    if not verdict.permitted and not (patient and verdict.code == "profile_unknown"):
        _turn_away(desk, what, body, verdict)
        return
    try:
        with collecting() as jobs:
            listen(ack=_Answer(desk, body), body=body)
    except StoreError as error:
        desk.answer(body, not_taken(error))
        return
    except Exception:
        desk.answer(body, _FAILED)
        raise
    for job in jobs:
        desk.context.pool.submit(run, job)


class _Answer:
    """Stands where Bolt's `Ack` does once the acknowledgement has left."""

    def __init__(self, desk: Desk, body: Body) -> None:
        self._desk = desk
        self._body = body

    def __call__(self, text: str = "", **_: Any) -> None:
        if text:
            self._desk.answer(self._body, text)


def _turn_away(desk: Desk, what: str, body: Body, verdict: Verdict) -> None:
    """The answer is given even if our database is gone; then it is only the event that is missing."""
    store = desk.context.store
    try:
        with store.begin() as session:
            audit.refused(session, store.now(), user_of(body), what, verdict)
    finally:
        desk.answer(body, verdict.reason)
