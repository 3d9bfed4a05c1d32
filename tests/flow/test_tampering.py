"""What somebody changes in the bot's database is not carried out."""

import json

from sqlalchemy import text

from tests.flow.meddling import meddling
from tests.flow.world import World


def change_name(world: World) -> None:
    """Give request 1 another certificate's name on the PBX."""
    with meddling(world.database_url) as database:
        found = database.scalar(text("SELECT CAST(evidence AS TEXT) FROM requests WHERE id = 1"))
        evidence = json.dumps({**json.loads(found or ""), "name": "another-r1.crt"})
        database.execute(text("UPDATE requests SET evidence = :evidence WHERE id = 1"), {"evidence": evidence})


def test_a_request_that_was_changed_behind_its_card_is_not_approved(world: World) -> None:
    """The click carries the digest of what was shown, and the row does not have it any more."""
    card = world.ask(world.fill_trusted)
    change_name(world)
    world.approve(card)
    world.wait_told(world.ana, "has changed since it was shown")
    assert world.hq.count("certificate/upload") == 0


def test_a_request_that_was_changed_after_its_approval_is_not_carried_out(world: World) -> None:
    """Before anything is sent, the quorum is counted again for what is stored now."""
    card = world.ask(world.fill_trusted)
    world.hq.make_unreachable()
    world.approve(card)
    world.wait_thread(card, "again")
    world.stop()
    change_name(world)
    world.hq.reachable()
    world.start()
    world.wait_thread(card, "not what was approved")
    assert world.hq.count("certificate/upload") == 0
    world.verify_chain()


def test_a_request_without_its_votes_is_not_carried_out(world: World) -> None:
    """A row that says approved is not enough: the votes have to be there."""
    card = world.ask(world.fill_trusted)
    world.hq.make_unreachable()
    world.approve(card)
    world.wait_thread(card, "again")
    world.stop()
    with meddling(world.database_url) as database:
        database.execute(text("DELETE FROM votes"))
    world.hq.reachable()
    world.start()
    world.wait_thread(card, "not what was approved")
    assert world.hq.count("certificate/upload") == 0
