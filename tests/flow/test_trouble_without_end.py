"""A PBX that goes on answering the same is not asked for ever: the request ends, and its thread stays readable."""

from collections.abc import Callable

import pytest

from tests.flow.world import World

CREATE, UPLOAD = "certificate/create", "certificate/upload"
EVER = 50
ANSWERS: dict[str, Callable[[World], None]] = {
    "never an answer": lambda world: world.hq.trouble.drop(CREATE, after_effect=False, times=EVER),
    "always a fault of its own": lambda world: world.hq.trouble.refuse(CREATE, -2, "INTERNAL SERVER ERROR", times=EVER),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_tried_three_times(world: World, answer: str) -> None:
    """What comes to nothing three times is failed, since the list shows that nothing was added."""
    card = world.ask(world.fill_trusted)
    ANSWERS[answer](world)
    world.approve(card)
    world.skip_until(lambda: bool(world.count_lines(card, "*failed*")), seconds=31)
    assert world.hq.count(CREATE) == 3
    assert len(world.thread(card)) < 16
    assert world.hq.certificates == []
    world.verify_chain()


def test_uploaded_three_times(world: World) -> None:
    """A PBX that finds no file however often it is uploaded is not asked for ever either; its refusal is what is told."""
    card = world.ask(world.fill_trusted)
    world.hq.trouble.refuse(CREATE, 60001, "DATA NOT FOUND", times=EVER)
    world.approve(card)
    assert "60001 DATA NOT FOUND" in world.wait_thread(card, "*failed*")[-1]
    assert (world.hq.count(UPLOAD), world.hq.count(CREATE)) == (3, 3)
    assert len(world.thread(card)) < 16


def test_partial_success_is_looked_at(world: World) -> None:
    """PARTIAL SUCCESS says that some of it was done: the list is asked, and what is there is ours."""
    card = world.ask(world.fill_trusted)
    world.hq.trouble.refuse(CREATE, 1, "PARTIAL SUCCESS")
    world.approve(card)
    world.wait_thread(card, "1 PARTIAL SUCCESS")
    world.hq.add_certificate("trusted", "corp-root-r1.crt")
    world.skip_until(lambda: bool(world.count_lines(card, "now lists")), seconds=31)
    assert world.hq.count(CREATE) == 1


def test_cap_of_tokens_at_create(world: World) -> None:
    """A login that meets the cap of 8 in the middle of certificate/create is waited for; it is no lack of a slot."""
    card = world.ask(world.fill_trusted)
    world.hq.trouble.refuse("certificate/create", 10004, "TOKEN EXPIRED")
    world.hq.trouble.refuse("refresh_token", 60002, "MAX LIMITATION EXCEEDED")
    world.approve(card)
    world.skip_until(lambda: bool(world.count_lines(card, "now lists")), seconds=31, times=30)
    assert len(world.hq.certificates) == 1
