"""A kill at any point while nobody decides: each reminder, and each message of the day, is told once."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from bot import config as configuration
from bot.sandbox.slack import Person
from bot.store import audit
from bot.store.engine import Store
from tests.crash.conftest import Fresh
from tests.crash.life import PATIENCE, Life, Zygote
from tests.crash.matrix import ATTEMPTS
from tests.crash.points import Point
from tests.flow.world import World

DATABASES = ("sqlite", "postgresql")
#: ``part`` takes every 24th point.
STRIDE = {"part": 24, "whole": 1}
#: How many tests the points on one database are dealt out to.
SHARES = {"part": 1, "whole": 6}
#: What every life passes; the matrix of requests kills there.
_EVERYWHERE = ("loop._claim_one", "house.", "migration", "apps.connections.open")
#: Seconds by which time jumps: to the reminder, the escalation, the second reminder, and the third with the message of the day;
#: each time over a lease that a dead process left behind, and over the pauses between Slack's calls.
JUMPS = (3630, 61, 61, 3600, 61, 61, 3600, 61, 61, 4 * 3600, 6, 6, 6, 61, 61, 61)
#: Seconds of real time between two looks at a bot that has something to do.
GLANCE = 0.02


class Vigil:
    """A request that nobody decides, and the lives of a bot that waits with it. The second life ends at the armed point."""

    def __init__(self, zygote: Zygote, world: World, armed: Point | None) -> None:
        self.world = world
        self._zygote = zygote
        self._skipped = 0.0
        world.slack_lines = f'digest_at = "{world.clock() + timedelta(hours=6):%H:%M}"'
        world.policy_lines = f"""
[[policy]]
all = [{{ of = ["{world.leads}", "{world.carl.id}"] }}]
silent = ["{world.carl.id}"]
open_for = "3d"
remind_after = "1h"
escalate_after = "2h"
escalate_to = ["{world.carl.id}"]
"""
        self._config: Path = world.write_config()
        self.lives = [self._born(None)]
        self.card = world.ask(world.fill_trusted)
        self._settle()
        self.lives[0].end()
        self.lives.append(self._born(armed))

    @property
    def was_killed(self) -> bool:
        return len(self.lives) > 2

    def keep(self) -> None:
        """Until everything has been told that a day brings."""
        for seconds in JUMPS:
            self._revive()
            self._skipped += seconds
            self.world.clock.advance(seconds=seconds)
            self.lives[-1].advance(seconds)
            self._settle()

    def end(self) -> None:
        self.lives[-1].end()

    def _born(self, armed: Point | None) -> Life:
        life = Life(self._zygote, self.world, self._config, self._skipped, armed)
        with suppress(TimeoutError):
            self.world.slack.wait_for(lambda: self.world.slack.connected or life.is_over, PATIENCE)
        return life

    def _revive(self) -> None:
        while self.lives[-1].is_over:
            assert len(self.lives) < 5, "the bot dies by itself"
            self.lives.append(self._born(None))

    def _settle(self) -> None:
        """Until it is at nothing and nothing is due."""
        deadline = time.monotonic() + PATIENCE
        while seen := self.lives[-1].look():
            assert time.monotonic() < deadline, f"the bot does not come to rest: {seen}"
            if not seen["busy"] and (seen["next"] is None or seen["next"] > 0):
                return
            with suppress(TimeoutError):
                self.world.slack.wait_for(lambda: self.lives[-1].is_over, GLANCE)


def violations(vigil: Vigil) -> Iterator[str]:
    """Everything that is not told once."""
    world = vigil.world
    lines = Counter(_beginning(line) for line in world.thread(vigil.card))
    if lines != {"⏰ Reminder": 1, "⏰ Reminder 2": 1, "⏰ Reminder 3": 1, "📣 @Carl Colleague": 1}:
        yield f"the thread tells {dict(lines)}"
    for person, expected in ((world.ana, 1), (world.ben, 1), (world.carl, 0), (world.tess, 0)):
        if (told := _digests(world, person)) != expected:
            yield f"{person.name} got {told} messages of the day"
    if len(world.cards()) != 1:
        yield f"there are {len(world.cards())} cards"
    config = configuration.load(world.folder / "config.toml", world.environ())
    store = Store(config.database.url, config.secrets.key_bytes(), world.clock)
    with store.begin() as session:
        audit.verify(session)
    store.close()


def _beginning(line: str) -> str:
    return line.replace("*", "").split(":")[0].split(",")[0]


def _digests(world: World, person: Person) -> int:
    return sum("waits for your approval" in text for text in world.told(person))


def run(zygote: Zygote, world: World, armed: Point | None) -> tuple[Vigil, list[str]]:
    vigil = Vigil(zygote, world, armed)
    try:
        vigil.keep()
    finally:
        vigil.end()
    return vigil, list(violations(vigil))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    metafunc.parametrize("share", range(SHARES[metafunc.config.getoption("--matrix")]))


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kept_in", DATABASES)
def test_a_kill_while_nobody_decides(
    kept_in: str, share: int, fresh: Fresh, zygote: Zygote, pytestconfig: pytest.Config
) -> None:
    """Killed at a point and started again, the bot tells three reminders, one escalation, and each lead once what waits."""
    with fresh(kept_in) as world:
        vigil, wrong = run(zygote, world, None)
    assert not wrong, wrong
    every = [point for point in vigil.lives[1].passed if not any(name in point.label for name in _EVERYWHERE)]
    size = pytestconfig.getoption("--matrix")
    begin = 4 * DATABASES.index(kept_in) if size == "part" else 0
    failures, reached = [], 0
    for point in every[begin :: STRIDE[size]][share :: SHARES[size]]:
        for _ in range(ATTEMPTS):
            with fresh(kept_in) as world:
                vigil, wrong = run(zygote, world, point)
            failures += [f'{kept_in} "{point.label}" {point.ordinal}: {each}' for each in wrong]
            if vigil.was_killed:
                reached += 1
                break
    assert not failures, "\n".join(failures)
    assert reached, [str(point) for point in every]
