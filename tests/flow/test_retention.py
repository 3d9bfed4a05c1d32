"""After the configured time nobody can tell any more who asked for an ended request, and everything still works."""

from bot.store import audit
from bot.store.ledger import load
from tests.flow.meddling import everything_in
from tests.flow.world import World


def keep_for(world: World, time: str) -> None:
    world.policy_lines = f'[audit]\nchannel = "{world.audit.id}"\npersonal_data_for = "{time}"\n'


def is_reduced(world: World, number: int) -> bool:
    assert world.bot is not None
    with world.bot.store.begin() as session:
        request = load(session, number)
    assert request is not None
    return request.reduced_at is not None


def test_people_are_forgotten(quiet: World) -> None:
    """Who asked, who approved, why and from which file is not in the database any more; the chain and the old heads verify."""
    world = quiet
    keep_for(world, "30d")
    world.start()
    card = world.ask(world.fill_trusted)
    world.approve(card)
    world.wait_thread(card, "now lists")
    world.wait_card(card, "done")
    assert world.bot is not None
    with world.bot.store.begin() as session:
        before = audit.verify(session)
    world.skip_until(lambda: is_reduced(world, 1), days=16)
    with world.bot.store.begin() as session:
        assert audit.verify(session, before.head).at == before.length
    world.stop()
    everything = everything_in(world.database_url)
    for gone in (world.tess.id, world.ana.id, "The new provider", "corp-root.crt", "BEGIN CERTIFICATE"):
        assert gone.encode() not in everything, gone


def test_what_is_left_can_be_looked_at(quiet: World) -> None:
    """The command and the old card's button answer, and nothing is posted or painted anew, not after a restart either."""
    world = quiet
    keep_for(world, "30d")
    world.start()
    card = world.ask(world.fill_trusted)
    world.reject(card, "Not this one")
    world.wait_card(card, "rejected")
    world.wait_thread(card, "rejected")
    shown, lines = world.card(card), world.thread(card)
    world.skip_until(lambda: is_reduced(world, 1), days=16)
    world.restart()
    world.tess.command("/pbx-cert", "status 1", world.certs)
    assert "What this said of people was removed" in world.wait_told(world.tess, "asked for by somebody")
    world.tess.command("/pbx-cert", "history", world.certs)
    assert "rejected" in world.wait_told(world.tess, "somebody, ")
    world.ben.click(card, "details")
    details = world.ben.wait_modal(callback_id="details")
    assert any("What this said of people was removed" in text for text in details.texts())
    assert (world.card(card), world.thread(card)) == (shown, lines)
    world.verify_chain()


def test_nothing_is_forgotten_unless_it_is_configured(world: World) -> None:
    """Without a time for it, everything is kept."""
    card = world.ask(world.fill_trusted)
    world.reject(card, "Not this one")
    world.wait_card(card, "rejected")
    world.clock.advance(days=3000)
    world.skip_until(lambda: len(world.slack.messages(world.audit)) > 2, days=1)
    assert not is_reduced(world, 1)
