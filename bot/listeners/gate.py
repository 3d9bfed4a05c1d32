"""Commands are for those who may take part: guests, bots and people of other workspaces are turned away, unless configured.

Slack has to be asked what somebody is, and nobody may wait for that with the acknowledgement. So a command is acknowledged at
once and carried out afterwards; what it would have answered with goes the way of every later answer. A form cannot wait for
that either, for Slack opens one within three seconds or not at all: it opens, and becomes a refusal if it has to (`Desk`).
"""

from collections.abc import Callable
from typing import Any

from slack_bolt import Ack

from bot.exceptions import StoreError
from bot.listeners.afterwards import collecting, defer, run
from bot.listeners.desk import Body, Desk, not_taken, user_of

Listen = Callable[..., None]

_FAILED = "Something went wrong inside the bot, so nothing was done. Please ask an operator to look at its log. [internal]"


def gated(desk: Desk, what: str, listen: Listen, *, opens_form: Callable[[Body], bool]) -> Listen:
    """The same listener, for those who may take part; ``ack(text)`` becomes an answer that only they see."""

    def listens(ack: Ack, body: Body) -> None:
        if opens_form(body):
            listen(ack=ack, body=body)
            return
        ack()
        defer(lambda: _carry_out(desk, what, listen, body))

    return listens


def _carry_out(desk: Desk, what: str, listen: Listen, body: Body) -> None:
    verdict = desk.context.may_take_part(user_of(body))
    if not verdict.permitted:
        desk.turn_away(body, what, verdict)
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
