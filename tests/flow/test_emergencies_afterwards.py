"""After the glass was broken: a second person confirms or objects, or it is raised again until somebody does."""

from typing import Any

import pytest

from bot.domain.events import EventKind
from bot.sandbox.slack import Person
from tests.flow import breaking_glass as glass
from tests.flow import homes
from tests.flow.test_emergencies import kinds
from tests.flow.world import World
from tests.unit.store_kit import at_once


@pytest.fixture
def card(quiet: World) -> dict[str, Any]:
    """An emergency of Tess's that is done, and that nobody has looked at."""
    world = glass.with_rule(quiet, quiet.tess.id).start()
    declared = glass.declare(world)
    world.wait_thread(declared, "now lists")
    return declared


def count_dms(world: World, person: Person, words: str) -> int:
    return sum(words in text for text in world.told(person))


def test_a_second_person_confirms_it_from_the_card(quiet: World, card: dict[str, Any]) -> None:
    """It is told with the comment, stands on the card, and the buttons are gone."""
    glass.confirm(quiet, quiet.ana, card, "Seen, it was needed")
    line = quiet.wait_thread(card, "confirms it")[-1]
    assert line.startswith("✅ @Ana Lead has looked at this emergency and confirms it:")
    assert "> Seen, it was needed" in line
    shown = quiet.wait_card(card, "@Ana Lead confirmed it afterwards")
    assert "Nobody has confirmed" not in shown
    assert "[Confirm afterwards]" not in shown
    quiet.clock.advance(days=3)
    quiet.restart()
    assert quiet.count_lines(card, "Nobody has confirmed") == 0
    assert EventKind.UNCONFIRMED not in kinds(quiet)
    quiet.verify_chain()


@pytest.mark.parametrize("where", ["thread", "message"])
def test_it_can_be_confirmed_wherever_it_is_told(quiet: World, card: dict[str, Any], where: str) -> None:
    """The line in the thread and the direct message have the same buttons; a comment is not needed."""
    if where == "thread":
        message = quiet.line_message(card, "EMERGENCY")
    else:
        quiet.wait_told(quiet.ana, "EMERGENCY")
        message = next(each for each in quiet.ana.dms() if "EMERGENCY" in quiet.slack.read(each))
    glass.confirm(quiet, quiet.ana, message)
    quiet.wait_thread(card, "@Ana Lead has looked at this emergency and confirms it.")


def test_it_can_be_confirmed_from_the_home_tab(quiet: World, card: dict[str, Any]) -> None:
    """It stands there for those who may, first of all and with the buttons, and is gone once somebody has looked."""
    assert "Emergencies to confirm" not in homes.text(homes.opened(quiet, quiet.carl))
    home = homes.settled(quiet, quiet.ana)
    assert "Nobody has confirmed this emergency yet." in homes.text(home)
    home.click("Confirm afterwards")
    quiet.ana.wait_modal(callback_id="confirm_afterwards").submit()
    quiet.wait_card(card, "@Ana Lead confirmed it afterwards")
    assert "Emergencies to confirm" not in homes.text(homes.opened(quiet, quiet.ana))


def test_nobody_confirms_their_own(quiet: World) -> None:
    """A lead who broke the glass is refused, although the rule names them; the refusal is an event."""
    world = glass.with_rule(quiet, quiet.ana.id).start()
    card = glass.declare(world, world.ana)
    glass.confirm(world, world.ana, card)
    world.wait_told(world.ana, "a second person has to look at it")
    assert kinds(world).count(EventKind.REFUSED) == 1
    assert "Nobody has confirmed" in world.card(card)
    assert not any("lets this be done" in text for text in world.told(world.ana))
    glass.confirm(world, world.ben, card)
    world.wait_card(card, "@Ben Lead confirmed it afterwards")


def test_only_who_may_approve_confirms(quiet: World, card: dict[str, Any]) -> None:
    """Carl sees the card and may not."""
    glass.confirm(quiet, quiet.carl, card)
    quiet.wait_told(quiet.carl, "You may not decide requests for hq")
    assert "Nobody has confirmed" in quiet.card(card)


def test_of_two_at_once_the_first_counts(quiet: World, card: dict[str, Any]) -> None:
    """One confirms and the other objects in the same moment: one of them settles it, and the other is told so."""
    modals = []
    for person, button in ((quiet.ana, "confirm_afterwards"), (quiet.ben, "object_afterwards")):
        person.click(dict(card), button)
        modals.append(person.wait_modal(callback_id=button))
    modals[1].type("reason", "It could have waited")
    at_once(modal.submit for modal in modals)
    quiet.slack.wait_for(lambda: any("that settles it" in text for each in (quiet.ana, quiet.ben) for text in quiet.told(each)))
    happened = kinds(quiet)
    assert happened.count(EventKind.CONFIRMED) + happened.count(EventKind.OBJECTED) == 1
    quiet.verify_chain()


def test_an_objection_settles_it_and_is_told_to_the_operators(quiet: World) -> None:
    """It has a reason, which requester, channel and operators read; nothing is raised again after it."""
    olga = quiet.slack.add_person("Olga Operator")
    operators = quiet.slack.add_channel("operators", (olga,))
    quiet.slack_lines = f'operators_channel = "{operators.id}"'
    world = glass.with_rule(quiet, quiet.tess.id).start()
    card = glass.declare(world)
    world.wait_thread(card, "now lists")
    glass.object_to(world, world.ben, card, "    ")
    modal = world.ben.modals[-1]
    assert modal.errors == {"reason": "Say what was not right: the requester and the operators read it."}
    modal.type("reason", "It could have waited until nine")
    modal.submit()
    line = world.wait_thread(card, "*objects*")[-1]
    assert "@Tess Technician, the reason:\n> It could have waited until nine" in line
    world.wait_card(card, "@Ben Lead looked at it afterwards and objects")
    world.slack.wait_for(
        lambda: any("objects to the emergency" in world.slack.read(m) for m in world.slack.messages(operators))
    )
    world.clock.advance(days=3)
    world.restart()
    assert EventKind.UNCONFIRMED not in kinds(world)
    world.verify_chain()


def test_operators_are_told_directly_where_their_channel_takes_nothing(quiet: World) -> None:
    """The bot is not in their channel, so each operator gets the objection."""
    olga = quiet.slack.add_person("Olga Operator")
    hidden = quiet.slack.add_channel("operators", (olga,), bot=False)
    quiet.slack_lines = f'operators_channel = "{hidden.id}"\noperators = ["{olga.id}"]'
    world = glass.with_rule(quiet, quiet.tess.id).start()
    card = glass.declare(world)
    world.wait_thread(card, "now lists")
    glass.object_to(world, world.ben, card, "It could have waited")
    assert "because the bot cannot post in" in world.wait_told(olga, "objects to the emergency")


def test_it_is_raised_again_daily_until_somebody_looks(quiet: World, card: dict[str, Any]) -> None:
    """When the time is over, thread and approvers are told, again each day and over restarts, until somebody confirms."""
    quiet.clock.advance(hours=24, minutes=1)
    line = quiet.wait_thread(card, "Nobody has confirmed this emergency yet")[-1]
    assert "@leads, please look at it" in line
    for person in (quiet.ana, quiet.ben):
        quiet.wait_told(person, "Nobody has confirmed this emergency yet")
    quiet.stop()
    quiet.clock.advance(hours=24, minutes=1)
    quiet.start()
    quiet.wait_thread(card, "This is told for the 2nd time.")
    quiet.slack.wait_for(lambda: count_dms(quiet, quiet.ana, "Nobody has confirmed") == 2)
    message = quiet.line_message(card, "2nd time")
    glass.confirm(quiet, quiet.ben, message)
    quiet.wait_card(card, "@Ben Lead confirmed it afterwards")
    quiet.clock.advance(days=2)
    quiet.restart()
    assert kinds(quiet).count(EventKind.UNCONFIRMED) == 2
    quiet.verify_chain()


def test_a_card_that_was_deleted_long_after_the_end_comes_back(quiet: World, card: dict[str, Any]) -> None:
    """As long as nobody has looked, the card is looked after."""
    quiet.clock.advance(hours=5)
    quiet.slack.delete(card)
    quiet.skip_until(lambda: any("Nobody has confirmed" in quiet.slack.read(each) for each in quiet.cards()), minutes=11)


def test_who_may_confirm_is_who_may_approve_today(quiet: World, card: dict[str, Any]) -> None:
    """Those who were leads when it was done may be gone; who is named by now looks at it, and who is not any more does not."""
    quiet.stop()
    quiet.policy_lines = quiet.policy_lines.replace(quiet.leads, quiet.carl.id)
    quiet.start()
    glass.confirm(quiet, quiet.ana, card)
    quiet.wait_told(quiet.ana, "You may not decide requests for hq")
    glass.confirm(quiet, quiet.carl, card)
    quiet.wait_card(card, "@Carl Colleague confirmed it afterwards")


def test_it_can_be_confirmed_when_its_pbx_is_not_configured_any_more(quiet: World, card: dict[str, Any]) -> None:
    """Then the rule counts that it was done under."""
    quiet.stop()
    quiet.policy_lines = ""
    path = quiet.write_config()
    path.write_text(path.read_text().replace('name = "hq"', 'name = "headquarters"'))
    quiet.start_with(path)
    glass.confirm(quiet, quiet.ana, card)
    quiet.wait_card(card, "@Ana Lead confirmed it afterwards")
