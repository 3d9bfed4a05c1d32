"""The decider and the expirer over a real store, with people and a Slack that can be looked at."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic import SecretStr

from bot.config import Config, PbxConfig, Settings, SlackConfig
from bot.config.models import SecretsConfig
from bot.domain.profile import Profile
from bot.exceptions import SlackRefused, SlackUnreachable
from bot.pbx.client import PbxClient
from bot.slack.gateway import Gateway
from bot.slack.people import People
from bot.store import agenda
from bot.store.agenda import Entry, Work
from bot.store.engine import Store
from bot.work.context import Context
from bot.work.decide import Decider
from bot.work.expire import Expirer
from bot.work.remind import Reminder
from tests.unit.store_kit import KEY

LEADS = "S0LEADS"


class Inline(Executor):
    """Runs what it is given at once, in the thread that gives it."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


@dataclass
class Slack:
    """What the decider needs of Slack: who is in a group, and a way to tell somebody something."""

    groups: dict[str, frozenset[str]] = field(default_factory=dict)
    told: list[tuple[str, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    is_down: bool = False
    #: Those who are not simply members, and those whom the workspace does not know any more.
    profiles: dict[str, Profile] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    #: Called before each answer about people.
    meanwhile: Callable[[], object] = lambda: None

    def group_members(self, group: str) -> frozenset[str]:
        self.meanwhile()
        self.asked.append(group)
        if self.is_down:
            raise SlackUnreachable
        return self.groups[group]

    def profile(self, user: str) -> Profile:
        self.meanwhile()
        if self.is_down:
            raise SlackUnreachable
        if user in self.gone:
            raise SlackRefused("user_not_found")
        return self.profiles.get(user, Profile(user, "T1"))

    def respond(self, url: str, *, text: str, **_: Any) -> None:
        self.told.append((url, text))

    def direct(self, user: str, *, text: str, **_: Any) -> None:
        self.told.append((user, text))


def config_of(**pbxs: dict[str, Any]) -> Config:
    """A configuration with these PBXs; each is its rule."""
    common: dict[str, Any] = {"url": "https://pbx.example.com:8088", "client_id": "id", "client_secret": SecretStr("s")}
    slack: dict[str, Any] = {"channel": "C01CERTS", "bot_token": SecretStr("xoxb-1"), "app_token": SecretStr("xapp-1")}
    return Config.model_construct(
        secrets=SecretsConfig.model_construct(key=SecretStr(KEY.hex())),
        slack=SlackConfig.model_construct(**slack),
        pbx=tuple(PbxConfig.model_construct(**{"name": name, **common, **rule}) for name, rule in pbxs.items()),
    )


def no_pbx(name: str) -> PbxClient:
    raise AssertionError(f"nobody needs {name} here")


def context_of(store: Store, config: Config, slack: Slack) -> Context:
    people = People(slack, store.now)
    return Context(Settings(config), store, cast(Gateway, slack), people, no_pbx, Inline())


class Hands:
    """Claims what is due, as the loop does, and carries it out."""

    def __init__(self, context: Context) -> None:
        self.store = context.store
        expire, remind = Expirer(context).visit, Reminder(context).visit
        self.visits: dict[Work, Callable[[Entry], None]] = {
            Work.DECIDE: Decider(context).visit,
            Work.EXPIRE: expire,
            Work.WIPE: expire,
            Work.REMIND: remind,
            Work.ESCALATE: remind,
        }

    def claim(self, *kinds: Work) -> Entry | None:
        with self.store.begin() as session:
            return agenda.claim(session, self.store.owner, self.store.now(), kinds)

    def work(self, *kinds: Work) -> int:
        """Until nothing of these kinds is due; how many visits that took."""
        visits = 0
        while (entry := self.claim(*kinds)) is not None:
            self.visits[entry.kind](entry)
            visits += 1
        return visits
