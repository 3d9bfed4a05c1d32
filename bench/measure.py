"""What the bot costs and how fast it answers, measured on the sandbox: `make bench`.

Nothing here is asserted: figures belong to a machine. They stand in commit messages and closing notes.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import structlog
from rich.console import Console
from rich.table import Table

from bot.sandbox.slack import Person
from bot.sandbox.slack.records import Delivery
from bot.store import agenda
from bot.store.agenda import Work
from bot.store.engine import Store, utc_now
from bot.work.loop import Crew, Loop
from tests.crash.child import Child
from tests.flow.world import World

PEOPLE = 100
ENTRIES, KEYS = 1000, 50
IDLE = 15.0  # seconds


@contextmanager
def a_world() -> Iterator[World]:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        try:
            yield world
        finally:
            world.close()


def acknowledgements() -> list[tuple[str, str]]:
    """Milliseconds from a click's leaving Slack to its acknowledgement there."""
    with a_world() as world:
        crowd = [world.slack.add_person(f"Person {number}") for number in range(PEOPLE)]
        world.slack.join(world.certs, *crowd)
        world.start()
        card = world.ask(world.fill_trusted)

        def click(person: Person) -> Delivery:
            return person.click(card, "approve")

        one_by_one = [click(person) for person in crowd]
        with ThreadPoolExecutor(PEOPLE) as pool:
            together = list(pool.map(click, crowd))
    return [("click, one by one", _spread(one_by_one)), (f"click, {PEOPLE} at once", _spread(together))]


def _spread(deliveries: list[Delivery]) -> str:
    times = sorted(delivery.ack_ms or float("nan") for delivery in deliveries)
    return f"median {statistics.median(times):.1f} ms, slowest {times[-1]:.0f} ms"


def throughput() -> list[tuple[str, str]]:
    """The agenda alone: entries put, claimed, and finished, on a file with synchronous=FULL."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{folder}/bench.db", b"k" * 32, utc_now)
        store.migrate()
        done: list[float] = []

        def finish(entry: agenda.Entry) -> None:
            with store.begin() as session:
                agenda.finish(session, entry)
            done.append(time.monotonic())

        with store.begin() as session:
            for number in range(ENTRIES):
                agenda.put(session, Work.CHECK, f"key:{number % KEYS}", utc_now() - timedelta(seconds=1), one=False)
        loop = Loop(store, [Crew(store, "bench", {Work.CHECK: finish}, hands=8)])
        started = time.monotonic()
        loop.start()
        _until(lambda: len(done) == ENTRIES)
        loop.stop()
        store.close()
    return [(f"agenda, {ENTRIES} entries over {KEYS} keys", f"{done[-1] - started:.1f} s")]


def idleness() -> list[tuple[str, str]]:
    """Share of one core, and resident memory, of a bot to whom nothing happens."""
    with a_world() as world:
        child = Child(world).start()
        try:
            before = _cpu(child.pid)
            time.sleep(IDLE)
            share = (_cpu(child.pid) - before) / IDLE * 100
            memory = int(Path(f"/proc/{child.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
        finally:
            child.stop()
    return [("idle", f"{share:.1f} % of a core, {memory:.0f} MB")]


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _until(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.005)


def main() -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    table = Table("what", "measured")
    for measure in (acknowledgements, throughput, idleness):
        for row in measure():
            table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    main()
