"""The whole bot, put together from one configuration."""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from bot.config import Config, Settings
from bot.domain.explanation import Explanation
from bot.domain.requests import Decision
from bot.exceptions import BotError
from bot.listeners.app import Ear, build
from bot.listeners.desk import Desk
from bot.slack.budget import RATES, Budget, Rate
from bot.slack.errors import guarded
from bot.slack.gateway import Gateway
from bot.slack.people import People
from bot.store import agenda, alone, breakers, ledger, replicas, restore, tokens
from bot.store.agenda import Work
from bot.store.engine import WORKER_WAIT, Store, utc_now
from bot.store.ledger import pbx_key
from bot.store.wakes import Wakes
from bot.work import digest, reduce, sweep, witness
from bot.work.alarm import Alarm
from bot.work.bulletin import Bulletin
from bot.work.check import Checker
from bot.work.clients import Clients
from bot.work.context import GRACE, Context
from bot.work.decide import Decider
from bot.work.digest import Digester
from bot.work.emergencies import Confirmer
from bot.work.expire import Expirer
from bot.work.explain import explain
from bot.work.follow import Follower
from bot.work.fulfil import Fulfiller
from bot.work.herald import Herald
from bot.work.loop import PATIENCE, POLL, Crew, Loop
from bot.work.narrate import Narrator
from bot.work.nightly import Nightly
from bot.work.notices import Notifier
from bot.work.prober import Prober
from bot.work.reduce import Reducer
from bot.work.reload import Reloader
from bot.work.remind import Reminder
from bot.work.rerule import Reruler
from bot.work.sweep import Sweeper
from bot.work.watch import Watch
from bot.work.witness import Witness

log = structlog.get_logger(__name__)

#: Threads for what follows an answer: a modal's trigger lives three seconds, so none may stand in line.
AFTERWARDS = 128
#: The crews that have a hand for each PBX.
_BY_PBX = frozenset({"work", "check"})


@dataclass(frozen=True)
class Waits:
    """How long the bot waits for an answer, for another writer of its database and between two looks at its agenda, in seconds,
    how often it calls Slack at most, and how far it stays behind its own answer to a form. Tests have less time."""

    pbx: float = 20.0
    slack: int = 10
    rates: Mapping[str, Rate] = field(default_factory=lambda: RATES)
    poll: float = POLL
    database: float = WORKER_WAIT
    grace: timedelta = GRACE


WAITS = Waits()


class Bot:
    """One process's bot. `start` returns once it listens; `stop` finishes or parks what is in hand."""

    def __init__(
        self,
        config: Config,
        now: Callable[[], datetime] = utc_now,
        waits: Waits = WAITS,
        read: Callable[[], Config] | None = None,
    ) -> None:
        """``read`` loads the configuration anew; without it, it stays as it is until the end."""
        self._settings = settings = Settings(config, read)
        self.store = Store(config.database.url, config.secrets.key_bytes(), now, waits.database)
        self._lock = alone.on(config.database.url)
        self._pool = ThreadPoolExecutor(AFTERWARDS, thread_name_prefix="afterwards")
        token, budget = config.slack.bot_token.get_secret_value(), Budget(waits.rates)
        slack = Gateway(token, config.slack.api_url, now=now, timeout=waits.slack, budget=budget)
        clients = Clients(settings, self.store, waits.pbx)
        self.context = Context(settings, self.store, slack, People(slack, now), clients, self._pool, waits.grace)
        self._crews = _crews(self.context)
        self._reloader = Reloader(settings, self.store, slack, self._loaded)
        self._follower = Follower(self.store, self._reloader, waits.poll)
        self.loop = Loop(self.store, self._crews, [self._follower], waits.poll)
        self._wakes = Wakes(self.store)
        self._watch = Watch(self.store, slack, lambda: settings.config.slack.channel)
        self._ear: Ear | None = None

    def start(self) -> None:
        """Migrate, adopt what the last process left, work, listen.

        Raises ConfigError when the policy leaves requests that nobody could approve, StoreError, SlackError or BoltError.
        """
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        self.store.migrate()
        restore.void_what_was_put_back(self.store)
        self._adopt()
        self._watch.start()
        self._wakes.start()
        slack, desk = self._settings.config.slack, Desk.of(self.context)
        self._ear = Ear(guarded(lambda: build(slack, desk)), slack, self._pool)
        self._reloader.start()
        self.loop.start()
        guarded(self._ear.connect)
        log.info("bot.listening", pbxs=[pbx.name for pbx in self._settings.config.pbx])

    def reload(self) -> None:
        """Let this process read its configuration anew, soon. A faulty one is told and changes nothing."""
        self._follower.reload()

    def _loaded(self, config: Config) -> None:
        """New PBXs have hands of their own, too."""
        for crew in self._crews:
            if crew.name in _BY_PBX:
                crew.grow(_hands(config))

    def stop(self, seconds: float = PATIENCE) -> bool:
        """Listen no more, and finish within so many seconds what is in hand, or park it for the next process.

        Returns whether every thread has ended. One that has not is in a call; nothing that it brings is committed any more.
        """
        until = time.monotonic() + seconds
        self.loop.pause()
        heard = self._ear is None or _within(until, self._ear.close)
        done = self.loop.stop(until - time.monotonic())
        said = _within(until, self._pool.shutdown)
        self._watch.stop(max(0.0, until - time.monotonic()))
        self._wakes.stop(max(0.0, until - time.monotonic()))
        self.store.close()
        if self._lock is not None:
            self._lock.close()
        log.info("bot.stopped")
        return heard and done and said

    def _adopt(self) -> None:
        """Whoever held leases in this SQLite file is dead, or we would not hold its lock. A new configuration may log in where
        the old one was refused, so what waits for a PBX is looked at anew."""
        with self.store.begin() as session:
            if self._lock is not None:
                agenda.end_all_leases(session)
                tokens.end_all_logins(session)
                replicas.forget_others(session, self.store.owner)
            for pbx in self._settings.config.pbx:
                agenda.bring_forward(session, pbx_key(pbx.name), self.store.now())
                breakers.adopt(session, pbx.name)
            sweep.schedule(session, self.store.now())
            witness.schedule(session, self._settings.config, self.store.now())
            reduce.schedule(session, self._settings.config, self.store.now())
            digest.schedule(session, self.store.now(), self._settings.config.slack)


def _crews(context: Context) -> list[Crew]:
    """Decisions, PBXs and Slack do not wait for each other; nor do PBXs, for each has a hand even if all others hang."""
    checker, expirer, narrator, reminder = Checker(context), Expirer(context), Narrator(context), Reminder(context)
    every_pbx = _hands(context.config)
    return [
        Crew(context.store, "decide", {Work.DECIDE: Decider(context).visit, Work.EXPIRE: expirer.visit,
                                       Work.WIPE: expirer.visit, Work.REMIND: reminder.visit,
                                       Work.ESCALATE: reminder.visit}, hands=2),
        Crew(context.store, "work", {Work.FULFIL: Fulfiller(context).visit}, hands=every_pbx),
        Crew(context.store, "check", {Work.CHECK: checker.visit}, hands=every_pbx),
        Crew(context.store, "probe", {Work.PROBE: Prober(context).visit}, hands=4),
        Crew(context.store, "tell", {Work.NOTICE: Notifier(context).visit, Work.NARRATE: narrator.visit,
                                     Work.SWEEP: Sweeper(context, narrator).visit,
                                     Work.HERALD: Herald(context).visit, Work.WITNESS: Witness(context).visit,
                                     Work.REDUCE: Reducer(context).visit, Work.BULLETIN: Bulletin(context).visit,
                                     Work.DIGEST: Digester(context).visit, Work.ALARM: Alarm(context).visit,
                                     Work.CONFIRM: Confirmer(context).visit},
             hands=6),
        Crew(context.store, "policy", {Work.RULES: Reruler(context).visit, Work.NIGHTLY: Nightly(context).visit},
             hands=2),
    ]  # fmt: skip


def explained(config: Config, store: Store, number: int, user: str) -> Explanation:
    """Why somebody may or may not decide a request, without a bot. Raises BotError when there is no such request."""
    with store.begin() as session:
        request = ledger.load(session, number)
    if request is None or request.decision is Decision.DRAFT:
        raise BotError(f"There is no request #{number}.", code="no_request")
    slack = Gateway(config.slack.bot_token.get_secret_value(), config.slack.api_url, now=store.now)
    return explain(config, People(slack, store.now), request, user)


def _hands(config: Config) -> int:
    """One for each PBX, if all of them hang, and some for those that do not."""
    return 8 + len(config.pbx)


def _within(until: float, job: Callable[[], None]) -> bool:
    """Whether the job ended by then, by the monotonic clock. If not, it goes on in a thread that keeps nobody up."""
    thread = threading.Thread(target=job, name="stopping", daemon=True)
    thread.start()
    thread.join(max(0.0, until - time.monotonic()))
    return not thread.is_alive()
