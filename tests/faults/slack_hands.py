"""How the calls of `tests.faults.slack_faults` are reached, and how its faults are made on the simulated Slack."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tests.flow.world import World

POST = "chat.postMessage"


class Moment(Enum):
    """When the fault is laid in wait: right before what a person does."""

    START = "before the bot starts"
    OPEN = "before the command is typed"
    CHECK = "before the form is submitted"
    ASK = "before it is confirmed"
    DECIDE = "before it is decided"


@dataclass(frozen=True)
class Reached:
    """One call: its method, when its turn comes, and how many calls of the method pass before it."""

    method: str
    moment: Moment
    skip: int = 0
    #: On whose PBX: nobody but the leads is in the channel of ``branch``.
    pbx: str = "hq"
    kind: str = "trusted"
    #: Done at the same moment, so that the call is made at all.
    prepare: Callable[[World], object] = lambda world: None


def _lose_the_post(world: World) -> None:
    world.slack.trouble.fail(POST, drop=True, after_effect=True)


REACHED: Mapping[str, Reached] = {
    "views.open of the form": Reached("views.open", Moment.OPEN),
    "views.open of the question why": Reached("views.open", Moment.DECIDE),
    "files.info at the check": Reached("files.info", Moment.CHECK),
    "files.download at the check": Reached("files.download", Moment.CHECK),
    "views.update with the check's result": Reached("views.update", Moment.CHECK),
    "chat.postMessage of the card": Reached(POST, Moment.ASK),
    "chat.postMessage of a line": Reached(POST, Moment.DECIDE),
    "chat.postMessage of a direct message": Reached("conversations.open", Moment.DECIDE, pbx="branch"),
    "chat.update of the card": Reached("chat.update", Moment.DECIDE, kind="apply"),
    "chat.getPermalink for the link": Reached("chat.getPermalink", Moment.ASK),
    "response_url with the link": Reached("response_url", Moment.ASK),
    "response_url with a refusal": Reached("response_url", Moment.DECIDE),
    "conversations.open for a direct message": Reached("conversations.open", Moment.DECIDE, pbx="branch"),
    "conversations.history for a lost card": Reached("conversations.history", Moment.ASK, prepare=_lose_the_post),
    "conversations.replies for a lost line": Reached("conversations.replies", Moment.DECIDE, prepare=_lose_the_post),
    "conversations.members at the end": Reached("conversations.members", Moment.DECIDE),
    "usergroups.users.list at a click": Reached("usergroups.users.list", Moment.DECIDE),
    "users.info at a click": Reached("users.info", Moment.DECIDE),
    "auth.test at the start": Reached("auth.test", Moment.START),
    "apps.connections.open at the start": Reached("apps.connections.open", Moment.START),
}
#: A direct message is known from others by its channel alone, which is new when it is opened: the fault waits for that.
DIRECT = "chat.postMessage of a direct message"

#: The arguments of `Trouble.fail`.
MADE: Mapping[str, dict[str, Any]] = {
    "429 with Retry-After": {"retry_after": 1},
    "503 before the effect": {"status": 503},
    "503 after the effect": {"status": 503, "after_effect": True},
    "timeout before": {"hang": True},
    "timeout after": {"hang": True, "after_effect": True},
    "reset before the effect": {"drop": True},
    "reset after the effect": {"drop": True, "after_effect": True},
    "internal_error before": {"error": "internal_error"},
    "internal_error after": {"error": "internal_error", "after_effect": True},
    "invalid_auth": {"error": "invalid_auth"},
    "token_revoked": {"error": "token_revoked"},
    "channel_not_found": {"error": "channel_not_found"},
    "not_in_channel": {"error": "not_in_channel"},
    "message_not_found": {"error": "message_not_found"},
    "not_found": {"error": "not_found"},
    "file_not_found": {"error": "file_not_found"},
    "404": {"status": 404, "error": "used_url"},
}
#: Those for which the bot's own time limit has to run out.
SLOW = frozenset({"timeout before", "timeout after"})
