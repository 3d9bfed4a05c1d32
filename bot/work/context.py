"""What every piece of work needs, handed over once."""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.config import Config, Settings
from bot.domain import policy, schedule
from bot.domain.policy import Verdict
from bot.domain.requests import Request
from bot.domain.schedule import Beginning
from bot.domain.windows import Windows
from bot.pbx.client import PbxClient
from bot.slack.gateway import Gateway
from bot.slack.people import FRESH, People
from bot.store.engine import Store

#: Our answer to a form and the update after it take different ways to Slack; this keeps the second from overtaking the first.
GRACE = timedelta(seconds=0.25)


@dataclass(frozen=True)
class Context:
    """The house's rooms. ``pbx`` gives the one client of a configured PBX; ``pool`` runs what must not hold up an answer."""

    settings: Settings
    store: Store
    slack: Gateway
    people: People
    pbx: Callable[[str], PbxClient]
    pool: Executor
    grace: timedelta = GRACE

    @property
    def config(self) -> Config:
        """What is in force at this moment; whoever needs two of its values that fit together takes it once."""
        return self.settings.config

    def now(self) -> datetime:
        return self.store.now()

    def knows(self, pbx: str) -> bool:
        """Whether the PBX is still configured."""
        return self.config.pbx_named(pbx) is not None

    def operators(self, request: Request) -> tuple[str, ...]:
        """Who may press Try again for the request's PBX: the operators; where none are named, its approvers."""
        return policy.operators_of(request.rules, self.config.slack.operators)

    def windows(self, pbx: str) -> Windows:
        """When a PBX may be changed, by the configuration of now."""
        settings = self.config.pbx_named(pbx)
        return settings.maintenance if settings else Windows()

    def beginning(self, request: Request) -> Beginning:
        """When it begins if it is approved now."""
        return schedule.beginning(request, self.windows(request.ask.pbx), self.now())

    def may_take_part(self, user: str, max_age: timedelta = FRESH) -> Verdict:
        """Whether somebody may ask, vote and command at all; Slack is asked what they are, if it has not been lately."""
        return policy.may_take_part(self.people.profile(user, max_age), self.config.slack.outsiders)
