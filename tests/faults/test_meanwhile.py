"""Another administrator changes the PBX while a request is on its way; the outcomes stand in `tests.faults.pbx_faults`."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.faults import pbx_faults as data
from tests.faults.conftest import Cell
from tests.faults.driving import begins
from tests.faults.pbx_hands import CREATE, LIST
from tests.faults.rights import Case, Right
from tests.faults.trial import FOUND, NAMES, Trial, town
from tests.flow.world import World

CASES = [Case(when, what, Right(letter)) for (what, when), (letter, _why) in data.MEANWHILE.items()]
#: What is asked for; a file where nothing is said.
KINDS = {"the same domain is applied for": "apply"}
#: How many of the server's slots there are (vendor page developer-guide/add-a-certificate).
SLOTS = 3


@pytest.mark.parametrize("case", CASES, ids=str)
def test_another_administrator_meanwhile(case: Case, tmp_path: Path, cell: Cell) -> None:
    """What somebody else does on the PBX is never undone, never told as ours, and ends as the table says."""
    with cell("meanwhile on the PBX", case, apart=True), town(tmp_path) as world:
        kind = "apply" if case.call == "while it is being issued" else KINDS.get(case.fault, "import")
        trial = Trial(world.start(), kind)
        trial.ask()
        WHEN[case.call](world, lambda: WHAT[case.fault](world, kind))
        trial.approve()
        trial.until_over(jumps=90, seconds=59)
        assert not world.hq.trouble.pending, "nothing happened meanwhile"
        ENDS[case.right](trial, case)
        trial.holds(deleted=int(case.fault == "ours is deleted"))


# What, and when


def _fill_up(world: World, kind: str) -> None:
    for number in range(SLOTS - sum(one.type == "server" for one in world.hq.certificates)):
        world.hq.add_certificate("server", f"by-hand-{number}.pem")


def _take_the_name(world: World, kind: str) -> None:
    world.hq.add_certificate("server", NAMES[kind])


def _delete_ours(world: World, kind: str) -> None:
    ours = [one.id for one in world.hq.certificates if one.name == NAMES[kind]]
    world.hq.remove_certificate(ours[0])


def _apply_for_the_domain(world: World, kind: str) -> None:
    """Where that name is taken, by ours, theirs has another one."""
    domain = "pbx.example.com"
    is_free = not any(one.name == f"{domain}.pem" for one in world.hq.certificates)
    world.hq.add_certificate("server", f"{domain}.pem" if is_free else "by-hand.pem", issue_to=domain, ca_type="apply")


WHAT: Mapping[str, Callable[[World, str], None]] = {
    "the last slot is taken": _fill_up,
    "the name is taken": _take_the_name,
    "ours is deleted": _delete_ours,
    "the same domain is applied for": _apply_for_the_domain,
}


def _after_create(world: World, act: Callable[[], None]) -> None:
    world.hq.trouble.meanwhile(CREATE, act)


def _after_lost_create(world: World, act: Callable[[], None]) -> None:
    """The answer is lost, the effect is not."""
    world.hq.trouble.drop(CREATE, after_effect=True)
    world.hq.trouble.meanwhile(CREATE, act)


def _after_create_lost_on_its_way(world: World, act: Callable[[], None]) -> None:
    world.hq.trouble.drop(CREATE, after_effect=False)
    world.hq.trouble.meanwhile(CREATE, act)


WHEN: Mapping[str, Callable[[World, Callable[[], None]], None]] = {
    "between check and look": lambda world, act: act(),
    "between look and create": lambda world, act: world.hq.trouble.meanwhile(LIST, act, skip=1),
    "before it is confirmed": _after_create,
    "while it is being issued": lambda world, act: world.hq.trouble.meanwhile(LIST, act, skip=2),
    "after a create whose answer was lost": _after_lost_create,
    "after a create that was lost on its way": _after_create_lost_on_its_way,
}


# How it ends


def _failed(trial: Trial, case: Case) -> None:
    """With the PBX's own code, or before anything was sent; what they added stays."""
    told = trial.told()
    assert told[-1].startswith("❌ *failed*"), told
    is_full = case.fault == "the last slot is taken"
    code = "no free slot" if is_full and case.call == "between check and look" else "60002" if is_full else "40003"
    assert code in told[-1], told[-1]
    assert trial.world.hq.count(CREATE, 0) == 0
    assert len(trial.world.hq.certificates) == (SLOTS if is_full else 1)
    trial.shows("approved, failed")


def _asked(trial: Trial, case: Case) -> None:
    """Nobody guesses: a person says what they see, and that ends it."""
    trial.is_asked()
    word = "is_there" if case.fault == "the same domain is applied for" else "is_not_there"
    created = trial.world.hq.count(CREATE)
    trial.world.ana.click(trial.world.line_message(trial.card, "❓"), word)
    trial.until_over()
    trial.shows("approved, done" if word == "is_there" else "approved, failed")
    assert trial.world.hq.count(CREATE) == created


def _settled(trial: Trial, case: Case) -> None:
    trial.is_whole()
    told = trial.told()
    assert len(begins(told, "❓")) == len(begins(told, FOUND)) == 1, told


ENDS: Mapping[Right, Callable[[Trial, Case], None]] = {
    Right.FAILED: _failed,
    Right.ASKED: _asked,
    Right.SETTLED: _settled,
}
