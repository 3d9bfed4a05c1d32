"""Whatever goes wrong while somebody is waiting, they read a sentence of ours and lose nothing that they typed."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.flow.meddling import busy, meddling
from tests.flow.world import World


@contextmanager
def broken(world: World) -> Iterator[None]:
    """The database cannot even be read."""
    with meddling(world.database_url) as other:
        if other.dialect.name == "sqlite":
            other.exec_driver_sql("PRAGMA legacy_alter_table = ON")
        other.exec_driver_sql("ALTER TABLE requests RENAME TO requests_away")
        try:
            yield
        finally:
            other.exec_driver_sql("ALTER TABLE requests_away RENAME TO requests")


@pytest.mark.parametrize("action", ["approve", "reject", "edit", "withdraw", "details"])
def test_a_click_that_cannot_be_read_is_answered_in_words(world: World, action: str) -> None:
    """While the database is broken, every button of the card is acknowledged and says that the click was not taken."""
    card = world.ask(world.fill_trusted)
    world.wait_told(world.tess, "You have asked for")
    with broken(world):
        assert world.tess.click(card, action).outcome == "acked"
        world.wait_told(world.tess, "This was not taken")


def test_who_asks_for_approval_while_the_database_is_busy_can_press_again(world: World) -> None:
    """The evidence stays there under the words, and pressing again asks."""
    form = world.check(world.fill_trusted(world.open_form()))
    with busy(world.database_url):
        assert form.submit().outcome == "acked"
    notice = world.tess.wait_modal("Not taken")
    assert any("press again" in line for line in notice.texts())
    notice.close()
    form.submit()
    world.slack.wait_for(lambda: len(world.cards()) == 1)


@pytest.mark.parametrize("number", ["²", "４２", "0", "99999999999999999999"])
def test_a_strange_number_is_answered(world: World, number: str) -> None:
    """What only looks like a number gets an answer, too."""
    delivery = world.tess.command("/pbx-cert", f"status {number}", world.certs)
    assert delivery.outcome == "acked"
    world.slack.wait_for(lambda: world.told(world.tess))


def test_a_form_that_slack_does_not_open_is_told(world: World) -> None:
    """Where Slack refuses to open the modal, the person reads that they have to try again."""
    world.slack.trouble.fail("views.open", "expired_trigger_id")
    assert world.tess.command("/pbx-cert", "", world.certs).outcome == "acked"
    world.wait_told(world.tess, "Slack did not open the window")


def test_a_list_that_our_own_database_prevents_is_answered(world: World) -> None:
    """When the bot cannot get at its token, whoever asked for the list hears so instead of nothing."""
    with meddling(world.database_url) as other:
        other.exec_driver_sql("ALTER TABLE tokens RENAME TO tokens_away")
    assert world.tess.command("/pbx-cert", "list hq", world.certs).outcome == "acked"
    world.wait_told(world.tess, "could not be asked")
