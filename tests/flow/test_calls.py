"""Each call that a request makes to its PBX is an event in the audit trail, and nobody is told of it."""

from typing import Any

import pytest

from bot.domain.events import EventKind
from bot.sandbox.pbx import PbxSimulator
from bot.store import audit
from tests.flow.world import World


def calls(world: World, number: int = 1) -> list[tuple[Any, ...]]:
    """As (kind, step, call, errcode, error), in order."""
    assert world.bot is not None
    with world.bot.store.begin() as session:
        events = audit.events_of(session, number)
    wanted = [event for event in events if event.kind in (EventKind.CALLING, EventKind.CALLED)]
    for event in wanted:
        assert event.kind is EventKind.CALLING or event.data["milliseconds"] >= 0
    return [(event.kind.value, *(event.data.get(name) for name in ("step", "call", "errcode", "error"))) for event in wanted]


def test_every_call_is_an_event(world: World) -> None:
    """The login, each look, and before and after whatever changes something; as many as the PBX has counted."""
    card = world.ask(world.fill_trusted)
    world.approve(card)
    world.wait_thread(card, "now lists")
    assert calls(world) == [
        ("called", "check", "POST get_token", 0, ""),
        ("called", "check", "GET certificate/list", 0, ""),
        ("called", "look", "GET certificate/list", 0, ""),
        ("calling", "upload", "POST certificate/upload", None, None),
        ("called", "upload", "POST certificate/upload", 0, ""),
        ("called", "create", "GET certificate/list", 0, ""),
        ("calling", "create", "POST certificate/create", None, None),
        ("called", "create", "POST certificate/create", 0, ""),
        ("called", "confirm", "GET certificate/list", 0, ""),
    ]
    assert sum(kind == "called" for kind, *_ in calls(world)) == len(_counted(world.hq))
    assert not [line for line in world.thread(card) if "certificate/" in line]


def _counted(pbx: PbxSimulator) -> list[str]:
    return [call.path for call in pbx.calls]


def test_a_call_that_fails_is_an_event(world: World) -> None:
    """With the errcode that the PBX gave, or with our own code where it gave no answer."""
    card = world.ask(world.fill_trusted)
    world.hq.make_unreachable()
    world.approve(card)
    world.wait_thread(card, "again")
    assert ("called", "look", "GET certificate/list", None, "unreachable") in calls(world)


def test_a_call_without_an_answer_is_an_event(world: World) -> None:
    """That it was about to leave is written before, and that no answer came after."""
    card = world.ask(world.fill_trusted)
    world.hq.trouble.drop("certificate/create", after_effect=True)
    world.approve(card)
    world.wait_thread(card, "now lists")
    told = [each for each in calls(world) if each[2] == "POST certificate/create"]
    assert told[:2] == [
        ("calling", "create", "POST certificate/create", None, None),
        ("called", "create", "POST certificate/create", None, "no_answer"),
    ]


@pytest.mark.parametrize("kind", ["import", "apply"])
def test_no_secret_is_in_it(world: World, kind: str) -> None:
    """Neither token, query, key nor credentials."""
    card = world.ask(world.fill_import if kind == "import" else world.fill_apply)
    world.approve(card)
    if kind == "apply":
        world.let_it_be_issued()
    world.wait_thread(card, "now lists")
    text = str(calls(world))
    assert "?" not in text
    assert all(set(each[2]) <= set("abcdefghijklmnopqrstuvwxyz_/ GETPOS") for each in calls(world)), text


def test_status_does_not_tell_of_calls(world: World) -> None:
    """`/pbx-cert status` shows what happened, and no line for a call."""
    card = world.ask(world.fill_trusted)
    world.approve(card)
    world.wait_thread(card, "now lists")
    world.tess.command("/pbx-cert", "status 1", world.certs)
    said = world.wait_told(world.tess, "asked for by")
    assert "certificate/list" not in said
    assert "now lists" in said
