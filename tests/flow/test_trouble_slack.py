"""Slack refuses, is slow or loses answers: the thread is whole in the end, each line once and in order."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from bot.sandbox.slack.records import Json
from tests.flow.world import World

POST = "chat.postMessage"
#: How each line of a trusted CA's thread begins, in order.
STORY = ["👍 @Ana Lead approved it", "👍 *approved*", "⚙️ *applying*", "🔎 `hq` has room", "📤 Uploaded as", "📥 `hq` took",
         "✅ *done*"]  # fmt: skip
#: How a call goes wrong; ``after_effect``: the message is there all the same.
TROUBLES: dict[str, dict[str, Any]] = {
    "429": {"retry_after": 1},
    "503": {"status": 503},
    "internal_error": {"error": "internal_error"},
    "dropped": {"drop": True},
    "503-after": {"status": 503, "after_effect": True},
    "internal_error-after": {"error": "internal_error", "after_effect": True},
    "dropped-after": {"drop": True, "after_effect": True},
    "fatal_error": {"error": "fatal_error", "times": 3},
}


def is_whole(world: World, card: Json) -> None:
    """The story, each line once and in order, on exactly one card."""
    told = world.thread(card)
    assert [line for line, begins in zip(told, STORY, strict=True) if not line.startswith(begins)] == []
    assert len(world.cards()) == 1
    assert "done" in world.wait_card(card, "approved, done")
    assert world.hq.count("certificate/create") == 1
    world.verify_chain()


def until_told(world: World, card: Json) -> None:
    world.skip_until(lambda: bool(world.count_lines(card, "*done*")), seconds=11)


@pytest.mark.parametrize("trouble", ["503", "internal_error", "internal_error-after", "dropped-after", "fatal_error"])
def test_a_thread_is_whole_whatever_slack_did_to_a_line(world: World, trouble: str) -> None:
    """The first lines are refused or their answers lost: in the end each is there once, in order."""
    card = world.ask(world.fill_trusted)
    world.slack.trouble.fail(POST, **{"times": 2, **TROUBLES[trouble]})
    world.approve(card)
    until_told(world, card)
    is_whole(world, card)


@pytest.mark.parametrize("trouble", ["503", "dropped", "503-after"])
def test_a_card_is_posted_once_whatever_slack_did_to_it(world: World, trouble: str) -> None:
    """The card is refused or its answer lost: in the end there is one card, and it can be decided."""
    form = world.check(world.fill_trusted(world.open_form()))
    world.slack.trouble.fail(POST, **{"times": 1, **TROUBLES[trouble]})
    form.submit()
    world.skip_until(lambda: bool(world.told(world.tess)), seconds=11)
    card = world.cards()[0]
    world.approve(card)
    until_told(world, card)
    is_whole(world, card)


def test_a_limited_post_is_not_repeated_before_its_time(world: World) -> None:
    """After a 429 with Retry-After nothing is posted until then."""
    card = world.ask(world.fill_trusted)
    world.slack.trouble.fail(POST, retry_after=2)
    world.approve(card)
    until_told(world, card)
    refused = [call for call in world.slack.log if call.method == POST and call.status == 429]
    after = [call for call in world.slack.log if call.method == POST and call.started_at > refused[0].started_at]
    assert len(refused) == 1
    assert after[0].started_at - refused[0].started_at >= 2
    is_whole(world, card)


@pytest.mark.parametrize(("method", "trouble"), [("chat.update", "429"), ("chat.update", "dropped"),
                                                 ("chat.getPermalink", "503"), ("conversations.members", "dropped"),
                                                 ("conversations.open", "429")])  # fmt: skip
def test_other_calls_that_fail_hold_nothing_up_for_good(world: World, method: str, trouble: str) -> None:
    """Whichever call of the narration fails, card, thread, link and outcome are told in the end."""
    world.slack.trouble.fail(method, **TROUBLES[trouble])
    form = world.check(world.fill_trusted(world.open_form(), pbx="branch"))
    form.submit()
    world.skip_until(lambda: bool(world.cards()), seconds=11)
    card = world.cards()[0]
    world.approve(card)
    until_told(world, card)
    world.skip_until(lambda: any("The thread" in said for said in world.told(world.tess)), seconds=11)
    assert sum("You have asked for" in said for said in world.told(world.tess)) == 1
    assert sum("The thread" in said for said in world.told(world.tess)) == 1
    assert len(world.thread(card)) == len(STORY)


def test_an_outage_of_slack_holds_up_no_work(world: World) -> None:
    """While nothing can be posted the PBX is worked on all the same, and later the whole story is told."""
    card = world.ask(world.fill_trusted)
    world.slack.trouble.fail(POST, status=503, times=1000)
    world.slack.trouble.fail("chat.update", status=503, times=1000)
    world.approve(card)
    world.hq.wait_for(lambda: len(world.hq.certificates) == 1)
    assert world.thread(card) == []
    world.slack.trouble.clear()
    until_told(world, card)
    is_whole(world, card)


def test_a_dropped_websocket_loses_nothing_that_was_acknowledged(world: World) -> None:
    """The connection breaks right after the click; the bot connects again and the story goes on."""
    card = world.ask(world.fill_trusted)
    world.approve(card)
    world.slack.disconnect(goodbye=False)
    world.wait_thread(card, "*done*")
    world.slack.wait_connected()
    is_whole(world, card)


def missing(quiet: World, *, private: bool = False) -> tuple[World, str]:
    """hq's cards go to a channel in which the bot is not; its id."""
    channel = quiet.slack.add_channel("secret-pbx", (quiet.tess, quiet.ana), bot=False, private=private)
    quiet.pbx_lines = f'channel = "{channel.id}"'
    return quiet.start(), channel.id


@pytest.mark.parametrize(("private", "words"), [(False, "Somebody has to invite the bot there with /invite. "),
                                                (True, "it is private and the bot is not in it")])  # fmt: skip
def test_a_channel_without_the_bot_is_told_and_tried_again(quiet: World, private: bool, words: str) -> None:
    """The requester is told once, with what to do; invited later, the bot posts the card and all goes its way."""
    world, channel = missing(quiet, private=private)
    form = world.check(world.fill_trusted(world.open_form()))
    form.submit()
    said = world.wait_told(world.tess, "cannot be posted in #secret-pbx")
    assert words in said
    assert "so nobody can approve it yet" in said
    tried = world.slack_calls(POST)
    world.skip_until(lambda: world.slack_calls(POST) >= tried + 3, seconds=31)
    assert sum("cannot be posted" in said for said in world.told(world.tess)) == 1
    world.slack.join(channel, world.slack.bot_user)
    world.skip_until(lambda: bool(world.slack.messages(channel)), seconds=31)
    card = world.slack.messages(channel)[0]
    world.wait_told(world.tess, "You have asked for")
    world.ana.click(card, "approve")
    world.wait_thread(card, "now lists")
    assert len(world.hq.certificates) == 1


def test_a_request_whose_card_never_was_seen_can_be_followed(quiet: World) -> None:
    """While the card cannot be posted, the command says how the request stands."""
    world, _ = missing(quiet)
    world.check(world.fill_trusted(world.open_form())).submit()
    world.wait_told(world.tess, "cannot be posted")
    world.tess.command("/pbx-cert", "status 1", world.certs)
    assert "pending" in world.wait_told(world.tess, "open until")


def test_no_line_holds_a_secret(quiet: World) -> None:
    """Whatever goes wrong on the PBX's side, neither key nor credentials nor token are in anything that Slack was sent."""
    world = quiet.start()
    card = world.ask(world.fill_apply)
    for meet in _everything_at_once(world):
        meet()
    world.approve(card)
    world.skip_until(lambda: bool(world.count_lines(card, "now lists")), seconds=31)
    sent = "\n".join(str(call.args) for call in world.slack.log)
    assert "flow-test-secret" not in sent
    assert world.hq.client_secret not in sent
    assert not re.search(r"access_token=|BEGIN [A-Z ]*PRIVATE", sent)


def _everything_at_once(world: World) -> list[Callable[[], None]]:
    trouble = world.hq.trouble
    return [
        lambda: trouble.html("certificate/list"),
        lambda: trouble.truncate("certificate/list"),
        lambda: trouble.drop("certificate/create", after_effect=False),
        lambda: trouble.refuse("certificate/create", 10004, "TOKEN EXPIRED"),
    ]
