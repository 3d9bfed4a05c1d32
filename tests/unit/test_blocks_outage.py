"""What channels are told of the bot's own database."""

from datetime import UTC, datetime

import pytest

from bot.blocks.outage import back_message, outage_message, restored_message
from bot.domain.events import BOT, Event, EventKind
from bot.store.errors import SENTENCES
from tests.unit.blockkit_rules import accept_message


def restored(**data: object) -> str:
    event = Event(1, None, EventKind.RESTORED, BOT, datetime(2026, 3, 1, tzinfo=UTC), {"until": "2026-02-28 09:00 UTC", **data})
    blocks, text = restored_message(event)
    accept_message(blocks, text)
    return text


@pytest.mark.parametrize("code", SENTENCES)
def test_an_outage_says_what_it_means_and_what_to_do(code: str) -> None:
    """Each cause says that nothing goes on, who has to do something, and its code in brackets."""
    blocks, text = outage_message(SENTENCES[code], code)
    accept_message(blocks, text)
    assert text.startswith("🛑 Nothing can be asked for or approved")
    assert "An operator has to" in text
    assert text.endswith(f"[{code}]")


def test_its_end_says_how_long_it_took() -> None:
    """When the database is back, the channel hears after how long, and who has to press again."""
    blocks, text = back_message(190)
    accept_message(blocks, text)
    assert "after 3 min 10 s" in text
    assert "please press again" in text


def test_a_restore_names_what_became_of_what() -> None:
    """What is void and what is looked at is named by number; where there is nothing of a sort, it is not mentioned."""
    text = restored(void=[1, 2], unknown=[3])
    assert "after 2026-02-28 09:00 UTC" in text
    assert "Void, to be asked for again if still needed: #1, #2." in text
    assert "Unknown, being looked at: #3." in text
    assert "Void" not in restored(void=[], unknown=[])
    assert "Unknown" not in restored(void=[], unknown=[])


def test_however_many_there_are_it_is_one_message() -> None:
    """Thousands of requests still make a message that Slack takes."""
    text = restored(void=list(range(10**7, 10**7 + 2000)), unknown=list(range(10**8, 10**8 + 2000)))
    assert len(text) < 3000
    assert " …" in text
