"""Before the bot is started: does everything answer that the configuration names?

Nothing is changed, but an empty database gets its tables. A PBX is logged in to by the token that the bot shares, so a
refused login stops further ones here, too.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from bot.config import Config, PbxConfig
from bot.domain.dns_providers import Catalogue, check_params
from bot.domain.reach import Grade
from bot.domain.requests import SLOTS
from bot.domain.rules import groups_in
from bot.exceptions import BotError, PbxError, SlackError, StoreError
from bot.pbx.client import PbxClient
from bot.pbx.endpoint import Endpoint
from bot.slack.errors import guarded
from bot.slack.gateway import Gateway
from bot.slack.transport import Client
from bot.store import breakers, schema
from bot.store.engine import Store, utc_now
from bot.store.tokens import TokenShelf
from bot.work import reachable

#: Seconds for an answer of Slack's.
PATIENCE = 10
#: Seconds that a look at everybody whom the policy names waits in all, where Slack limits the calls.
PATIENCE_WITH_LIMITS = 120.0


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. ``good`` is None for what works and is worth a word all the same."""

    good: bool | None
    what: str
    said: str


class Doctor:
    """Looks at everything once, and goes on after each thing that is wrong."""

    def __init__(self, config: Config, store: Store, now: Callable[[], datetime] = utc_now) -> None:
        self._config = config
        self._store = store
        self._now = now
        self._slack = Gateway(config.slack.bot_token.get_secret_value(), config.slack.api_url, now=now, timeout=PATIENCE)

    def findings(self) -> Iterator[Finding]:
        """Each as soon as it is known. Without a database the PBXs' tokens have no place, so then it ends."""
        yield from self._dns()
        yield from self._workspace()
        try:
            self._open_database()
        except StoreError as error:
            yield _bad("database", error)
            return
        yield Finding(True, "database", "its schema is up to date, and the key opens its secrets")
        for pbx in self._config.pbx:
            yield from self._pbx(pbx)

    def _open_database(self) -> None:
        """One of an older version stays as it is: a bot of that version may be at work on it."""
        if schema.version_of(self._store) is not None:
            schema.must_be_current(self._store)
        self._store.migrate()

    def _dns(self) -> Iterator[Finding]:
        for profile in self._config.dns:
            what = f"dns {profile.name}"
            checked = check_params(profile.provider, profile.values(), Catalogue.load())
            for problem in checked.problems:
                yield Finding(False, what, f"{problem.message} [{problem.code}]")
            for warning in checked.warnings:
                yield Finding(None, what, warning)
            if not checked.problems:
                yield Finding(True, what, f"{profile.provider} gets {', '.join(checked.values)}")

    def _workspace(self) -> Iterator[Finding]:
        """Who we are there; and only if we are somebody, what we can see."""
        try:
            me = self._slack.identity()
        except SlackError as error:
            yield _bad("SLACK_BOT_TOKEN", error)
            return
        yield Finding(True, "SLACK_BOT_TOKEN", f"the bot is {me.user} in the workspace {me.team}")
        yield self._socket_mode()
        for channel in self._channels():
            yield self._channel(channel, me.user)
        for group in sorted(groups_in(self._subjects())):
            yield self._group(group)
        yield from self._policy()

    def _policy(self) -> Iterator[Finding]:
        """Whether every request could be approved by people who exist, as the bot looks at its start and every night."""
        try:
            found = reachable.check(self._config, self._slack, PATIENCE_WITH_LIMITS)
        except SlackError as error:
            yield _bad("policy", error)
            return
        for finding in found:
            yield Finding(False if finding.grade is Grade.BROKEN else None, "policy", finding.sentence())
        if not any(finding.grade is Grade.BROKEN for finding in found):
            yield Finding(True, "policy", "every request can be approved by people who may take part")

    def _channels(self) -> tuple[str, ...]:
        config = self._config
        named = (config.slack.channel, *(pbx.channel for pbx in config.pbx), config.operators_channel, config.audit_channel)
        return tuple(dict.fromkeys(named))

    def _socket_mode(self) -> Finding:
        """Asks for an address to connect to, and does not connect (docs.slack.dev/reference/methods/apps.connections.open)."""
        token, what = self._config.slack.app_token.get_secret_value(), "SLACK_APP_TOKEN"
        client = Client(token, self._config.slack.api_url, PATIENCE)
        try:
            guarded(lambda: client.api_call("apps.connections.open"), self._now())
        except SlackError as error:
            return _bad(what, error)
        return Finding(True, what, "Slack lets the bot connect by Socket Mode")

    def _channel(self, channel: str, me: str) -> Finding:
        what = f"channel {channel}"
        try:
            inside = self._slack.channel_members_include(channel, me)
        except SlackError as error:
            return _bad(what, error)
        return Finding(inside, what, "the bot is in it" if inside else "the bot is not in it; invite it there with /invite")

    def _group(self, group: str) -> Finding:
        what = f"user group {group}"
        try:
            count = len(self._slack.group_members(group))
        except SlackError as error:
            return _bad(what, error)
        return Finding(count > 0, what, f"{count} members" if count else "nobody is in it")

    def _subjects(self) -> tuple[str, ...]:
        """Everybody whom the configuration names."""
        rules = (clause.rule for clause in self._config.rules.clauses)
        named = (subject for rule in rules for subject in (*rule.approvers, *rule.requesters, *rule.readers, *rule.escalate_to))
        asked = (subject for clause in self._config.rules.clauses for subject in clause.when.requesters)
        teams = (subject for team in self._config.rules.teams for subject in (*team.members, *team.leads))
        return (*self._config.slack.operators, *named, *asked, *teams)

    def _pbx(self, pbx: PbxConfig) -> Iterator[Finding]:
        what = f"pbx {pbx.name}"
        if (left := self._left_alone(pbx.name)) is not None:
            yield left
        endpoint = Endpoint(pbx.name, pbx.url, pbx.client_id, pbx.client_secret, pbx.tls)
        client = PbxClient(endpoint, TokenShelf(self._store), now=self._now)
        try:
            about = client.system_information()
            types = [one.type for one in client.list_certificates()]
        except (PbxError, StoreError) as error:
            yield _bad(what, error)
            return
        used = ", ".join(f"{types.count(kind)} of {slots} {kind}" for kind, slots in SLOTS.items())
        yield Finding(
            True, what, f"{about.model or 'unknown model'}, firmware {about.firmware or 'unknown'}; slots used: {used}"
        )

    def _left_alone(self, pbx: str) -> Finding | None:
        """What the running bot thinks of it; the doctor looks for itself all the same."""
        with self._store.begin() as session:
            away = breakers.away(session, pbx)
        if away is None:
            return None
        said = (
            f"has not answered the bot since {away.since:%Y-%m-%d %H:%M} UTC; the bot looks again at {away.retry_at:%H:%M} UTC"
        )
        return Finding(None, f"pbx {pbx}", said)


def _bad(what: str, error: BotError) -> Finding:
    return Finding(False, what, error.message if error.code in error.message else f"{error.message} [{error.code}]")
