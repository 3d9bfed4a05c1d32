"""The storm: hours of requests with random faults and kills; nothing is lost, nothing is done twice, the seed is told.

``STORM_SEED`` and ``STORM_SIZE`` in the environment choose another one. An even seed of a large storm runs on PostgreSQL.
"""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from tests.crash.herd import Herd, Nursery
from tests.crash.storm import Storm
from tests.crash.storm_verdict import Verdict
from tests.crash.storm_world import StormWorld
from tests.notes import RecordProperty, note
from tests.postgres import Postgres

SIZE = {"part": 25, "whole": 500}


@pytest.mark.timeout(1500)
def test_a_storm_loses_nothing_and_does_nothing_twice(
    tmp_path: Path, nursery: Nursery, request: pytest.FixtureRequest, record_property: RecordProperty
) -> None:
    """After hours of random faults and kills, each request has ended once and truthfully, or waits for a person."""
    size = int(os.environ.get("STORM_SIZE", SIZE[request.config.getoption("--matrix")]))
    seed = os.environ.get("STORM_SEED") or secrets.token_hex(4)
    shared = size > SIZE["part"] and int(seed, 16) % 2 == 0
    server: Postgres | None = request.getfixturevalue("postgres") if shared else None
    begun = time.monotonic()
    with server.database() if server else nullcontext(f"sqlite:///{tmp_path}/bot.db") as url, _world(tmp_path, url) as world:
        began_at = world.clock()
        storm, verdict = _storm(Herd(nursery, world, pbx_wait=2.0, slack_wait=2), world, seed, size, 2 if shared else 1)
        hours = (world.clock() - began_at).total_seconds() / 3600
    note(
        record_property,
        f"storm with seed {seed} on {'PostgreSQL, two processes' if shared else 'SQLite'}: {len(verdict.asked)} of {size} "
        f"requests ({verdict.summary()}), {storm.weather.faults} faults, {storm.weather.kills} kills, {hours:.1f} hours in "
        f"{(time.monotonic() - begun) / 60:.1f} minutes; {len(verdict.wrong)} things wrong",
    )
    assert not verdict.wrong, f"STORM_SEED={seed}\n" + "\n".join(verdict.wrong)
    assert len(verdict.asked) > 0.8 * size, f"STORM_SEED={seed}: too few requests came through the storm"


@contextmanager
def _world(folder: Path, url: str) -> Iterator[StormWorld]:
    world = StormWorld(folder, url)
    try:
        yield world
    finally:
        world.end()


def _storm(herd: Herd, world: StormWorld, seed: str, size: int, processes: int) -> tuple[Storm, Verdict]:
    try:
        herd.start(processes)
        storm = Storm(herd, world, seed, size)
        storm.rage()
        return storm, Verdict(herd, world)
    except BaseException as error:
        error.add_note(f"STORM_SEED={seed}")
        raise
    finally:
        herd.end()
