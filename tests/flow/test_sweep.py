"""The cards are looked at now and then: what was deleted comes back, what was changed is put right, and nothing else is touched."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from bot.domain.requests import Request
from bot.sandbox.slack.records import Json
from bot.store import agenda, posts
from bot.store.agenda import Work
from bot.store.posts import CARD
from bot.store.tables import AgendaRow
from bot.work.sweep import APART, ROUND, fingerprint
from tests.flow.telling import STEPS, STORY, Stage
from tests.flow.world import World

HISTORY, UPDATE, POST = "conversations.history", "chat.update", "chat.postMessage"
MINUTES = 60.0


@pytest.fixture
def stage(database: str) -> Iterator[Stage]:
    stage = Stage(database, limits=False)
    stage.sweep()
    yield stage
    stage.close()


@pytest.fixture
def asked(stage: Stage) -> Request:
    """A request whose card is there."""
    request = stage.ask(1)
    stage.run(1)
    return request


def falsify(stage: Stage, request: Request, old: str, new: str) -> None:
    """Somebody with the bot's own token changes its message."""
    with stage.slack.state.changed:
        message = stage.channel.find(stage.card(request)["ts"])
        assert message is not None
        for block in message.blocks:
            if "text" in block:
                block["text"]["text"] = block["text"]["text"].replace(old, new)


def read(stage: Stage, request: Request) -> str:
    return stage.slack.read(stage.card(request))


def test_a_deleted_card_comes_back_with_its_thread(stage: Stage, asked: Request) -> None:
    """Nothing happens to the request, and within a round its card is there again, each line once below it."""
    stage.approve(asked)
    stage.take(asked, *STEPS)
    stage.run(5)
    old = stage.card(asked)
    stage.slack.delete(old)
    assert stage.cards() == []
    stage.run(11 * MINUTES)
    new = stage.card(asked)
    assert new["ts"] != old["ts"]
    assert new["blocks"][0] == {**old["blocks"][0], "block_id": new["blocks"][0]["block_id"]}
    assert stage.lines(asked) == STORY[:6]
    stage.end(asked)
    stage.run(1)
    assert stage.lines(asked) == STORY
    assert "approved, done" in read(stage, asked)


def test_the_old_thread_is_left_as_it_was(stage: Stage, asked: Request) -> None:
    """What stays of a deleted card is a tombstone with its replies, and nothing more is said there."""
    stage.approve(asked)
    stage.run(1)
    old = stage.card(asked)
    stage.slack.delete(old)
    before = stage.slack.messages(stage.channel, thread_ts=old["ts"])
    stage.run(11 * MINUTES)
    stage.take(asked, *STEPS)
    stage.run(5)
    assert stage.slack.messages(stage.channel, thread_ts=old["ts"]) == before
    assert len(stage.cards()) == 1


def test_a_card_without_a_thread_comes_back_too(stage: Stage, asked: Request) -> None:
    """A deleted card below which nothing was said leaves no trace, and is posted anew."""
    stage.slack.delete(stage.card(asked))
    stage.run(11 * MINUTES)
    assert "pending" in read(stage, asked)


def test_a_card_that_was_changed_is_put_right(stage: Stage, asked: Request) -> None:
    """Another tool with the bot's token wrote into the card: within a round it says again what its row says."""
    truth = read(stage, asked)
    falsify(stage, asked, "pending", "approved, done")
    assert read(stage, asked) != truth
    stage.run(11 * MINUTES)
    assert read(stage, asked) == truth


def test_a_button_that_was_changed_is_put_right(stage: Stage, asked: Request) -> None:
    """What a button stands for belongs to what a card shows."""
    with stage.slack.state.changed:
        message = stage.channel.find(stage.card(asked)["ts"])
        assert message is not None
        message.blocks[-1]["elements"].reverse()
    stage.run(11 * MINUTES)
    assert [element["action_id"] for element in stage.card(asked)["blocks"][-1]["elements"]][0] == "approve"


def test_what_is_right_is_looked_at_and_not_touched(stage: Stage, asked: Request) -> None:
    """An hour of rounds costs six looks and nothing else."""
    before = stage.calls()
    stage.run(61 * MINUTES)
    assert stage.calls() - before == {HISTORY: 6}


def test_slacks_own_spelling_is_no_change(stage: Stage, asked: Request) -> None:
    """Emoji become their names, signs are escaped and lines broken otherwise: that is how Slack shows it, and it is left so."""
    for old, new in (("⏳", ":hourglass_flowing_sand:"), ("🔵", ":large_blue_circle:"), ("'", "&#39;"), ("\n", " \n")):
        falsify(stage, asked, old, new)
    before = stage.calls()[UPDATE]
    stage.run(61 * MINUTES)
    assert stage.calls()[UPDATE] == before


def test_the_same_difference_is_put_right_once_an_hour_at_most(stage: Stage, asked: Request) -> None:
    """Whatever brings the difference back every time, the bot and it do not chase each other."""
    before = stage.calls()[UPDATE]
    for _ in range(24):
        falsify(stage, asked, "Asked for by", "Begged for by")
        stage.run(5 * MINUTES)
    assert stage.calls()[UPDATE] - before == 2


def test_a_lost_painting_heals_after_the_end(stage: Stage, asked: Request) -> None:
    """Slack said yes to the last painting and does not show it: a card is looked at for an hour after its request ended."""
    stage.approve(asked)
    stage.take(asked, *STEPS)
    stage.end(asked)
    stage.run(5)
    falsify(stage, asked, "approved, done", "approved, applying")
    stage.run(11 * MINUTES)
    assert "approved, done" in read(stage, asked)


def test_what_ended_long_ago_is_left_alone(stage: Stage, asked: Request) -> None:
    """A card whose request ended hours ago costs no look."""
    stage.approve(asked)
    stage.take(asked, *STEPS)
    stage.end(asked)
    stage.run(71 * MINUTES)
    before = stage.calls()
    stage.run(600 * MINUTES)
    assert stage.calls() == before


def test_a_state_that_was_never_painted_is_painted(stage: Stage, asked: Request) -> None:
    """Nobody was told to narrate a change: the next look finds that the card is of another state, and the lines that miss."""
    stage.approve(asked)
    with stage.store.begin() as session:
        agenda.drop(session, Work.NARRATE, asked.id)
    stage.run(11 * MINUTES)
    assert "approved" in read(stage, asked)
    assert stage.lines(asked) == STORY[:2]


def dues(stage: Stage) -> list[AgendaRow]:
    with stage.store.begin() as session:
        rows = session.query(AgendaRow).filter_by(kind=Work.SWEEP.value).order_by(AgendaRow.due_at).all()
        session.expunge_all()
    return rows


@pytest.mark.parametrize(("count", "apart", "next_round"), [(60, timedelta(seconds=10), ROUND), (200, APART, ROUND),
                                                            (400, APART, 400 * APART)])  # fmt: skip
def test_looks_are_spread_(stage: Stage, count: int, apart: timedelta, next_round: timedelta) -> None:
    """The looks of a round are as far apart as it allows, and never closer than three seconds: then the next round is later."""
    with stage.store.begin() as session:
        for number in range(count):
            posts.arrived(session, stage.store.now(), stage.ask(number).id, CARD, "C1", "17.1") if number < 3 else None
    fill(stage, count)
    stage.run(ROUND.total_seconds() - 1)
    planned_at = stage.clock.advance(seconds=1)
    entry = claim_round(stage)
    stage.visit(entry)
    found = dues(stage)
    looks = [row.due_at for row in found if row.request is not None]
    assert len(looks) == count
    assert looks == [planned_at + place * apart for place in range(count)]
    assert [row.due_at for row in found if row.request is None] == [planned_at + next_round]
