"""Every fault of the bot's own database, each with the outcome that stands in `tests.faults.database_faults`."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from bot.house import Waits
from tests.faults import database_faults as data
from tests.faults.conftest import Cell
from tests.faults.database_hands import CODES, KINDS, WORKER_PATIENCE, Broken, database, last
from tests.faults.driving import begins
from tests.faults.pbx_hands import CREATE, LIST
from tests.faults.rights import Case, Right, cases_of, chosen, missing
from tests.faults.trial import FOUND, Trial, town

CASES = cases_of(data.TABLE, data.CALLS)
#: So few that only repetitions of what another case has touched already are left out of the representative part.
STRIDE = 100
OUTAGE, OVER = "Nothing can be asked for or approved", "works again"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", chosen(CASES, metafunc.config.getoption("--matrix"), STRIDE), ids=str)


def test_a_fault_of_the_database_has_its_right_outcome(case: Case, tmp_path: Path, cell: Cell) -> None:
    """Fail closed: nothing is approved, sent or told that is not recorded, and once it is back all goes on, once."""
    kind, _, moment = case.call.partition(": ")
    waits = Waits(rates={}, database=WORKER_PATIENCE)
    with (
        cell("faults of the database", case),
        database(kind, tmp_path) as (url, server),
        town(tmp_path, database_url=url, waits=waits) as world,
    ):
        trial = Trial(world.start(), "trusted")
        broken = KINDS[case.fault](world, server)
        WAYS[moment](trial, case, broken)
        trial.until_over(seconds=6)
        OUTCOMES[case.right](trial)
        trial.holds()
        assert _channel(trial, OUTAGE) == _channel(trial, OVER) == (CODES[case.fault] != "store_busy")


def test_every_pair_is_tested_or_explained() -> None:
    """No cell of the table is empty without a reason."""

    def said(call: str, fault: str) -> bool:
        columns, why = data.ABSENT.get(fault, ("", ""))
        return bool(why) and call in {data.CALLS[short] for short in columns.split()}

    assert missing(CASES, data.CALLS.values(), KINDS, said) == []


# When it begins


def _at_the_form(trial: Trial, case: Case, broken: Broken) -> None:
    """The cause stands in the form, with all that was typed; submitted again, it is taken."""
    form = trial.fill()
    broken.begin()
    assert form.submit().outcome == "acked"
    assert f"[{CODES[case.fault]}]" in " ".join(form.errors.values()), form.errors
    _mend(trial, case, broken)
    assert form.submit().outcome == "acked"
    trial.world.clock.advance(seconds=1)
    trial.world.slack.wait_for(lambda: form.view["callback_id"] == "confirm")
    form.submit()
    trial.world.slack.wait_for(lambda: bool(trial.world.cards()))
    trial.card = trial.world.cards()[0]
    trial.approve()


def _at_the_click(trial: Trial, case: Case, broken: Broken) -> None:
    """Answered within Slack's time, with the cause; the card stays open, and pressed again it counts."""
    trial.ask()
    broken.begin()
    trial.approve()
    said = trial.world.wait_told(trial.world.ana, "not taken")
    assert said.endswith(f"[{CODES[case.fault]}]")
    _mend(trial, case, broken)
    trial.shows("pending")
    assert trial.world.hq.count(CREATE) == 0
    trial.approve()


def _before_create(trial: Trial, case: Case, broken: Broken) -> None:
    """It begins while the list is on its way that the bot asks for right before it commits the intent."""
    _at_work(trial, case, broken, LIST, 1)
    assert trial.world.hq.count(CREATE) == 0 or CODES[case.fault] == "store_busy"


def _after_create(trial: Trial, case: Case, broken: Broken) -> None:
    _at_work(trial, case, broken, CREATE, 0)


def _at_work(trial: Trial, case: Case, broken: Broken, path: str, skip: int) -> None:
    trial.ask()
    trial.world.hq.trouble.meanwhile(path, broken.begin, skip=skip)
    trial.approve()
    trial.world.hq.wait_for(lambda: not trial.world.hq.trouble.pending)
    _mend(trial, case, broken)


def _mend(trial: Trial, case: Case, broken: Broken) -> None:
    """Once it has lasted, and once the channel was told where it is told."""
    is_told = CODES[case.fault] != "store_busy"
    if is_told:
        trial.world.slack.wait_for(lambda: _channel(trial, OUTAGE) > 0, 20)
    last(case.fault)
    broken.end()
    if is_told:
        trial.world.slack.wait_for(lambda: _channel(trial, OVER) > 0, 20)


def _channel(trial: Trial, words: str) -> int:
    return sum(words in trial.world.slack.read(message) for message in trial.world.slack.messages(trial.world.certs))


WAYS: Mapping[str, Callable[[Trial, Case, Broken], None]] = {
    "the form is submitted": _at_the_form,
    "Approve is pressed": _at_the_click,
    "create is about to be intended": _before_create,
    "create has taken effect": _after_create,
}


# What comes of it


def _whole(trial: Trial) -> None:
    trial.is_whole(plain=True)


def _found(trial: Trial) -> None:
    trial.is_whole()
    told = trial.told()
    assert len(begins(told, FOUND)) == 1, told
    assert trial.world.hq.count(CREATE) == 1


OUTCOMES: Mapping[Right, Callable[[Trial], None]] = {
    Right.NOT_TAKEN: _whole,
    Right.UNNOTICED: _whole,
    Right.SETTLED: _found,
}
