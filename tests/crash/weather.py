"""What goes wrong in the storm, by chance and by the seed: PBXs, Slack, the database, and the bots themselves."""

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress

import psycopg
from sqlalchemy import make_url

from bot.sandbox.pbx import PbxSimulator
from bot.store.engine import WRITERS
from tests.crash.herd import Bot, Herd
from tests.crash.storm_world import StormWorld

#: Of real time, between two faults, two kills and two steps of the clock.
FAULTS_EVERY, KILLS_EVERY, STEPS_EVERY = (0.1, 0.6), (2.0, 6.0), 0.2
#: By so many seconds the world's time jumps with each step: an hour takes four minutes at this pace.
STEP = 3.0
_PATHS = ("certificate/list", "certificate/upload", "certificate/create", "system/information")
_METHODS = ("chat.postMessage", "chat.update", "conversations.replies", "conversations.history", "chat.getPermalink",
            "views.open", "views.update", "response_url", "files.download", "conversations.members")  # fmt: skip
_POINTS = ("commit", "pbx", "slack chat", "slack", "ack", "pbx certificate/create", "")


class Weather:
    """Three threads: faults, kills and the clock. `clear` ends all three, and leaves everybody alive and well."""

    def __init__(self, herd: Herd, world: StormWorld, seed: str) -> None:
        self._herd = herd
        self._world = world
        self._seed = seed
        self._over = threading.Event()
        self._wanted = len(herd.bots)
        self._threads = [threading.Thread(target=run, name=run.__name__) for run in (self._faults, self._kills, self._steps)]
        self.kills = self.faults = 0
        self.trouble: list[BaseException] = []

    def begin(self) -> None:
        for thread in self._threads:
            thread.start()

    def clear(self) -> None:
        """The storm is over."""
        self._over.set()
        for thread in self._threads:
            thread.join(60)
        for pbx in self._world.pbxs.values():
            pbx.trouble.clear()
            pbx.reachable()
        self._world.slack.trouble.clear()
        if self.trouble:
            raise self.trouble[0]

    def _repeat(self, every: Callable[[], float], act: Callable[[], None]) -> None:
        while not self._over.wait(every()):
            try:
                act()
            except Exception as error:  # noqa: BLE001 - the test has to hear of it, whatever it is
                self.trouble.append(error)
                return

    # Time

    def _steps(self) -> None:
        self._repeat(lambda: STEPS_EVERY, self._step)

    def _step(self) -> None:
        self._world.clock.advance(seconds=STEP)
        self._world.make_room()

    # Faults

    def _faults(self) -> None:
        dice = random.Random(f"{self._seed} faults")
        kinds: Sequence[tuple[Callable[[random.Random], None], int]] = (
            (self._pbx_errs, 10), (self._pbx_is_away, 1), (self._slack_errs, 10), (self._line_breaks, 1),
            (self._database_waits, 2),
        )  # fmt: skip

        def one() -> None:
            act = dice.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])[0]
            act(dice)
            self.faults += 1

        self._repeat(lambda: dice.uniform(*FAULTS_EVERY), one)

    def _pbx_errs(self, dice: random.Random) -> None:
        trouble, path = self._any_pbx(dice).trouble, dice.choice(_PATHS)
        fault = dice.randrange(6)
        if fault == 0:
            trouble.drop(path, after_effect=dice.random() < 0.5)
        elif fault == 1:
            trouble.html(path, after_effect=dice.random() < 0.5)
        elif fault == 2:
            trouble.refuse(path, dice.choice((-2, 2, 70082)))
        elif fault == 3:
            trouble.truncate(path)
        elif fault == 4:
            trouble.refuse(path, 10004)
        else:
            trouble.slow(path, dice.choice((0.0, 0.3)))

    def _pbx_is_away(self, dice: random.Random) -> None:
        """For some minutes of the world's time."""
        pbx = self._any_pbx(dice)
        pbx.make_unreachable()
        self._over.wait(dice.uniform(1, 6))
        pbx.reachable()

    def _any_pbx(self, dice: random.Random) -> PbxSimulator:
        return dice.choice([*self._world.pbxs.values()])

    def _slack_errs(self, dice: random.Random) -> None:
        trouble, method = self._world.slack.trouble, dice.choice(_METHODS)
        fault = dice.randrange(4)
        if fault == 0:
            trouble.fail(method, retry_after=dice.randint(1, 20))
        elif fault == 1:
            trouble.fail(method, status=503, after_effect=dice.random() < 0.5)
        elif fault == 2:
            trouble.fail(method, drop=True, after_effect=dice.random() < 0.5)
        else:
            trouble.delay(method, dice.choice((0.0, 0.3)))

    def _line_breaks(self, dice: random.Random) -> None:
        self._world.slack.disconnect(goodbye=dice.random() < 0.5)

    def _database_waits(self, dice: random.Random) -> None:
        """Somebody else holds the writers' lock for a moment."""
        url, seconds = make_url(self._world.database_url), dice.uniform(0.1, 1.3)
        if url.get_backend_name() == "sqlite":
            with closing(sqlite3.connect(url.database or "", isolation_level=None, timeout=30)) as held:
                held.execute("BEGIN IMMEDIATE")
                self._over.wait(seconds)
                held.execute("ROLLBACK")
            return
        where = f"host={url.host} port={url.port} user={url.username} dbname={url.database}"
        with psycopg.connect(where) as connection:
            connection.execute(f"SELECT pg_advisory_xact_lock({WRITERS})")
            self._over.wait(seconds)
            connection.rollback()

    # Kills

    def _kills(self) -> None:
        dice = random.Random(f"{self._seed} kills")
        self._repeat(lambda: dice.uniform(*KILLS_EVERY), lambda: self._kill(dice))

    def _kill(self, dice: random.Random) -> None:
        """At a crash point, or if it does not come there soon, wherever it is; another takes its place."""
        bot = dice.choice(self._herd.bots)
        if dice.random() < 0.7:
            token = self._world.folder / f"kill-{self.kills}"
            bot.arm(like=dice.choice(_POINTS), how="kill", nth=dice.randint(1, 6), token=str(token))
            self._wait_dead(bot, 2.0)
        elif len(self._herd.bots) > 1 and dice.random() < 0.3:
            bot.stand_still()
            self._over.wait(dice.uniform(0.5, 6.0))
            bot.go_on()
            return
        self._herd.bury(bot)
        self.kills += 1
        self._over.wait(dice.uniform(0, 1))
        self._herd.begin(1)

    def _wait_dead(self, bot: Bot, seconds: float) -> None:
        with suppress(TimeoutError):
            bot.wait_over(seconds)


def pause(seconds: float = 0.05) -> None:
    """Between two looks of a person at the screen."""
    time.sleep(seconds)
