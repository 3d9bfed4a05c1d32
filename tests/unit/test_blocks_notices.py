"""What a channel is told of its PBX."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.blocks.notices import notice, undeliverable
from bot.domain.events import BOT, Event, EventKind
from tests.unit.blockkit_rules import accept_message

AT = datetime(2027, 1, 16, 10, 31, 6, tzinfo=UTC)
SINCE = datetime(2027, 1, 16, 10, 31, tzinfo=UTC)


def event(kind: EventKind, **data: Any) -> Event:
    return Event(17, None, kind, BOT, AT, {"pbx": "hq", **data})


def silent(waiting: int = 3, sentence: str = "Nothing answers there. (unreachable: connect)") -> Event:
    return event(EventKind.PBX_SILENT, since=SINCE.isoformat(), waiting=waiting, sentence=sentence)


def answers(seconds: float, waiting: int = 3) -> Event:
    return event(EventKind.PBX_ANSWERS, seconds=seconds, waiting=waiting)


def test_silent() -> None:
    """Since when, what waits for it, that nothing is lost, what comes next, and what went wrong."""
    _, text = notice(silent())
    since = f"<!date^{int(SINCE.timestamp())}^{{time}}|2027-01-16 10:31 UTC>"
    assert text == (
        f"🔌 `hq` has not answered since {since}; 3 requests wait for it. "
        "Nothing is lost; the bot tries again by itself and says here when it is back. "
        "The last attempt: Nothing answers there. (unreachable: connect)"
    )


@pytest.mark.parametrize(("waiting", "words"), [(0, ">. Nothing is lost"), (1, "; 1 request waits for it. Nothing")])
def test_what_waits(waiting: int, words: str) -> None:
    """Nothing is said of requests where none wait."""
    assert words in notice(silent(waiting))[1]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "1 second"), (45, "45 seconds"), (89, "89 seconds"), (90, "2 minutes"), (720, "12 minutes"), (3600, "60 minutes"),
     (7200, "2 hours"), (9000, "2 hours and 30 minutes"), (90_000, "25 hours")],
)  # fmt: skip
def test_answers(seconds: float, words: str) -> None:
    """How long it took, as people say it."""
    assert notice(answers(seconds))[1] == f"▶️ `hq` answers again after {words}; the bot goes on with what waits."


def test_answers_and_nothing_waits() -> None:
    """Where nothing waits, nothing goes on."""
    assert notice(answers(720, 0))[1] == "▶️ `hq` answers again after 12 minutes."


def test_undeliverable() -> None:
    """An operator reads the same, and why it was not posted where it belongs."""
    _, text = undeliverable(answers(720), "C0CERTS", "not_in_channel")
    assert text.startswith(notice(answers(720))[1])
    assert text.endswith("because the bot cannot post in <#C0CERTS>. [not_in_channel]")


@given(st.text(max_size=4000), st.text(max_size=300), st.sampled_from([EventKind.PBX_SILENT, EventKind.PBX_ANSWERS]))
def test_any_notice_fits(sentence: str, pbx: str, kind: EventKind) -> None:
    """Whatever the sentence and the name are, Slack takes the message, and nobody is mentioned by it."""
    told = event(kind, pbx=pbx, since=SINCE.isoformat(), waiting=1, sentence=sentence, seconds=5)
    for blocks, text in (notice(told), undeliverable(told, "C0CERTS", sentence)):
        accept_message(blocks, text)
        assert "<@" not in text
        assert "<!" not in text.replace("<!date^", "")
