"""A call whose fate is not known: the card says so, the bot looks, and in the end a person says what became of it."""

import pytest

from bot.sandbox.slack.records import Json
from tests.flow.test_reload import reload
from tests.flow.world import World

CREATE = "certificate/create"


def ask_a_person(world: World, *, arrived: bool) -> Json:
    """A lost answer of a PBX that then stays away for longer than the bot looks."""
    card = world.ask(world.fill_trusted)
    world.hq.trouble.drop(CREATE, after_effect=arrived)
    world.approve(card)
    world.wait_thread(card, "*unknown*")
    world.hq.make_unreachable()
    world.skip_until(lambda: bool(world.count_lines(card, "sends nothing more")), minutes=31)
    world.wait_card(card, "Check again")
    return card


def test_the_card_says_unknown_while_the_bot_looks(world: World) -> None:
    """Until a look has told, the card's state is unknown; then the request goes on to its end."""
    card = world.ask(world.fill_trusted)
    world.hq.trouble.drop(CREATE, after_effect=False)
    world.approve(card)
    assert "*approved, unknown*" in world.wait_card(card, "unknown")
    assert "Check again" not in world.card(card)
    world.skip_until(lambda: bool(world.count_lines(card, "now lists")), seconds=31)
    assert "*approved, done*" in world.wait_card(card, "done")
    assert world.hq.count(CREATE) == 2
    world.verify_chain()


def test_a_look_right_after_finds_what_arrived(world: World) -> None:
    """What took effect is found seconds later; only that it is missing needs a minute."""
    card = world.ask(world.fill_trusted)
    world.hq.trouble.drop(CREATE, after_effect=True)
    world.approve(card)
    world.wait_thread(card, "*unknown*")
    world.skip_until(lambda: bool(world.count_lines(card, "now lists")), times=5, seconds=5)
    assert world.hq.count(CREATE) == 1


def test_a_person_is_asked_after_the_limit(world: World) -> None:
    """After an hour the bot sends nothing more: card and thread bear three buttons, and the secrets are gone."""
    card = ask_a_person(world, arrived=True)
    assert "It is not there" in world.wait_card(card, "Check again")
    assert "please have a look" in world.thread(card)[-1]
    assert "failed" not in world.card(card)
    world.verify_chain()


def test_a_pbx_is_taken_out_of_the_configuration_meanwhile(world: World) -> None:
    """What may have happened is not called failed: a person is asked, and their word counts though the PBX is gone."""
    card = world.ask(world.fill_trusted)
    world.hq.trouble.drop(CREATE, after_effect=True)
    world.approve(card)
    world.wait_thread(card, "*unknown*")
    world.hq.make_unreachable()
    world.names = {"hq": "main"}
    reload(world)
    world.wait_thread(card, "hq is not configured any more, so the bot cannot look")
    world.wait_card(card, "Check again")
    world.ana.click(world.cards()[0], "check_again")
    world.wait_told(world.ana, "This PBX is not configured any more, so nothing was done.")
    world.carl.click(world.cards()[0], "is_not_there")
    world.wait_told(world.carl, "You may not say what became of a request for hq")
    world.ben.click(world.cards()[0], "is_there")
    world.wait_thread(card, "it is there; the bot did not see it itself")
    world.verify_chain()


def test_check_again_finds_it(world: World) -> None:
    """The PBX is back and lists it: done, without another call."""
    card = ask_a_person(world, arrived=True)
    world.hq.reachable()
    world.ana.click(world.cards()[0], "check_again")
    lines = world.wait_thread(card, "now lists")
    assert any("@Ana Lead lets the bot look at `hq` again." in line for line in lines)
    assert "*approved, done*" in world.wait_card(card, "done")
    assert world.hq.count(CREATE) == 1


def test_check_again_that_finds_nothing_asks_again(world: World) -> None:
    """Not listed is told and changes nothing: the person decides, and nothing is sent."""
    card = ask_a_person(world, arrived=False)
    world.hq.reachable()
    world.ana.click(world.cards()[0], "check_again")
    world.wait_thread(card, "hq does not list this certificate now.")
    assert "*approved, unknown*" in world.card(card)
    assert world.hq.count(CREATE) == 1


@pytest.mark.parametrize(
    ("word", "state", "says"), [("is_there", "done", "it is there"), ("is_not_there", "failed", "it is not there")]
)
def test_a_persons_word_ends_it(world: World, word: str, state: str, says: str) -> None:
    """Their word is final, named as theirs on the card and in the thread, and nothing more is sent."""
    card = ask_a_person(world, arrived=True)
    world.ana.click(world.cards()[0], word)
    line = world.wait_thread(card, f"*{state}*")[-1]
    assert f"@Ana Lead looked at hq and says: {says}" in line
    assert f"@Ana Lead looked at hq and says: {says}" in world.wait_card(card, f"*approved, {state}*")
    world.hq.reachable()
    world.clock.advance(hours=2)
    assert world.hq.count(CREATE) == 1
    world.verify_chain()


def test_only_those_who_decide_may_say(world: World) -> None:
    """A colleague's word does not count, and they are told whose does."""
    card = ask_a_person(world, arrived=True)
    world.carl.click(world.cards()[0], "is_not_there")
    told = world.wait_told(world.carl, "You may not say what became of a request for hq")
    assert "@Ana Lead" in told
    assert "*approved, unknown*" in world.card(card)


def test_the_second_word_comes_too_late(world: World) -> None:
    """Two people say different things: the first counts, the other hears so."""
    card = ask_a_person(world, arrived=True)
    world.ana.click(world.cards()[0], "is_there")
    world.wait_card(card, "*approved, done*")
    world.ben.click(world.line_message(card, "sends nothing more"), "is_not_there")
    world.wait_told(world.ben, "is known by now")
    assert "*approved, done*" in world.card(card)


def test_what_arrives_after_two_looks_is_not_made_twice(world: World) -> None:
    """The bot makes the call again and meets "name exists": it looks why, and finds that the first call took effect late."""
    card = world.ask(world.fill_trusted)
    world.hq.trouble.drop(CREATE, after_effect=False)
    world.approve(card)
    world.wait_thread(card, "*unknown*")
    world.skip_until(lambda: bool(world.count_lines(card, "makes it again")) or world.hq.count(CREATE) > 1, seconds=31)
    world.skip_until(lambda: bool(world.count_lines(card, "now lists")), seconds=5)
    assert len(world.hq.certificates) == 1
    world.verify_chain()


def test_what_was_unknown_stays_so_over_a_restart(world: World) -> None:
    """A restart changes nothing of what a person is asked, and their buttons still count."""
    card = ask_a_person(world, arrived=True)
    world.restart()
    assert "*approved, unknown*" in world.card(card)
    world.ana.click(world.cards()[0], "is_there")
    world.wait_card(card, "*approved, done*")
