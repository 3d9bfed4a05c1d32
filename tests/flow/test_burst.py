"""A hundred requests at once, within the limits that Slack keeps: nobody is refused, everything is told."""

from collections.abc import Iterator

import pytest

from bot.domain.requests import Request
from tests.flow.telling import STEPS, STORY, Stage

#: In a quick run; the whole number where the matrices are run whole.
FEW, MANY = 40, 120


@pytest.fixture
def many(request: pytest.FixtureRequest) -> int:
    return MANY if request.config.getoption("--matrix") == "whole" else FEW


@pytest.fixture
def stage(database: str) -> Iterator[Stage]:
    stage = Stage(database)
    yield stage
    stage.close()


@pytest.fixture
def replicas(database: str) -> Iterator[Stage]:
    stage = Stage(database, replicas=3)
    yield stage
    stage.close()


def play(stage: Stage, many: int) -> list[Request]:
    """All are asked for at once, a minute later approved at once, and so on, faster than Slack lets us tell it."""
    requests = [stage.ask(number) for number in range(many)]
    stage.run(60)
    for request in requests:
        stage.approve(request)
    stage.run(60)
    for request in requests:
        stage.take(request, *STEPS)
    stage.run(60)
    for request in requests:
        stage.end(request)
    stage.run()
    return requests


def is_all_told(stage: Stage, requests: list[Request]) -> None:
    """One card each, which shows the end, and below it the story, each line once and in order."""
    assert len(stage.cards()) == len(requests)
    told = stage.threads()
    assert set(told) == {f"{request.id}/card" for request in requests}
    assert [event for event, (card, lines) in told.items() if lines != STORY or "approved, done" not in card] == []


@pytest.mark.timeout(900)
def test_a_burst_never_meets_the_limits(stage: Stage, many: int) -> None:
    """However many ask at once, Slack answers 429 to no call, and a request costs eight calls that write at most."""
    requests = play(stage, many)
    assert stage.refusals() == []
    is_all_told(stage, requests)
    assert stage.calls()["chat.postMessage"] + stage.calls()["chat.update"] <= 8 * many


def test_replicas_find_their_shares(replicas: Stage) -> None:
    """Three replicas do not know of each other's calls: a 429 tells them, few are needed, and nothing is lost or doubled."""
    requests = play(replicas, FEW)
    is_all_told(replicas, requests)
    calls = sum(replicas.calls().values())
    assert len(replicas.refusals()) < calls / 10
    assert set(replicas.refusals()) <= {"chat.postMessage ratelimited", "chat.update ratelimited"}
