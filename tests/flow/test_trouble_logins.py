"""Logins that are refused: one, and then silence until somebody acts. Five would block the bot's address for everybody."""

from collections.abc import Callable

import pytest

from bot.sandbox.slack.records import Json
from tests.flow.world import World

WRONG = "not-the-secret"
STOPPED = "does not log in to `hq` any more"


def stopped(quiet: World, **environ: str) -> tuple[World, Json]:
    """A bot with a wrong secret, and an approved request that waits for it."""
    world = quiet.start(HQ_SECRET=WRONG, **environ)
    card = world.ask(world.fill_trusted)
    world.approve(card)
    world.wait_thread(card, STOPPED)
    return world, card


def quietly(world: World, card: Json, logins: int) -> None:
    """Hours pass and much is due; still there was no other login and no other line."""
    lines = len(world.thread(card))
    for _ in range(6):
        world.clock.advance(minutes=30)
        before = len(world.told(world.tess))
        world.tess.command("/pbx-cert", "list hq", world.certs)
        world.slack.wait_for(lambda: len(world.told(world.tess)) >= before + 2)  # noqa: B023 - waited for here
        assert "could not be asked" in " ".join(world.told(world.tess)[before:])
    assert world.hq.logins == logins
    assert len(world.thread(card)) == lines


def press(world: World, card: Json, words: str = STOPPED) -> Json:
    return world.line_message(card, words)


def test_a_wrong_secret_is_tried_once(quiet: World) -> None:
    """Exactly one login, already at the check; then silence, and a thread that says what to do and has Try again."""
    world = quiet.start(HQ_SECRET=WRONG)
    card = world.ask(world.fill_trusted)
    assert "It is not known how many of the 20 trusted slots are used." in world.card(card)
    assert "it does not accept the client ID and secret" in world.card(card)
    world.approve(card)
    line = world.wait_thread(card, STOPPED)[-1]
    assert "it does not accept the client ID and secret" in line
    assert "20002" in line
    assert "@Ana Lead, @Ben Lead, please have a look." in line
    assert "[Try again]" in line
    quietly(world, card, 1)
    assert world.count_lines(card, STOPPED) == 1
    world.wait_card(card, "approved, waiting")
    world.verify_chain()


def test_a_restart_with_the_same_secret_stays_silent(quiet: World) -> None:
    """The word that logins are stopped survives a restart."""
    world, card = stopped(quiet)
    world.restart(HQ_SECRET=WRONG)
    quietly(world, card, 1)


def test_a_restart_with_the_right_secret_goes_on_by_itself(quiet: World) -> None:
    """Put right in the configuration and restarted, the request is done without anybody pressing anything."""
    world, card = stopped(quiet)
    world.restart()
    world.wait_thread(card, "now lists")
    assert world.hq.logins == 2
    assert world.count_lines(card, STOPPED) == 1
    world.verify_chain()


def test_try_again_is_for_operators(quiet: World) -> None:
    """Somebody who is no operator is refused privately, and there is no login."""
    quiet.slack_lines = f'operators = ["{quiet.ben.id}"]'
    world, card = stopped(quiet)
    for person in (world.carl, world.tess, world.ana):
        person.click(press(world, card), "try_again")
        assert "@Ben Lead may" in world.wait_told(person, "You may not let the bot log in to hq again")
    quietly(world, card, 1)


def test_the_thread_calls_those_who_may_try_again(quiet: World) -> None:
    """Where operators are named, it is they who are asked to have a look."""
    quiet.slack_lines = f'operators = ["{quiet.carl.id}"]'
    world, card = stopped(quiet)
    line = next(line for line in world.thread(card) if STOPPED in line)
    assert "@Carl Colleague, please have a look." in line
    assert "@Ana Lead, @Ben Lead, please" not in line


def test_try_again_makes_one_more_login(quiet: World) -> None:
    """An operator's Try again makes exactly one more login; refused again, the thread says so anew and is silent."""
    world, card = stopped(quiet)
    world.ben.click(press(world, card), "try_again")
    world.slack.wait_for(lambda: world.count_lines(card, STOPPED) == 2)
    assert world.count_lines(card, "@Ben Lead lets the bot log in to `hq` again") == 1
    quietly(world, card, 2)


def test_try_again_after_the_pbx_was_put_right(quiet: World) -> None:
    """Put right on the PBX's side, Try again lets the request be done; pressing twice changes nothing more."""
    world, card = stopped(quiet)
    world.hq.set_secret(WRONG)
    message = press(world, card)
    world.ben.click(message, "try_again")
    world.wait_thread(card, "now lists")
    world.ana.click(message, "try_again", as_seen=True)
    world.ask(world.fill_trusted, pbx="branch")
    assert world.hq.logins == 2
    assert world.hq.count("certificate/create") == 1
    assert world.count_lines(card, "lets the bot log in to `hq` again") == 1
    world.verify_chain()


def test_one_try_again_frees_all_that_waits(quiet: World) -> None:
    """Two requests wait for one login: one Try again lets both be done, with one login."""
    world, first = stopped(quiet)
    second = world.ask(world.fill_trusted)
    world.approve(second)
    world.wait_thread(second, STOPPED)
    world.hq.set_secret(WRONG)
    world.ana.click(press(world, first), "try_again")
    world.hq.wait_for(lambda: len(world.hq.certificates) == 2)
    assert world.hq.logins == 2


def test_a_login_that_stays_stopped_ends_in_words(quiet: World) -> None:
    """After a day without anybody acting the request fails and says why; there was one login in all that time."""
    world, card = stopped(quiet)
    world.skip_until(lambda: bool(world.count_lines(card, "*failed*")), hours=25)
    line = next(line for line in world.thread(card) if "*failed*" in line)
    assert "it does not accept the client ID and secret" in line
    assert world.hq.logins == 1


@pytest.mark.parametrize(("errcode", "words"), [(70004, "it has blocked the address that the bot calls from"),
                                                (70087, "not on its list of permitted ones")])  # fmt: skip
def test_a_blocked_address_stops_logins(quiet: World, errcode: int, words: str) -> None:
    """A login answered with 70004 (blocked) or 70087 (not permitted) is not repeated until somebody presses Try again."""
    world = quiet
    world.hq.trouble.refuse("get_token", errcode)
    world.start()
    card = world.ask(world.fill_trusted)
    world.approve(card)
    line = world.wait_thread(card, STOPPED)[-1]
    assert words in line
    assert str(errcode) in line
    quietly(world, card, 1)
    world.ana.click(press(world, card), "try_again")
    world.wait_thread(card, "now lists")
    assert world.hq.logins == 2


@pytest.mark.parametrize("path", ["certificate/list", "certificate/create"])
def test_a_block_in_the_middle_stops_logins_too(world: World, path: str) -> None:
    """70004 to a call with a good token: no more calls, no login, and after Try again the request is done once."""
    card = world.ask(world.fill_trusted)
    world.hq.trouble.refuse(path, 70004)
    world.approve(card)
    assert "70004" in world.wait_thread(card, STOPPED)[-1]
    quietly(world, card, 1)
    calls = len(world.hq.calls)
    world.ana.click(press(world, card), "try_again")
    world.wait_thread(card, "now lists")
    assert len(world.hq.calls) > calls
    assert world.hq.logins == 2
    assert len(world.hq.certificates) == 1


@pytest.mark.parametrize(
    "meet",
    [
        lambda world: world.hq.trouble.refuse("get_token", 60002, "MAX LIMITATION EXCEEDED"),
        lambda world: world.hq.trouble.html("get_token"),
        lambda world: world.hq.trouble.drop("get_token", after_effect=False),
    ],
    ids=["cap", "gateway", "dropped"],
)
def test_a_login_that_was_not_refused_for_its_secret_is_made_again(quiet: World, meet: Callable[[World], None]) -> None:
    """The cap of 8 tokens, a gateway's page or silence say nothing of the secret: the bot tries again by itself."""
    world = quiet.start()
    world.hq.make_unreachable()
    card = world.ask(world.fill_trusted)
    world.hq.reachable()
    meet(world)
    world.approve(card)
    world.wait_thread(card, "will try again by itself")
    world.skip_until(lambda: bool(world.count_lines(card, "now lists")), minutes=5)
    assert world.hq.logins == 2
    assert not world.count_lines(card, STOPPED)
