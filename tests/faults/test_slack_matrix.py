"""Every fault at every call to Slack, each with the outcome that stands in `tests.faults.slack_faults`."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from slack_bolt.error import BoltError

from bot.exceptions import SlackError
from bot.sandbox.slack.modal import Modal
from tests.faults import slack_faults as data
from tests.faults.conftest import Cell
from tests.faults.rights import Case, Right, cases_of, chosen, missing
from tests.faults.slack_hands import MADE, REACHED, SLOW, Moment
from tests.faults.slack_trial import SlackTrial
from tests.faults.trial import HASTY, NO_RATES, town
from tests.flow.world import World

CASES = cases_of(data.TABLE, data.CALLS)
#: One case in so many is part of the representative part, beside those that touch something for the first time.
STRIDE = 16
WHY_NOT = "Not this one, please."
REFUSAL = "response_url with a refusal"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", chosen(CASES, metafunc.config.getoption("--matrix"), STRIDE), ids=str)


def test_a_fault_of_slack_has_its_right_outcome(case: Case, tmp_path: Path, cell: Cell) -> None:
    """What the table says comes of the fault; whatever it is, the PBX gets one certificate and the thread is whole."""
    with cell("faults of Slack", case), town(tmp_path, waits=HASTY if case.fault in SLOW else NO_RATES) as world:
        if case.call.startswith("usergroups"):
            world.approvers = (world.leads,)
        trial = SlackTrial(world, case)
        if REACHED[case.call].moment is not Moment.START:
            world.start()
        OUTCOMES[case.right](trial)
        assert not world.slack.trouble.pending, "the fault did not hit the call"
        trial.holds_for_slack()


def test_every_pair_is_tested_or_explained() -> None:
    """No cell of the table is empty without a reason, and no reason is given for a cell that is tested."""

    def said(call: str, fault: str) -> bool:
        named = [short for columns, why in data.ABSENT.get(fault, ()) for short in columns.split() if why]
        return call in {data.CALLS[short] for short in named}

    assert missing(CASES, data.CALLS.values(), MADE, said) == []
    assert [str(case) for case in CASES if said(case.call, case.fault)] == []


# The ways


def _decide(trial: SlackTrial) -> None:
    """Approve, or where the question why is the call, reject."""
    trial.lay(Moment.DECIDE)
    if trial.case.call == REFUSAL:
        trial.world.carl.click(trial.card, "approve")
        trial.driver.rest()
    trial.approve()
    trial.until_all_told()


def _all_of_it(trial: SlackTrial) -> None:
    trial.ask()
    _decide(trial)
    trial.is_told_whole()


# The outcomes


def _told_later(trial: SlackTrial) -> None:
    """The link once, and the outcome once by direct message to who is not in the channel."""
    _all_of_it(trial)
    assert trial.heard("You have asked for") == 1
    if trial.reached.pbx == "branch":
        assert trial.heard("approved, done") == 1, trial.world.told(trial.world.tess)


def _told_privately(trial: SlackTrial) -> None:
    _all_of_it(trial)
    assert trial.heard("cannot be posted") == 1
    assert trial.heard("You have asked for") == 1


def _given_up(trial: SlackTrial) -> None:
    _all_of_it(trial)
    lost = trial.world.told(trial.world.carl) if trial.case.call == REFUSAL else trial.world.tess.dms()
    assert len(lost) <= ("after" in trial.case.fault)


def _another_way(trial: SlackTrial) -> None:
    if trial.case.call.startswith("views.update"):
        _by_message_back_into_a_window(trial)
    else:
        _all_of_it(trial)
        assert any("You have asked for" in trial.world.slack.read(said) for said in trial.world.tess.dms())


def _by_message_back_into_a_window(trial: SlackTrial) -> None:
    world = trial.world
    form = trial.fill_in(trial.open())
    trial.submit(form)
    assert form.view["callback_id"] == "checking"
    with suppress(ValueError):
        form.close()
    world.tess.click(world.tess.dms()[-1], "continue_draft")
    trial.confirm(world.tess.wait_modal(callback_id="confirm"))
    _decide(trial)
    trial.is_told_whole()


def _anew(trial: SlackTrial) -> None:
    """Somebody deletes the card while the PBX is at work."""
    trial.ask()
    trial.approve()
    trial.driver.rest()
    trial.world.slack.delete(trial.card)
    trial.until_all_told()
    trial.card = trial.world.cards()[0]
    trial._follows(trial.told(), trial.story())
    trial.shows("approved, done")
    trial.pbx_is_right()


def _not_taken(trial: SlackTrial) -> None:
    """Nothing is approved while Slack does not say who is in a group, or who somebody is; the next click counts."""
    trial.ask()
    trial.lay(Moment.DECIDE)
    trial.approve()
    trial.driver.rest()
    trial.shows("pending")
    said = trial.world.wait_told(trial.world.ana, "Slack could not be asked who ")
    assert "Please try again in a minute" in said
    assert trial.world.hq.count("certificate/create") == 0
    trial.approve()
    trial.until_all_told()
    trial.is_told_whole()


def _try_anew(trial: SlackTrial) -> None:
    if trial.reached.moment is Moment.OPEN:
        trial.lay(Moment.OPEN)
        trial.world.tess.command("/pbx-cert", "", trial.world.certs)
        trial.world.wait_told(trial.world.tess, "the window for this")
        assert trial.world.tess.modals == []
        _all_of_it_again(trial)
    else:
        trial.ask()
        trial.lay(Moment.DECIDE)
        trial.world.ana.click(trial.card, "reject")
        trial.world.wait_told(trial.world.ana, "the window for this")
        assert trial.world.ana.modals == []
        _reject(trial)


def _all_of_it_again(trial: SlackTrial) -> None:
    form = trial.world.open_form()
    trial.submit(trial.fill_in(form))
    trial.confirm(form)
    _decide(trial)
    trial.is_told_whole()


def _reject(trial: SlackTrial) -> None:
    assert trial.world.reject(trial.card, WHY_NOT).outcome == "acked"
    _is_rejected(trial)


def _is_rejected(trial: SlackTrial) -> None:
    trial.until_all_told()
    trial.shows("rejected")
    assert [line for line in trial.told() if not line.startswith("🚫 *rejected*")] == []
    assert len(trial.told()) == 1
    assert trial.world.hq.count("certificate/create") == 0


def _unnoticed(trial: SlackTrial) -> None:
    """The window is there, whatever the answer was; what the person was told must not be false."""
    if trial.reached.moment is Moment.START:
        trial.world.start()
        _all_of_it(trial)
    elif trial.reached.moment is Moment.OPEN:
        _all_of_it(trial)
        assert trial.heard("did not open the window") == 0
    else:
        trial.ask()
        trial.lay(Moment.DECIDE)
        trial.world.ana.click(trial.card, "reject")
        modal = trial.world.ana.wait_modal(callback_id="reject")
        modal.type("reason", WHY_NOT)
        modal.submit()
        _is_rejected(trial)
        assert not any("did not open the window" in said for said in trial.world.told(trial.world.ana))


def _back_to_form(trial: SlackTrial) -> None:
    """The problem stands in the form, with what was typed; the file given anew is taken."""
    form = trial.fill_in(trial.open())
    trial.submit(form)
    assert form.view["callback_id"] == "form", form.texts()
    assert any("corp-root.crt could not be fetched" in text for text in form.texts()), form.texts()
    assert form.value("reason") == "The new provider's phones"
    _give_the_file_again(trial, form)
    trial.confirm(form)
    _decide(trial)
    trial.is_told_whole()


def _give_the_file_again(trial: SlackTrial, form: Modal) -> None:
    form.attach("files", ("corp-root.crt", trial.world.root.cert_pem))
    assert form.submit().outcome == "acked"
    trial.driver.until(lambda: form.view["callback_id"] == "confirm", seconds=11, at_rest=lambda: None)


def _not_started(trial: SlackTrial) -> None:
    """It says why and ends; once Slack can be reached it starts."""
    world: World = trial.world
    trial.lay(Moment.START)
    with pytest.raises((SlackError, BoltError)) as raised:
        world.start()
    assert str(raised.value)
    world.bot = None  # it has ended by itself
    world.start()
    _all_of_it(trial)


OUTCOMES: Mapping[Right, Callable[[SlackTrial], None]] = {
    Right.TOLD_LATER: _told_later,
    Right.FOUND: _told_later,
    Right.TOLD_PRIVATELY: _told_privately,
    Right.GIVEN_UP: _given_up,
    Right.ANOTHER_WAY: _another_way,
    Right.ANEW: _anew,
    Right.NOT_TAKEN: _not_taken,
    Right.TRY_ANEW: _try_anew,
    Right.UNNOTICED: _unnoticed,
    Right.BACK_TO_FORM: _back_to_form,
    Right.NOT_STARTED: _not_started,
}
