"""What every piece of work needs, handed over once."""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime

from bot.config import Config, PbxConfig
from bot.domain.policy import Rule
from bot.pbx.client import PbxClient
from bot.slack.gateway import Gateway
from bot.slack.people import People
from bot.store.engine import Store


@dataclass(frozen=True)
class Context:
    """The house's rooms. ``pbx`` gives the one client of a configured PBX; ``pool`` runs what must not hold up an answer."""

    config: Config
    store: Store
    slack: Gateway
    people: People
    pbx: Callable[[str], PbxClient]
    pool: Executor

    def now(self) -> datetime:
        return self.store.now()

    def rule(self, pbx: str) -> Rule | None:
        """The rule of a PBX; None when it is not configured any more."""
        settings = self.config.pbx_named(pbx)
        return rule_of(self.config, settings) if settings else None


def rule_of(config: Config, settings: PbxConfig) -> Rule:
    return Rule(
        pbx=settings.name,
        line=f"pbx[{config.pbx.index(settings)}]",
        approvers=settings.approvers,
        approvals=settings.approvals,
        requesters=settings.requesters,
        operators=config.slack.operators,
    )
