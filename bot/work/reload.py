"""Read the configuration anew and put it in force, or say why not and go on by the last good one."""

from collections.abc import Callable, Sequence
from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from bot.config import Config, Settings, fingerprint
from bot.domain.events import BOT, EventKind
from bot.exceptions import ConfigError, SlackError
from bot.slack.gateway import Gateway
from bot.store import agenda, audit, breakers, bulletins, replicas
from bot.store.engine import Store
from bot.store.ledger import pbx_key
from bot.store.replicas import Order
from bot.work import digest, nightly, reachable, reduce, rerule, witness

log = structlog.get_logger(__name__)

#: Who had it read, where that is nobody in Slack.
START, SIGNAL = "start", "SIGHUP"
#: So many mistakes, and so much of each, are kept in an event.
_MOST, _LONGEST = 100, 500


class Reloader:
    """One for the process; used by one thread at a time. ``loaded`` is told of each configuration that came into force."""

    def __init__(self, settings: Settings, store: Store, slack: Gateway, loaded: Callable[[Config], None]) -> None:
        self._settings = settings
        self._store = store
        self._slack = slack
        self._loaded = loaded
        #: The number of the last order that this process has followed.
        self.followed = 0

    def hash(self) -> str:
        return fingerprint(self._settings.config, self._store.vault.keyed_digest)

    def start(self) -> None:
        """The configuration that the process was started with comes into force. Raises ConfigError if nobody could approve.

        An order that was given since the process read its file is followed by this, so the file is read again after a look
        at the number.
        """
        with self._store.begin() as session:
            self.followed = replicas.ordered(session).number
        if self.followed and self._settings.can_read:
            self._settings.put(self._settings.read())
        unchecked = self._must_be_reachable(self._settings.config)
        self._loaded(self._settings.config)
        self._note(START, BOT, unchecked)

    def follow(self, order: Order) -> None:
        """Somebody in Slack ordered it for all."""
        before, self.followed = self.followed, order.number
        try:
            self._reload(order.by, order.by)
        except BaseException:  # our own database failed, and the order is followed when it is back
            self.followed = before
            raise

    def reload(self) -> None:
        """Somebody at the machine ordered it for this process."""
        self._reload(SIGNAL, BOT)

    def _reload(self, by: str, actor: str) -> None:
        try:
            new = self._settings.read()
            unchecked = self._must_be_reachable(new)
        except ConfigError as error:
            self._refuse(by, actor, error.message.splitlines())
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the file must not stop the bot
            log.error("config.unreadable", error=type(error).__name__)
            self._refuse(by, actor, [f"The configuration could not be read: {type(error).__name__}. [internal]"])
        else:
            self._settings.put(new)  # before it is told: whoever is woken by that works by it
            self._loaded(new)
            self._note(by, actor, unchecked, changed=True)

    def _must_be_reachable(self, config: Config) -> str:
        """Raises ConfigError where nobody could approve. Returns Slack's code if it could not be asked, else ""."""
        try:
            found = reachable.check(config, self._slack, on_call=False)  # Slack's limits leave the rest to those who click next
        except SlackError as error:
            log.warning("policy.not_checked", code=error.code)
            return error.code
        if broken := list(reachable.lines_of(found)):
            raise ConfigError("\n".join(broken))
        return ""

    def _note(self, by: str, actor: str, unchecked: str, *, changed: bool = False) -> None:
        """One transaction: the event, and all that is to be looked at anew."""
        config, now, found = self._settings.config, self._store.now(), self.hash()
        more = {"unchecked": unchecked} if unchecked else {}
        with self._store.begin() as session:
            told = {"hash": found, "replica": self._store.owner, "by": by, **more}
            audit.append(session, now, EventKind.CONFIG_LOADED, actor, None, **told)
            self._beat(session, now, found)
            if changed:
                _look_at_pbxs(session, now, config)
                witness.schedule(session, config, now)
                reduce.schedule(session, config, now)
                digest.schedule(session, now, config.slack)
                bulletins.due(session, now)
            rerule.schedule(session, now, found)
            nightly.schedule(session, now, config, at_once=changed or bool(unchecked))
        log.info("config.loaded", by=by, hash=found)

    def _refuse(self, by: str, actor: str, mistakes: Sequence[str]) -> None:
        now, found = self._store.now(), self.hash()
        told = [mistake[:_LONGEST] for mistake in mistakes[:_MOST]]
        with self._store.begin() as session:
            audit.append(session, now, EventKind.CONFIG_REFUSED, actor, hash=found, replica=self._store.owner, by=by,
                         mistakes=told)  # fmt: skip
            self._beat(session, now, found)
            bulletins.due(session, now)
        log.error("config.refused", by=by, mistakes=told)

    def _beat(self, session: Session, now: datetime, found: str) -> None:
        replicas.beat(session, now, self._store.owner, found, self.followed)


def _look_at_pbxs(session: Session, now: datetime, config: Config) -> None:
    """It may log in where the old one was refused, so what waits for a PBX is looked at anew."""
    for pbx in config.pbx:
        agenda.bring_forward(session, pbx_key(pbx.name), now)
        breakers.adopt(session, pbx.name)
