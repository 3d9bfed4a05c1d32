"""Break-glass: the requester lets it be done at once, and a second person says what they think of it.

Each is a click that is recorded here and decided where Slack can be asked who may (`bot.work.emergencies`).
"""

from collections.abc import Callable

from slack_bolt import Ack, App

from bot.blocks import emergencies as texts
from bot.domain.emergencies import DECLARE, OBJECT
from bot.domain.requests import Shown
from bot.listeners.clicks import UNKNOWN, record, say_why
from bot.listeners.desk import Body, Desk


def register(app: App, desk: Desk) -> None:
    for name in texts.LOOKS:
        app.action(name)(_asked(desk, name))
        app.view(name)(_said(desk, name))


def declare(desk: Desk, body: Body, shown: Shown) -> None:
    """Raises StoreError when the click could not be committed."""
    record(desk, body, shown, DECLARE)


def _asked(desk: Desk, name: str) -> Callable[..., None]:
    def ask(ack: Ack, body: Body) -> None:
        shown = Shown.load(body["actions"][0]["value"])
        request = desk.load(shown.request)
        ack()
        if request is None:
            desk.answer_later(body, UNKNOWN)
        else:
            desk.open_later(body, texts.question(request, name, shown.dump()))

    return ask


def _said(desk: Desk, name: str) -> Callable[..., None]:
    """An objection has a reason; a confirmation may have a comment."""
    verdict = texts.LOOKS[name]
    please = "Say what was not right: the requester and the operators read it."
    return say_why(desk, verdict, please, least=texts.REASON_MIN if verdict == OBJECT else 0)
