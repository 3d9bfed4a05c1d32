"""A request that came to nothing is asked for anew, with everything filled in that the bot may still know."""

from typing import Any

import pytest

from bot.sandbox.slack.modal import Modal
from bot.store import audit, ledger
from tests.flow.test_editing import now, typed
from tests.flow.world import World

Card = dict[str, Any]


def ask_anew(world: World, card: Card) -> Modal:
    assert world.tess.click(now(world, card), "ask_anew").outcome == "acked"
    return world.tess.wait_modal(callback_id="form")


def rejected(world: World, card: Card) -> Card:
    world.reject(card, "Not this one")
    world.wait_card(card, "rejected")
    return card


def asked(world: World, form: Modal) -> Card:
    """Confirm what was checked; returns the new card."""
    before = len(world.cards())
    assert form.view["callback_id"] == "confirm", form.texts()
    form.submit()
    world.slack.wait_for(lambda: len(world.cards()) > before)
    return world.cards()[-1]


def delete_files(world: World) -> None:
    """As the requester is asked to do with a file that holds a key."""
    assert world.bot is not None
    with world.bot.store.begin() as session:
        request = ledger.load(session, 1)
    assert request is not None
    for file in request.ask.files:
        world.tess.delete_file(file.id)


def test_a_rejected_request_is_asked_anew(world: World) -> None:
    """Everything is filled in, the file is fetched from Slack again, and the new card names the old request."""
    old = rejected(world, world.ask(world.fill_trusted))
    form = ask_anew(world, old)
    told = "\n".join(form.texts())
    assert (form.title, form.value("pbx"), form.value("reason")) == ("Ask for a certificate", "hq", "The new provider's phones")
    assert "Asked anew after #1: a request of its own." in told
    assert "From #1: `corp-root.crt`" in told
    form.type("reason", "The right one, see the ticket")
    card = asked(world, world.check(form))
    assert "#2 Trusted CA certificate for hq" in world.card(card)
    assert "Asked anew after #1." in world.card(card)
    world.approve(card)
    world.wait_thread(card, "now lists `corp-root-r2.crt`")
    assert "rejected" in world.card(old)
    world.verify_chain()


@pytest.mark.parametrize("end", ["withdraw", "expire", "fail"])
def test_whatever_came_to_nothing_can_be_asked_anew(world: World, end: str) -> None:
    """Withdrawn, expired and failed requests have the button, and it leads to a request that is carried out."""
    if end == "fail":
        world.hq.trouble.refuse("certificate/create", 40001)
    card = world.ask(world.fill_trusted)
    if end == "withdraw":
        world.tess.click(card, "withdraw")
    elif end == "expire":
        world.clock.advance(hours=8, minutes=1)
    else:
        world.approve(card)
    world.wait_card(card, "[Ask anew]")
    world.hq.trouble.clear()
    new = asked(world, world.check(ask_anew(world, card)))
    world.approve(new)
    world.wait_thread(new, "now lists `corp-root-r2.crt`")


def test_a_file_that_was_deleted_is_to_be_uploaded_again(world: World) -> None:
    """Its requester did as told and deleted the file with the key: the form says so next to the files, and takes another."""
    leaf = world.leaf()
    card = rejected(world, world.ask(world.fill_import, issued=leaf))
    delete_files(world)
    form = world.check(ask_anew(world, card))
    assert form.view["callback_id"] == "form"
    told = "\n".join(form.texts())
    assert "pbx.pem could not be fetched" in told
    assert "Upload it again." in told
    assert form.value("reason") == "The old one expires"
    form.attach("files", ("again.pem", leaf.bundle_pem))
    card = asked(world, world.check(form))
    assert "again-r" in world.card(card)


def test_typed_credentials_are_to_be_typed_again(quiet: World) -> None:
    """What was typed was wiped with the request, and the form says so above its fields; provider and domain are filled in."""
    quiet.slack_lines = "allow_typed_dns_credentials = true"
    world = quiet.start()
    card = rejected(world, world.ask(lambda form: typed(world, form, AccessKeyId="LTAI-1", AccessKeySecret="secret-1")))
    form = ask_anew(world, card)
    told = "\n".join(form.texts())
    assert "The DNS credentials that you typed for #1 are not kept. Please type them again." in told
    assert (form.value("provider"), form.value("domain")) == ("alidns", "pbx.example.com")
    assert "kept; type to replace" not in told
    form.type("AccessKeyId", "LTAI-2")
    form.type("AccessKeySecret", "secret-2")
    new = asked(world, world.check(form))
    world.approve(new)
    world.let_it_be_issued()
    world.wait_thread(new, "now lists")
    given = {each["k"]: each.get("sv") for each in world.hq.certificates[0].dns.auth_info_list}  # type: ignore[union-attr]
    assert given["AccessKeySecret"] == "secret-2"


def test_nobody_else_asks_anew_for_it(world: World) -> None:
    """Whoever else presses it is told privately that only the requester can, and that is an event."""
    card = rejected(world, world.ask(world.fill_trusted))
    world.ana.click(now(world, card), "ask_anew")
    world.wait_told(world.ana, "Only @Tess Technician can ask anew for #1.")
    assert world.bot is not None
    with world.bot.store.begin() as session:
        last = audit.events_of(session, 1)[-1]
    assert (last.kind, last.actor, last.data["verdict"]) == ("refused", world.ana.id, "ask_anew")


def test_what_is_done_has_no_such_button(world: World) -> None:
    """What the PBX has is not asked for anew."""
    card = world.ask(world.fill_trusted)
    assert "[Ask anew]" not in world.card(card)
    world.approve(card)
    assert "[Ask anew]" not in world.wait_card(card, "done")


def test_a_chain_of_requests_names_the_one_before(world: World) -> None:
    """Asked anew for what was asked anew names the last one, and what a change leaves alone stays."""
    first = rejected(world, world.ask(world.fill_trusted))
    second = rejected(world, asked(world, world.check(ask_anew(world, first))))
    third = asked(world, world.check(ask_anew(world, second)))
    assert "Asked anew after #2." in world.card(third)
    assert world.tess.click(third, "edit").outcome == "acked"
    form = world.tess.wait_modal(callback_id="form")
    form.type("reason", "Changed once more")
    world.check(form).submit()
    world.wait_thread(third, "*edited*")
    assert "Asked anew after #2." in world.wait_card(third, "Changed once more")
