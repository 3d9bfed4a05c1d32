"""When an approved request begins: in a maintenance window, when it was asked for, and never after it was withdrawn."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.domain.windows import DAYS
from bot.sandbox.slack.modal import Modal
from tests.flow.world import World

Card = Mapping[str, Any]


def window(opening: datetime, hours: float = 2) -> str:
    """The window that opens then, once a week, by UTC."""
    return f"{DAYS[opening.weekday()]} {opening:%H:%M}-{opening + timedelta(hours=hours):%H:%M}"


def whole(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def soon(world: World, **by: float) -> datetime:
    """So much later, to the minute."""
    return whole(world.clock()) + timedelta(**by)


def with_windows(quiet: World, *openings: datetime, hours: float = 2) -> World:
    quiet.pbx_lines = f"windows = {[window(opening, hours) for opening in openings]}"
    return quiet.start()


def go_to(world: World, moment: datetime) -> None:
    """Put the clock to a little after this moment."""
    world.clock.advance(seconds=(moment - world.clock()).total_seconds() + 1)


def asked_for(world: World, start: datetime) -> Card:
    def fill(form: Modal) -> Modal:
        world.fill_trusted(form)
        form.set_time("start", int(start.timestamp()))
        return form

    return world.ask(fill)


def uploads(world: World) -> int:
    return world.hq.count("certificate/upload")


def test_approved_now_and_applied_in_the_next_window(quiet: World) -> None:
    """Outside the windows an approval schedules the work: card and thread say when, and then it is done by itself."""
    opening = soon(quiet, days=2)
    world = with_windows(quiet, opening)
    card = world.ask(world.fill_trusted)
    assert "It begins once it is approved and a maintenance window is open: " + window(opening) in world.card(card)
    world.approve(card)
    lines = world.wait_thread(card, "scheduled")
    assert "no maintenance window of `hq` is open, so the bot begins with the next one, " in lines[-1]
    assert "The bot will now do it" not in lines[-2]
    assert "*approved, queued*: the bot begins " in world.wait_card(card, "the bot begins")
    assert "outside window" not in world.card(card)
    world.clock.advance(hours=1)
    assert uploads(world) == 0
    go_to(world, opening)
    last = world.wait_thread(card, "now lists")[-1]
    assert "from the start." in last
    assert world.count_lines(card, "scheduled") == 1
    world.verify_chain()


def test_in_an_open_window_it_begins_at_once(quiet: World) -> None:
    """While a window is open nothing is scheduled."""
    world = with_windows(quiet, soon(quiet, hours=-1))
    card = world.ask(world.fill_trusted)
    world.approve(card)
    world.wait_thread(card, "now lists")
    assert world.count_lines(card, "scheduled") == 0
    assert "from the approval." in world.thread(card)[-1]


def test_a_start_is_kept_outside_the_windows_and_is_a_risk(quiet: World) -> None:
    """A start that was asked for counts although no window is open then, and the card warns of it."""
    world = with_windows(quiet, soon(quiet, days=3))
    start = soon(world, days=1)
    card = asked_for(world, start)
    shown = world.card(card)
    assert "*⚠️ Risks*: outside window (it is to be applied outside the maintenance windows)" in shown
    assert "It is to be applied when no maintenance window is open: " in shown
    assert "It begins " in shown
    world.approve(card)
    assert "as was asked for, the bot begins on `hq` " in world.wait_thread(card, "scheduled")[-1]
    go_to(world, start)
    world.wait_thread(card, "now lists")


def test_a_start_within_a_window_is_no_risk(quiet: World) -> None:
    """A start while a window is open needs no warning, and holds back what could begin earlier."""
    opening = soon(quiet, hours=1)
    world = with_windows(quiet, opening)
    card = asked_for(world, opening + timedelta(minutes=30))
    assert "Risks" not in world.card(card)
    world.approve(card)
    world.wait_thread(card, "scheduled")
    go_to(world, opening)
    assert uploads(world) == 0
    go_to(world, opening + timedelta(minutes=30))
    world.wait_thread(card, "now lists")


def test_a_start_that_was_approved_too_late_waits_for_a_window(quiet: World) -> None:
    """When the start is over by the time of the approval, and its window with it, nobody has agreed to do it outside of one."""
    opening = soon(quiet, hours=1)
    world = with_windows(quiet, opening)
    card = asked_for(world, opening)
    go_to(world, opening + timedelta(hours=3))
    world.approve(card)
    world.wait_thread(card, "no maintenance window of `hq` is open")
    assert uploads(world) == 0


@pytest.mark.parametrize(
    ("by", "said"),
    [({"minutes": -2}, "This time is over."), ({"days": 91}, "Choose a time within the next 90 days.")],
)
def test_an_impossible_start_is_said_beside_its_field(world: World, by: dict[str, float], said: str) -> None:
    """What lies in the past or too far ahead is refused next to the field, and what was typed stays."""
    form = world.fill_trusted(world.open_form())
    form.set_time("start", int(soon(world, **by).timestamp()))
    form.submit()
    assert said in form.errors["f0:start"]
    assert form.value("reason") == "The new provider's phones"
    form.set_time("start", None)
    assert world.check(form).view["callback_id"] == "confirm"


def test_the_start_stays_in_the_form_that_is_changed(world: World) -> None:
    """Who changes something afterwards finds the start that they chose."""
    start = soon(world, days=1)
    form = world.fill_trusted(world.open_form())
    form.set_time("start", int(start.timestamp()))
    world.check(form)
    assert any(line.startswith("It begins ") for text in form.texts() for line in text.splitlines())
    form.click("change")
    world.slack.wait_for(lambda: form.view["callback_id"] == "form")
    assert form.value("start") == int(start.timestamp())


def test_a_window_that_the_bot_slept_through(quiet: World) -> None:
    """If the bot was down for the whole window, it says so once and begins with the next one."""
    opening = soon(quiet, days=1)
    world = with_windows(quiet, opening)
    card = world.ask(world.fill_trusted)
    world.approve(card)
    world.wait_thread(card, "scheduled")
    world.stop()
    go_to(world, opening + timedelta(hours=3))
    world.start()
    world.slack.wait_for(lambda: world.count_lines(card, "scheduled") == 2)
    world.restart()
    world.clock.advance(hours=1)
    assert uploads(world) == 0
    go_to(world, opening + timedelta(days=7))
    world.wait_thread(card, "now lists")
    assert world.count_lines(card, "scheduled") == 2
    world.verify_chain()


def test_another_configuration_has_other_windows(quiet: World) -> None:
    """The windows of the configuration of now count: a restart without any begins what waited for one."""
    world = with_windows(quiet, soon(quiet, days=1))
    card = world.ask(world.fill_trusted)
    world.approve(card)
    world.wait_thread(card, "scheduled")
    world.pbx_lines = ""
    world.restart()
    world.wait_thread(card, "now lists")


def test_what_has_begun_goes_on_when_the_window_closes(quiet: World) -> None:
    """An application that the window was too short for is followed to its end."""
    opening = soon(quiet, hours=-1)
    world = with_windows(quiet, opening)
    card = world.ask(world.fill_apply)
    world.approve(card)
    world.wait_thread(card, "is applying for")
    go_to(world, opening + timedelta(hours=2, minutes=10))
    world.let_it_be_issued()
    world.wait_thread(card, "now lists")
    assert world.count_lines(card, "scheduled") == 0


def test_withdrawn_until_it_begins(quiet: World) -> None:
    """The requester takes an approved request back while it waits; nobody else can, and nothing is done when its time comes."""
    opening = soon(quiet, days=1)
    world = with_windows(quiet, opening)
    card = world.ask(world.fill_trusted)
    world.approve(card)
    world.wait_card(card, "the bot begins")
    world.ana.click(card, "withdraw")
    world.wait_told(world.ana, "Only @Tess Technician can withdraw this")
    assert world.tess.click(card, "withdraw").outcome == "acked"
    assert "*withdrawn* by @Tess Technician; nothing was done." in world.wait_thread(card, "*withdrawn*")[-1]
    assert "[Withdraw]" not in world.wait_card(card, "the requester took it back")
    go_to(world, opening)
    world.clock.advance(hours=1)
    other = world.ask(world.fill_trusted)
    world.approve(other)
    world.wait_thread(other, "now lists")
    assert uploads(world) == 1
    world.verify_chain()


def test_too_late_to_withdraw(world: World) -> None:
    """Once the bot has begun there is no such button, and an old one is answered with how it stands."""
    card = world.ask(world.fill_apply)
    world.approve(card)
    world.wait_thread(card, "is applying for")
    assert "[Withdraw]" not in world.wait_card(card, "at work")
    world.tess.click(card, "withdraw", as_seen=True)
    assert "is being carried out, so there is nothing to withdraw" in world.wait_told(world.tess, "nothing to withdraw")
    world.let_it_be_issued()
    world.wait_thread(card, "now lists")
