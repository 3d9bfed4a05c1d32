"""The crash matrix: which points there are, and one run with a kill at one of them.

To replay a case: ``python -m tests.crash.matrix KIND DATABASE "LABEL" ORDINAL``.
"""

import fcntl
import json
import sys
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.crash.life import Zygote
from tests.crash.points import Point
from tests.crash.story import Story
from tests.crash.verdict import Witness, violations
from tests.flow.world import World
from tests.postgres import Postgres

KINDS = ("trusted", "import", "apply")
#: What the threads of a process do at the same time, they do in another order the next time; a point that is missed is tried
#: so often.
ATTEMPTS = 3
#: A sign of life is given every few seconds, so how many a run has is chance; the first stands for all.
BY_THE_CLOCK = "commit follow."


@dataclass(frozen=True)
class Result:
    """``wrong`` is empty where all held. ``killed`` says whether the armed point was reached at all."""

    armed: Point | None
    killed: bool
    wrong: list[str]
    passed: list[Point] = field(repr=False)

    @property
    def held(self) -> bool | None:
        """None for a point that no attempt reached: it never counts as held."""
        if self.wrong:
            return False
        return True if self.killed or self.armed is None else None


def run(zygote: Zygote, world: World, kind: str, armed: Point | None) -> Result:
    """One story in a fresh world, ended by nothing or by a kill at one point."""
    witness = Witness(world)
    story = Story(zygote, world, kind, armed)
    wrong = []
    try:
        story.tell()
    except AssertionError as stuck:
        wrong.append(str(stuck))
    finally:
        story.end()
    wrong += violations(story, witness)
    return Result(armed, story.was_killed, wrong, story.lives[0].passed)


def close(world: World) -> None:
    for machine in (world.slack, world.hq, world.branch):
        machine.stop()


def points(shared: Path, name: str, zygote: Zygote, world: World, kind: str) -> list[Point]:
    """The points that an undisturbed run passes; the first worker that asks records them for all workers."""
    record = shared / f"{name}.json"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            return [Point(*point) for point in json.loads(record.read_text())]
        result = run(zygote, world, kind, None)
        assert not result.wrong, result.wrong
        passed = [point for point in result.passed if point.ordinal == 1 or not point.label.startswith(BY_THE_CLOCK)]
        record.write_text(json.dumps(passed))
        return passed


def _replay(kind: str, database: str, label: str, ordinal: str) -> None:
    with ExitStack() as stack:
        folder, zygote = Path(stack.enter_context(TemporaryDirectory())), stack.enter_context(Zygote())
        url = ""
        if database == "postgresql":
            server = Postgres()
            stack.callback(server.close)
            url = stack.enter_context(server.start().database())
        world = World(folder, database_url=url)
        stack.callback(close, world)
        result = run(zygote, world, kind, Point(label, int(ordinal)))
        print(f"killed: {result.killed}", *result.wrong, sep="\n")  # noqa: T201 - a person asked for it
        print((world.folder / "bot.log").read_text())  # noqa: T201


if __name__ == "__main__":
    _replay(*sys.argv[1:])
