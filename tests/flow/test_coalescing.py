"""What comes together is told together: each event once, in order, in few calls, whatever Slack does to them."""

from collections.abc import Iterator

import pytest
from sqlalchemy import event

from bot.domain.events import EventKind
from bot.domain.requests import Request
from bot.exceptions import LeaseLost
from bot.sandbox.slack.records import Json
from bot.store import agenda
from bot.store.agenda import LEASE, Work
from tests.flow.telling import STEPS, STORY, Stage

POST, UPDATE, REPLIES = "chat.postMessage", "chat.update", "conversations.replies"


@pytest.fixture
def stage(database: str) -> Iterator[Stage]:
    stage = Stage(database, limits=False)
    yield stage
    stage.close()


@pytest.fixture
def asked(stage: Stage) -> Request:
    """A request whose card is there."""
    request = stage.ask(1)
    stage.run()
    return request


def told_in(stage: Stage, request: Request) -> list[int]:
    """How many lines each message of the thread tells."""
    return [sum(block["type"] == "section" for block in reply["blocks"]) for reply in stage.replies(request)]


def tells(reply: Json) -> list[str]:
    """The ids that a message bears."""
    payload = reply["metadata"]["event_payload"]
    return [payload["event"], *payload.get("also", "").split()]


def test_what_is_due_at_once_is_one_message(stage: Stage, asked: Request) -> None:
    """Seven events that wait are seven sections of one message, which bears the ids of all."""
    stage.approve(asked)
    stage.take(asked, *STEPS)
    stage.end(asked)
    before = stage.calls()
    stage.run()
    assert stage.lines(asked) == STORY
    assert told_in(stage, asked) == [7]
    assert len(set(tells(stage.replies(asked)[0]))) == 7
    assert stage.calls() - before == {POST: 1, UPDATE: 1, "conversations.members": 1}


def test_a_message_has_ten_lines_at_most(stage: Stage, asked: Request) -> None:
    """Twenty-three lines are three messages, in order, in one visit."""
    stage.approve(asked)
    stage.take(asked, EventKind.APPLYING, *[EventKind.RETRYING, EventKind.ANSWERING] * 10)
    stage.run(0)
    assert told_in(stage, asked) == [10, 10, 3]
    assert stage.lines(asked) == ["👍", "👍", "⚙️", *["🔁", "▶️"] * 10]


def test_a_line_with_a_button_ends_its_message(stage: Stage, asked: Request) -> None:
    """A button stands right below the line that it belongs to, and what follows begins a new message."""
    stage.approve(asked)
    stage.take(asked, EventKind.APPLYING, EventKind.LOGIN_STOPPED, EventKind.LOGIN_RESUMED)
    stage.run(0)
    assert told_in(stage, asked) == [4, 1]
    assert [block["type"] for block in stage.replies(asked)[0]["blocks"]] == ["section"] * 4 + ["actions"]


def test_steps_wait_for_each_other(stage: Stage, asked: Request) -> None:
    """A decision is told at once; the bot's steps, one a second, are told together three seconds later; the end at once."""
    stage.approve(asked)
    stage.run(0)
    assert told_in(stage, asked) == [2]
    for step in STEPS[:3]:
        stage.take(asked, step)
        stage.run(0.9)
    assert told_in(stage, asked) == [2]
    stage.run(0.4)
    assert told_in(stage, asked) == [2, 3]
    stage.take(asked, STEPS[3])
    stage.end(asked)
    stage.run(0)
    assert told_in(stage, asked) == [2, 3, 2]
    assert stage.lines(asked) == STORY


@pytest.mark.parametrize("kind", [EventKind.RETRYING, EventKind.LOGIN_STOPPED, EventKind.UNKNOWN])
def test_what_people_should_know_does_not_wait(stage: Stage, asked: Request, kind: EventKind) -> None:
    """An outage right after a step is told at once, and the step before it."""
    stage.approve(asked)
    stage.run(0)
    stage.take(asked, EventKind.APPLYING, kind)
    stage.run(0)
    assert told_in(stage, asked) == [2, 2]


def test_a_card_at_work_is_painted_every_few_seconds_at_most(stage: Stage, asked: Request) -> None:
    """Ten changes in ten seconds are no more than four paintings, and the last state is there at once when it ends."""
    stage.approve(asked)
    stage.run(0)
    before = stage.calls()[UPDATE]
    for number in range(10):
        stage.take(asked, EventKind.APPLYING if number == 0 else EventKind.LOOKED)
        stage.wait(asked) if number % 2 else stage.go_on(asked)
        stage.run(1)
    assert 2 <= stage.calls()[UPDATE] - before <= 4
    stage.go_on(asked)
    stage.end(asked)
    stage.run(0)
    assert "approved, done" in stage.slack.read(stage.card(asked))


def test_one_look_settles_all_that_was_told_together(stage: Stage, asked: Request) -> None:
    """The answer to a message of six lines is lost: it is found by one look, and what happened since is told once."""
    stage.slack.trouble.fail(POST, "fatal_error", after_effect=True)
    stage.approve(asked)
    stage.take(asked, *STEPS)
    stage.run(0)
    stage.end(asked)
    before = stage.calls()
    stage.run()
    assert told_in(stage, asked) == [6, 1]
    assert stage.lines(asked) == STORY
    assert stage.calls()[REPLIES] - before[REPLIES] == 1


def test_what_was_intended_together_is_posted_again_together(stage: Stage, asked: Request) -> None:
    """A message that never arrived is posted again as it was, and not before it can be told from one that is late."""
    stage.slack.trouble.fail(POST, "fatal_error")
    stage.approve(asked)
    stage.run(0)
    lost = next(call.args for call in reversed(stage.slack.log) if call.method == POST)
    stage.take(asked, *STEPS)
    stage.end(asked)
    stage.run(19)
    assert stage.replies(asked) == []
    stage.run()
    again = next(call.args for call in stage.slack.log if call.method == POST and call.effect and call.args.get("thread_ts"))
    assert again == lost
    assert told_in(stage, asked) == [2, 5]
    assert stage.lines(asked) == STORY


def test_every_attempt_gets_its_time(stage: Stage, asked: Request) -> None:
    """The second attempt is lost too: before the third, its message is given as much time to appear as the first was."""
    stage.slack.trouble.fail(POST, "fatal_error", times=2)
    stage.approve(asked)
    before = stage.calls()[POST]
    made = []
    for seconds in (0, 19, 2, 18, 1e9):
        stage.run(seconds)
        made.append(stage.calls()[POST] - before)
    assert made == [1, 1, 2, 2, 3]
    assert told_in(stage, asked) == [2]


def test_what_was_refused_is_told_with_what_came_since(stage: Stage, asked: Request) -> None:
    """It is certain that nothing was posted, so the next message tells all that waits by then."""
    stage.slack.trouble.fail(POST, retry_after=5)
    stage.approve(asked)
    stage.run(1)
    stage.take(asked, *STEPS)
    stage.run()
    assert told_in(stage, asked) == [6]


def claim(stage: Stage, owner: str) -> agenda.Entry:
    with stage.store.begin() as session:
        entry = agenda.claim(session, owner, stage.clock.now, (Work.NARRATE,))
    assert entry is not None
    return entry


def test_who_lost_its_lease_says_nothing(stage: Stage, asked: Request) -> None:
    """A worker that was asleep while another took over neither posts nor paints."""
    stage.approve(asked)
    asleep = claim(stage, "asleep")
    stage.clock.advance(seconds=LEASE.total_seconds() + 1)
    claim(stage, "awake")
    before = stage.calls()
    with pytest.raises(LeaseLost):
        stage.visit(asleep)
    assert stage.calls() == before


def test_who_slept_before_the_call_does_not_make_it(stage: Stage, asked: Request) -> None:
    """Half a minute passes between an intent and its call: others may have looked for the message, so it is not made."""
    stage.approve(asked)
    entry, before = claim(stage, "slow"), stage.calls()
    event.listen(stage.store.engine, "commit", lambda _: stage.clock.advance(seconds=31))
    stage.visit(entry)
    assert stage.calls()[POST] == before[POST]


def test_a_line_does_not_stand_alone_in_the_channel(stage: Stage, asked: Request) -> None:
    """The card is deleted and the next line lands in the channel: it is taken back, and all is told below a new card."""
    old = stage.card(asked)
    stage.slack.delete(old)
    stage.take(asked, EventKind.RETRYING)
    stage.run()
    top = stage.slack.messages(stage.channel)
    assert [message["metadata"]["event_payload"]["event"] for message in top] == [f"{asked.id}/card"]
    assert stage.lines(asked) == ["🔁"]
    assert [call.args["ts"] != old["ts"] for call in stage.slack.log if call.method == "chat.delete"] == [True]
