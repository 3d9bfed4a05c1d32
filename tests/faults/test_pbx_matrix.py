"""Every fault at every call to the PBX, each with the outcome that stands in `tests.faults.pbx_faults`."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.faults import pbx_faults as data
from tests.faults.conftest import Cell
from tests.faults.driving import begins
from tests.faults.pbx_hands import CREATE, FOR_GOOD, LIST, MADE, REACHED, SLOW, UPLOAD, Reached
from tests.faults.rights import Case, Right, cases_of, chosen, missing
from tests.faults.trial import HASTY, NO_RATES, Trial, town

CASES = cases_of(data.TABLE, data.CALLS)
STAYING = cases_of(data.FOR_GOOD, {short: data.CALLS[short] for short in ("lk", "ut", "ct", "fo", "fw", "cf")})
#: The code in the line that gives up.
CODES = {"refused connection": "unreachable", "70082": "70082", "HTML 502 before the effect": "bad_answer"}
#: After these nobody knows what became of a call that changes something.
LOST = frozenset({"HTML 502 before the effect"})
#: One case in so many is part of the representative part, beside those that touch something for the first time.
STRIDE = 16


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    matrix = metafunc.config.getoption("--matrix")
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", chosen(CASES, matrix, STRIDE), ids=str)
    if "staying" in metafunc.fixturenames:
        metafunc.parametrize("staying", chosen(STAYING, matrix, STRIDE), ids=str)


def test_a_fault_of_the_pbx_has_its_right_outcome(case: Case, tmp_path: Path, cell: Cell) -> None:
    """What the table says comes of the fault, and whatever it is, the effect is there at most once and the thread is true."""
    reached = REACHED[case.call]
    with cell("faults of the PBX", case), town(tmp_path, waits=HASTY if case.fault in SLOW else NO_RATES) as world:
        trial = Trial(world.start(), reached.kind)
        _meet(trial, case, reached)
        OUTCOMES[case.right](trial, case)
        assert not world.hq.trouble.pending, "the fault did not hit the call"
        trial.holds()


def test_a_fault_that_stays_has_its_right_outcome(staying: Case, tmp_path: Path, cell: Cell) -> None:
    """A fault that does not end is given up in words before create, and after it a person is asked; nothing is made twice."""
    reached, fault = REACHED[staying.call], staying.fault.removesuffix(" for good")
    with cell("faults of the PBX", staying), town(tmp_path) as world:
        trial = Trial(world.start(), reached.kind)
        trial.is_mended_once_told = False
        trial.ask()
        reached.prepare(world)
        MADE[fault](world.hq, reached, FOR_GOOD)
        trial.approve()
        trial.until_over(jumps=90, seconds=150)
        world.hq.trouble.clear()
        world.hq.reachable()
        if staying.right is Right.FAILED:
            trial.has_failed("no_answer" if fault in LOST and reached.path != LIST else CODES[fault])
        else:
            _asked(trial, staying)
        trial.holds()


def test_every_pair_is_tested_or_explained() -> None:
    """No cell of the tables is empty without a reason, and no reason is given for a cell that is tested."""
    assert missing(CASES, data.CALLS.values(), MADE, _explained(data.ABSENT)) == []
    staying = {case.fault for case in STAYING}
    assert missing(STAYING, {case.call for case in STAYING}, staying, _explained(data.ABSENT_FOR_GOOD)) == []
    said = _explained({**data.ABSENT, **data.ABSENT_FOR_GOOD})
    assert [str(case) for case in (*CASES, *STAYING) if said(case.call, case.fault)] == []


def _explained(absent: Mapping[str, tuple[str, str]]) -> Callable[[str, str], bool]:
    def said(call: str, fault: str) -> bool:
        columns, why = absent.get(fault, ("", ""))
        return bool(why) and call in {data.CALLS[short] for short in columns.split()}

    return said


def _meet(trial: Trial, case: Case, reached: Reached) -> None:
    """Ask, and approve; the fault waits where the table says."""
    world, make = trial.world, MADE[case.fault]
    if reached.at_check:
        reached.prepare(world)
        make(world.hq, reached, 1)
    trial.ask()
    if reached.at_check:
        world.hq.reachable()
    else:
        reached.prepare(world)
        make(world.hq, reached, 1)
    trial.approve()


# The outcomes


def _unnoticed(trial: Trial, case: Case) -> None:
    trial.until_over()
    trial.is_whole(plain=True)


def _retried(trial: Trial, case: Case) -> None:
    trial.until_over()
    trial.is_whole()
    told = trial.told()
    assert len(begins(told, "🔁")) == 1, told
    assert begins(told, "❓", "🛑") == []


def _settled(trial: Trial, case: Case) -> None:
    """Said to be unknown once; by then nothing was told that was not known."""
    trial.until_over()
    trial.is_whole()
    told = trial.told()
    assert len(begins(told, "❓")) == 1, told
    assert begins(told, "🛑") == []
    assert len(begins(told, "🔁")) <= 1, told


def _failed(trial: Trial, case: Case) -> None:
    trial.until_over()
    trial.has_failed(case.fault)


def _stopped(trial: Trial, case: Case) -> None:
    """Silence until somebody acts, for the other PBX all goes on; then one press lets it end well."""
    world = trial.world
    trial.until_told("🛑")
    calls, logins, told = len(world.hq.calls), world.hq.logins, trial.told()
    for _ in range(6):
        world.clock.advance(minutes=10)
        trial.driver.rest()
    assert (len(world.hq.calls), world.hq.logins) == (calls, logins), "the PBX was called after logins were stopped"
    assert trial.told() == told
    assert len(begins(told, "🛑")) == 1, told
    assert case.fault in begins(told, "🛑")[0]
    _another_pbx_goes_on(trial)
    world.ana.click(world.line_message(trial.card, "🛑"), "try_again")
    trial.until_over()
    trial.is_whole()
    assert world.hq.logins <= logins + 1


def _another_pbx_goes_on(trial: Trial) -> None:
    """It is asked, and answers, while the first one is left alone."""
    trial.world.tess.command("/pbx-cert", "list branch", trial.world.certs)
    trial.world.wait_told(trial.world.tess, "*server*: 0 of 3 slots used")


def _asked(trial: Trial, case: Case) -> None:
    """Hours later there is no other call; then Check again ends it by what is seen."""
    world = trial.world
    trial.until_over()
    trial.is_asked()
    written = _written(trial)
    for _ in range(4):
        world.clock.advance(hours=1)
        trial.driver.rest()
    assert _written(trial) == written, "something was sent after a person was asked"
    for looks in (1, 2):  # one a press; an application shows that it was issued at the second
        world.ana.click(world.line_message(trial.card, "❓"), "check_again")
        world.wait_until(lambda looks=looks: len(begins(trial.told(), "🔎 @")) == looks)  # type: ignore[misc]
        trial.until_over()
        if begins(trial.told(), "✅"):
            break
    assert trial.told()[-1].startswith("✅ *done*"), trial.told()
    trial.shows("approved, done")


def _written(trial: Trial) -> int:
    """How many calls came that change something; a look at whether the PBX answers again is none."""
    return trial.world.hq.count(CREATE) + trial.world.hq.count(UPLOAD)


def _shown(trial: Trial, case: Case) -> None:
    """What the card says of the check is not lost by anything that follows."""
    assert "It is not known how many of the 20 trusted slots are used" in trial.world.card(trial.card)
    trial.until_over()
    trial.is_whole()


OUTCOMES: Mapping[Right, Callable[[Trial, Case], None]] = {
    Right.UNNOTICED: _unnoticed,
    Right.RETRIED: _retried,
    Right.SETTLED: _settled,
    Right.FAILED: _failed,
    Right.STOPPED: _stopped,
    Right.ASKED: _asked,
    Right.SHOWN: _shown,
}
