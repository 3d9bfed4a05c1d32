"""What operators are told of the bot itself."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.blocks.bulletins import answer, bulletin, undeliverable
from bot.domain.events import BOT, Event, EventKind
from tests.unit.blockkit_rules import accept_message

LOADED, REFUSED, DIFFERS, TROUBLE = (
    EventKind.CONFIG_LOADED, EventKind.CONFIG_REFUSED, EventKind.CONFIG_DIFFERS, EventKind.POLICY_TROUBLE
)  # fmt: skip


def event(kind: EventKind, actor: str = BOT, **data: Any) -> Event:
    return Event(7, None, kind, actor, datetime(2026, 5, 4, tzinfo=UTC), data)


EVENTS = [
    event(REFUSED, replica="abc", mistakes=["config.toml: pbx[1].url: must begin with https://"], by="SIGHUP"),
    event(REFUSED, "U1", replica="abc", mistakes=[f"line {n}: {'x' * 900} <!channel>" for n in range(90)], by="U1"),
    event(DIFFERS, hashes={"a": "1" * 64, "b": "2" * 64, "c": "1" * 64}, agree=False),
    event(DIFFERS, hashes={f"replica-{n}": f"{n:064}" for n in range(60)}, agree=False),
    event(DIFFERS, hashes={"a": "1" * 64}, agree=True),
    event(TROUBLE, pbx="hq", line="pbx[0]", sentence="pbx[0], for hq: U02LEAD is deactivated", mended=False),
    event(TROUBLE, pbx="hq", line="pbx[0]", sentence="pbx[0], for hq: S02LEADS cannot be read", mended=True),
]


@pytest.mark.parametrize("told", EVENTS, ids=lambda told: told.kind.value)
def test_slack_would_take_them(told: Event) -> None:
    """However much there is to tell, it fits into a message, and nothing in it pings a channel."""
    for message in (bulletin(told), undeliverable(told, "C1", "not_in_channel")):
        assert message is not None
        accept_message(*message)
        assert "<!channel>" not in str(message)


def test_who_cannot_approve_is_mentioned() -> None:
    """The ids of a finding become mentions, of users and of groups."""
    texts = [message[1] for told in EVENTS[-2:] if (message := bulletin(told))]
    assert "<@U02LEAD> is deactivated" in texts[0]
    assert "This is no longer so: pbx[0], for hq: <!subteam^S02LEADS> cannot be read" in texts[1]


def test_those_who_work_by_the_same_are_told_together() -> None:
    """A line for each configuration, with its replicas."""
    message = bulletin(EVENTS[2])
    assert message is not None
    assert "`111111111111`: `a`, `c`" in str(message[0])
    assert "`222222222222`: `b`" in str(message[0])


def test_whoever_ordered_it_hears_how_it_went() -> None:
    """Good or bad by direct message; what nobody in Slack ordered is no answer to anybody."""
    good = answer(event(LOADED, "U1", replica="abc", by="U1", unchecked="http_503"))
    assert good is not None
    assert "now works by the new configuration. Slack could not be asked" in good[1]
    bad = answer(EVENTS[1])
    assert bad is not None
    accept_message(*bad)
    assert answer(event(LOADED, replica="abc", by="start")) is None
    assert answer(EVENTS[0]) is None


def test_a_load_is_no_news_for_the_channel() -> None:
    """That all is well is not posted."""
    assert bulletin(event(LOADED, "U1", replica="abc", by="U1")) is None
