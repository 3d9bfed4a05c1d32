"""The whole bot, put together from one configuration."""

import fcntl
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import TextIO

import structlog
from sqlalchemy import make_url

from bot.config import Config
from bot.exceptions import ConfigError
from bot.listeners.app import Ear, build
from bot.listeners.desk import Desk
from bot.listeners.painting import Painter
from bot.pbx.client import PbxClient
from bot.pbx.endpoint import Endpoint
from bot.slack.errors import guarded
from bot.slack.gateway import Gateway
from bot.slack.people import People
from bot.store import agenda, tokens
from bot.store.agenda import Work
from bot.store.engine import Store, utc_now
from bot.store.ledger import pbx_key
from bot.store.tokens import TokenShelf
from bot.work.check import Checker
from bot.work.context import Context
from bot.work.decide import Decider
from bot.work.expire import Expirer
from bot.work.fulfil import Fulfiller
from bot.work.loop import Crew, Loop
from bot.work.narrate import Narrator

log = structlog.get_logger(__name__)

#: Threads for what follows an answer: a modal's trigger lives three seconds, so none may stand in line.
AFTERWARDS = 128


class Bot:
    """One process's bot. `start` returns once it listens; `stop` finishes what is in hand."""

    def __init__(self, config: Config, now: Callable[[], datetime] = utc_now) -> None:
        self._config = config
        self._lock = _only_one(config.database.url)
        self._pool = ThreadPoolExecutor(AFTERWARDS, thread_name_prefix="afterwards")
        self.store = Store(config.database.url, config.secrets.key_bytes(), now)
        slack = Gateway(config.slack.bot_token.get_secret_value(), config.slack.api_url, now=now)
        self.context = Context(config, self.store, slack, People(slack, now), _Clients(config, self.store), self._pool)
        self.loop = Loop(self.store, _crews(self.context))
        self._ear: Ear | None = None

    def start(self) -> None:
        """Migrate, adopt what the last process left, work, listen. Raises StoreError, SlackError or BoltError."""
        self.store.migrate()
        self._adopt()
        desk = Desk(self.context, Checker(self.context), Painter(self.context.slack))
        self._ear = Ear(guarded(lambda: build(self._config.slack, desk)), self._config.slack, self._pool)
        self.loop.start()
        guarded(self._ear.connect)
        log.info("bot.listening", pbxs=[pbx.name for pbx in self._config.pbx])

    def stop(self) -> None:
        """Listen no more, finish what is in hand, let go of the rest."""
        if self._ear is not None:
            self._ear.close()
        self.loop.stop()
        self._pool.shutdown(wait=True)
        self.store.close()
        if self._lock is not None:
            self._lock.close()
        log.info("bot.stopped")

    def _adopt(self) -> None:
        """Whoever held leases in this SQLite file is dead, or we would not hold its lock. A new configuration may log in where
        the old one was refused, so what waits for a PBX is looked at anew."""
        with self.store.begin() as session:
            if self._lock is not None:
                agenda.end_all_leases(session)
                tokens.end_all_logins(session)
            for pbx in self._config.pbx:
                agenda.bring_forward(session, pbx_key(pbx.name), self.store.now())


def _crews(context: Context) -> list[Crew]:
    """Decisions, PBXs and Slack do not wait for each other."""
    checker, expirer = Checker(context), Expirer(context)
    return [
        Crew(context.store, "decide", {Work.DECIDE: Decider(context).visit, Work.EXPIRE: expirer.visit,
                                       Work.WIPE: expirer.visit}, hands=2),
        Crew(context.store, "work", {Work.CHECK: checker.visit, Work.FULFIL: Fulfiller(context).visit}, hands=8),
        Crew(context.store, "tell", {Work.NARRATE: Narrator(context).visit}, hands=6),
    ]  # fmt: skip


class _Clients:
    """One client a PBX, made when it is first needed."""

    def __init__(self, config: Config, store: Store) -> None:
        self._config = config
        self._store = store
        self._shelf = TokenShelf(store)
        self._made: dict[str, PbxClient] = {}
        self._lock = threading.Lock()

    def __call__(self, name: str) -> PbxClient:
        with self._lock:
            if name not in self._made:
                self._made[name] = PbxClient(self._endpoint(name), self._shelf, now=self._store.now)
            return self._made[name]

    def _endpoint(self, name: str) -> Endpoint:
        pbx = self._config.pbx_named(name)
        if pbx is None:
            raise ConfigError(f"There is no PBX named {name} in the configuration.")
        return Endpoint(pbx.name, pbx.url, pbx.client_id, pbx.client_secret, pbx.tls)


def _only_one(url: str) -> TextIO | None:
    """SQLite serves one process: hold a lock beside its file as long as we live. None for a database that serves many."""
    address = make_url(url)
    if address.get_backend_name() != "sqlite" or not address.database:
        return None
    path = Path(f"{address.database}.lock")
    try:
        held = path.open("w")
    except OSError as error:
        raise ConfigError(
            f"The database's folder cannot be written ({path}: {error.strerror}). Correct database.url."
        ) from None
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        held.close()
        raise ConfigError(f"Another bot is running on {address.database}; stop it first, or use PostgreSQL.") from None
    return held
