"""The cards are looked at: what was deleted comes back, what was changed is put right, and nothing else is touched."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from bot.domain.requests import Request
from bot.sandbox.slack.records import Json
from bot.store import agenda, posts
from bot.store.agenda import Work
from bot.store.posts import CARD
from bot.store.tables import AgendaRow, RequestRow
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
    assert stage.card(asked)["blocks"][-1]["elements"][0]["action_id"] == "approve"


def test_what_is_right_is_looked_at_and_not_touched(stage: Stage, asked: Request) -> None:
    """An hour of rounds costs six looks and nothing else."""
    before = stage.calls()
    stage.run(61 * MINUTES)
    assert stage.calls() - before == {HISTORY: 6}


def test_slacks_own_spelling_is_no_change(stage: Stage, asked: Request) -> None:
    """Emoji become their names, signs are escaped and lines broken otherwise: that is how Slack shows it, and it is left so."""
    sent = str(stage.card(asked)["blocks"])
    for old, new in (("🟡", ":large_yellow_circle:"), ("'", "&#39;"), ("\n", " \n")):
        falsify(stage, asked, old, new)
    shown, before = str(stage.card(asked)["blocks"]), stage.calls()[UPDATE]
    assert ":large_yellow_circle:" in shown != sent
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


def with_cards(stage: Stage, count: int) -> None:
    """So many open requests whose cards are there, according to the ledger."""
    first = stage.ask(0)
    with stage.store.begin() as session:
        row = session.get_one(RequestRow, first.id)
        values = {column.name: getattr(row, column.name) for column in RequestRow.__table__.columns if column.name != "id"}
        copies = [RequestRow(**{**values, "delivery": f"copy {number}"}) for number in range(1, count)]
        session.add_all(copies)
        session.flush()
        for number in (first.id, *(copy.id for copy in copies)):
            posts.arrived(session, stage.store.now(), number, CARD, "C1", "17.1")


def claim(stage: Stage) -> agenda.Entry | None:
    with stage.store.begin() as session:
        return agenda.claim(session, "stage", stage.clock.now, (Work.SWEEP,))


def dues(stage: Stage, *, rounds: bool) -> list[datetime]:
    """When the looks are due, or the rounds."""
    with stage.store.begin() as session:
        rows = session.scalars(select(AgendaRow).filter_by(kind=Work.SWEEP.value).order_by(AgendaRow.due_at))
        return [row.due_at for row in rows if (row.request is None) is rounds]


@pytest.mark.parametrize(("count", "apart"), [(60, timedelta(seconds=10)), (200, APART), (400, APART)])
def test_looks_are_spread(stage: Stage, count: int, apart: timedelta) -> None:
    """Looks are as far apart as a round allows, but never closer than three seconds: then the next round is later."""
    with_cards(stage, count)
    planned_at = stage.clock.advance(seconds=ROUND.total_seconds())
    entry = claim(stage)
    assert entry is not None
    stage.visit(entry)
    assert dues(stage, rounds=False) == [planned_at + place * apart for place in range(count)]
    assert dues(stage, rounds=True) == [planned_at + max(ROUND, count * apart)]


def test_replicas_share_one_round(stage: Stage) -> None:
    """Each replica lets the rounds begin when it starts, also in the middle of one, and there is one at a time."""
    stage.sweep()
    stage.clock.advance(seconds=ROUND.total_seconds())
    entry = claim(stage)
    stage.sweep()
    assert claim(stage) is None
    assert entry is not None
    stage.visit(entry)
    assert len(dues(stage, rounds=True)) == 1


def test_a_look_that_slack_refuses_waits_for_the_next_round(stage: Stage, asked: Request) -> None:
    """Where the bot may not read, one look a round is made, and nothing is posted."""
    stage.slack.trouble.fail(HISTORY, "not_in_channel", times=99)
    before = stage.calls()
    stage.run(35 * MINUTES)
    assert stage.calls() - before == {HISTORY: 3}


def test_a_look_that_is_limited_comes_back(stage: Stage, asked: Request) -> None:
    """After a 429 the look is made later, within the round."""
    stage.slack.trouble.fail(HISTORY, retry_after=30)
    stage.slack.delete(stage.card(asked))
    stage.run(13 * MINUTES)
    assert "pending" in read(stage, asked)


def test_what_is_compared_are_words_and_buttons() -> None:
    """Ids that Slack adds do not matter; a letter, a name and a value do."""
    button = {"type": "button", "text": {"type": "plain_text", "text": "Approve"}, "action_id": "approve", "value": "1"}
    sent: Json = {"text": "Ask: done", "blocks": [{"type": "actions", "elements": [button]}]}
    shown = {"text": "Ask:  done :tada:", "ts": "1.1", "blocks": [{"block_id": "x1", "type": "actions", "elements": [button]}]}
    assert fingerprint(sent) == fingerprint(shown)
    for change in ({"action_id": "reject"}, {"value": "2"}, {"text": {"type": "plain_text", "text": "Approved"}}):
        assert fingerprint(sent) != fingerprint({**sent, "blocks": [{"type": "actions", "elements": [{**button, **change}]}]})
    assert fingerprint(sent) != fingerprint({**sent, "text": "Ask: failed"})


def test_people_act_on_a_card_that_came_back(world: World) -> None:
    """The dialog that was opened from the deleted card still counts, and so do the buttons of the new one."""
    first, second = world.ask(world.fill_trusted), world.ask(world.fill_trusted, pbx="branch")
    world.wait_told(world.tess, "You have asked for")
    world.ana.click(first, "reject")
    modal = world.ana.wait_modal(callback_id="reject")
    for card in (first, second):
        world.slack.delete(card)
    world.skip_until(lambda: len(world.cards()) == 2, minutes=1)
    modal.type("reason", "Not this one")
    assert modal.submit().outcome == "acked"
    new = next(card for card in world.cards() if card["channel"] == first["channel"])
    world.wait_thread(new, "*rejected* by @Ana Lead")
    other = next(card for card in world.cards() if card["channel"] == second["channel"])
    world.approve(other, world.ben)
    world.wait_thread(other, "*done*")
    world.wait_card(other, "approved, done")
    world.verify_chain()


def test_a_card_is_found_behind_pages_of_talk(world: World) -> None:
    """The answer to the card's post was lost, and people wrote 450 messages before it was looked for: there is one card."""
    world.slack.trouble.fail(POST, drop=True, after_effect=True)
    world.slack.trouble.fail(HISTORY, status=503, times=2)
    world.check(world.fill_trusted(world.open_form())).submit()
    world.slack.wait_for(lambda: world.slack_calls(HISTORY) >= 1)
    for number in range(450):
        world.carl.say(world.certs, f"talk {number}")
    world.skip_until(lambda: bool(world.told(world.tess)), seconds=5)
    (card,) = world.cards()
    world.approve(card)
    world.wait_thread(card, "*done*")
    assert sum(call.method == HISTORY and bool(call.ok) for call in world.slack.log) >= 3
