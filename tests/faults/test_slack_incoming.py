"""What Slack sends twice or not at all, and connections that die; the outcomes stand in `tests.faults.slack_faults`."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from bot.sandbox.slack.modal import Modal
from bot.sandbox.slack.records import Delivery
from tests.faults import slack_faults as data
from tests.faults.conftest import Cell
from tests.faults.rights import Case, Right
from tests.faults.trial import Trial, town

CASES = [Case(when, what, Right(letter)) for (what, when), letter in data.INCOMING.items()]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_slack_does_on_the_way_in(case: Case, tmp_path: Path, cell: Cell) -> None:
    """Nothing that was acknowledged is lost, nothing delivered twice is done twice, and a dead connection is made anew."""
    with cell("on the way in from Slack", case, apart=True), town(tmp_path) as world:
        if case.call == "the event that a group has changed":
            world.approvers = (world.leads,)
        trial = Trial(world.start(), "apply" if case.call == "while the PBX is worked on" else "trusted")
        WAYS[(case.fault, case.call)](trial)
        trial.until_over()
        if case.call == "the rejection with its reason":
            assert len(trial.told()) == 1
            trial.shows("rejected")
        else:
            trial.is_whole(plain=True)
        world.slack.wait_connected()
        trial.holds()


def test_the_bot_opens_one_connection(tmp_path: Path) -> None:
    """A second one at the start would take the place of the first, and with it whatever Slack has just sent there."""
    with town(tmp_path) as world:
        Trial(world.start(), "trusted").ask()
        assert world.slack_calls("apps.connections.open") == 1


def _checked(trial: Trial, form: Modal) -> Modal:
    trial.world.clock.advance(seconds=1)
    trial.world.slack.wait_for(lambda: form.view["callback_id"] == "confirm")
    return form


def _confirmed(trial: Trial, form: Modal) -> Delivery:
    delivery = form.submit()
    trial.world.slack.wait_for(lambda: bool(trial.world.cards()))
    trial.card = trial.world.cards()[0]
    trial.driver.rest()
    return delivery


def _twice(trial: Trial, delivery: Delivery) -> None:
    """The same again; the second time, too, it is acknowledged."""
    assert delivery.outcome == "acked"
    assert trial.world.slack.deliver_again(delivery).outcome == "acked"


# The ways


def _dies_before_the_submission(trial: Trial) -> None:
    """Nobody hears the submission; the form stays as it is, and submitting again works."""
    form = trial.fill()
    trial.world.slack.disconnect(goodbye=False)
    assert form.submit().outcome == "no bot"
    trial.world.slack.wait_connected()
    assert form.submit().outcome == "acked"
    _confirmed(trial, _checked(trial, form))
    trial.approve()


def _dies_during_the_check(trial: Trial) -> None:
    form = trial.fill()
    assert form.submit().outcome == "acked"
    trial.world.slack.disconnect(goodbye=False)
    _checked(trial, form)
    trial.world.slack.wait_connected()
    _confirmed(trial, form)
    trial.approve()


def _dies_after_approve(trial: Trial) -> None:
    trial.ask()
    trial.approve()
    trial.world.slack.disconnect(goodbye=False)


def _says_goodbye(trial: Trial) -> None:
    trial.ask()
    trial.approve()
    trial.world.slack.disconnect(goodbye=True)


def _dies_at_work(trial: Trial) -> None:
    trial.ask()
    trial.approve()
    trial.driver.rest()
    trial.world.slack.disconnect(goodbye=False)


def _submission_twice(trial: Trial) -> None:
    form = trial.fill()
    _twice(trial, form.submit())
    _confirmed(trial, _checked(trial, form))
    trial.approve()


def _confirmation_twice(trial: Trial) -> None:
    form = trial.fill()
    form.submit()
    _twice(trial, _confirmed(trial, _checked(trial, form)))
    trial.approve()


def _approve_twice(trial: Trial) -> None:
    """The second is no click of its own: nobody is told that somebody was faster."""
    trial.ask()
    _twice(trial, trial.world.approve(trial.card))
    trial.driver.rest()
    assert trial.world.told(trial.world.ana) == []


def _rejection_twice(trial: Trial) -> None:
    trial.ask()
    _twice(trial, trial.world.reject(trial.card, "Not this one, please."))


def _event_twice(trial: Trial) -> None:
    """What was read of the group before counts no more; told twice, it is read anew all the same."""
    world = trial.world
    trial.ask()
    world.slack.set_group(world.leads, [world.ben, world.ana, world.carl])
    world.slack.wait_for(lambda: world.slack.deliveries[-1].settled)
    _twice(trial, world.slack.deliveries[-1])
    trial.approve()


WAYS: Mapping[tuple[str, str], Callable[[Trial], None]] = {
    ("the WebSocket dies", "before the form is submitted"): _dies_before_the_submission,
    ("the WebSocket dies", "during the check"): _dies_during_the_check,
    ("the WebSocket dies", "right after Approve"): _dies_after_approve,
    ("the WebSocket dies", "while the PBX is worked on"): _dies_at_work,
    ("Slack says goodbye", "right after Approve"): _says_goodbye,
    ("delivered twice", "the submission of the form"): _submission_twice,
    ("delivered twice", "the confirmation"): _confirmation_twice,
    ("delivered twice", "the click on Approve"): _approve_twice,
    ("delivered twice", "the rejection with its reason"): _rejection_twice,
    ("delivered twice", "the event that a group has changed"): _event_twice,
}
