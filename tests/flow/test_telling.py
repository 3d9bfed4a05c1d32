"""Who is told what, and where: the card's link, Details, the outcome."""

from bot.sandbox.pki import Authority
from bot.sandbox.slack.modal import Modal
from tests.flow.world import World


def test_the_link_is_told_where_it_was_asked(world: World) -> None:
    """The requester gets the card's link in the channel where they typed the command, and only they see it."""
    card = world.ask(world.fill_trusted)
    world.wait_told(world.tess, "You have asked for")
    seen = [m for m in world.tess.messages(world.certs) if m.get("is_ephemeral")]
    assert len(seen) == 1
    assert card["ts"].replace(".", "") in world.slack.read(seen[0])
    assert world.tess.dms() == []
    assert world.told(world.ana) == []
    assert world.slack.messages(world.certs, viewer=world.ana)[-1]["ts"] == card["ts"]


def test_after_the_shortcut_the_link_comes_as_a_direct_message(world: World) -> None:
    """The shortcut has no channel, so the link is told by direct message, once."""
    world.tess.shortcut("pbx_cert")
    form = world.check(world.fill_trusted(world.tess.wait_modal(callback_id="form")))
    form.submit()
    world.slack.wait_for(lambda: len(world.tess.dms()) == 1)
    card = world.cards()[0]
    said = world.slack.read(world.tess.dms()[0])
    assert "You have asked for" in said
    assert card["ts"].replace(".", "") in said
    world.approve(card)
    world.wait_thread(card, "now lists")
    world.wait_card(card, "done")
    assert len(world.tess.dms()) == 1, "they are in the card's channel, so the thread tells them the outcome"


def test_a_link_that_cannot_be_answered_comes_as_a_direct_message(world: World) -> None:
    """If Slack does not take the private answer, the link comes by direct message instead."""
    world.slack.trouble.fail("response_url", status=500, times=1)
    world.ask(world.fill_trusted)
    world.slack.wait_for(lambda: world.tess.dms())
    assert "You have asked for" in world.slack.read(world.tess.dms()[0])


def test_the_outcome_reaches_a_requester_who_is_not_in_the_channel(world: World) -> None:
    """A requester who is not in the card's channel hears by direct message how it ended, once, with the link."""
    card = world.ask(world.fill_trusted, pbx="branch")
    assert card["channel"] == world.branch_channel.id
    world.approve(card)
    world.wait_thread(card, "now lists")
    said = world.wait_told(world.tess, "The thread")
    assert "corp-root-r1.crt" in said
    assert "done" in said
    assert card["ts"].replace(".", "") in said
    assert [one.name for one in world.branch.certificates] == ["corp-root-r1.crt"]


def test_a_rejection_reaches_a_requester_who_is_not_in_the_channel(world: World) -> None:
    """They also hear of a rejection, with its reason."""
    card = world.ask(world.fill_trusted, pbx="branch")
    world.reject(card, "The branch keeps its old one")
    said = world.wait_told(world.tess, "The thread")
    assert "rejected" in said
    assert "The branch keeps its old one" in said


def test_an_expiry_reaches_a_requester_who_is_not_in_the_channel(world: World) -> None:
    """They also hear that nobody decided."""
    world.ask(world.fill_trusted, pbx="branch")
    world.clock.advance(hours=8, minutes=1)
    assert "expired" in world.wait_told(world.tess, "The thread")


def test_details_show_what_the_card_has_no_room_for(world: World) -> None:
    """A certificate for 300 long names: the card says how many are missing, Details shows all of them, page by page."""
    names = [f"host-{number:03}.{'a-long-name' * 5}.{'of-a-branch' * 5}.example.com" for number in range(300)]
    chain = Authority.make("Flow Big Root").intermediate("Flow Big Issuer")
    issued = chain.issue("branches", sans=names)
    card = world.ask(lambda form: world.fill_import(form, issued))
    shown = world.card(card)
    assert "+ 294 more: Details" in shown
    assert names[100] not in shown
    assert world.carl.click(card, "details").outcome == "acked"
    modal = world.carl.wait_modal(callback_id="details")
    read, pages = _all_pages(world, modal)
    assert all(name in read for name in names)
    assert pages > 1
    assert "Digest of what is approved" in read
    assert issued.fingerprint.upper().replace(":", "") in read.replace(":", "").upper()
    assert issued.key_pem.decode() not in read
    assert "PRIVATE KEY" not in read


def _all_pages(world: World, modal: Modal) -> tuple[str, int]:
    """Everything that its pages say, and how many there are."""
    read, page = "\n".join(modal.texts()), 1
    while any(f"[Next: page {page + 1}]" in text for text in modal.texts()):
        page += 1
        modal.click(f"Next: page {page}")
        world.slack.wait_for(lambda: any(f"Page {page} of" in text for text in modal.texts()))  # noqa: B023 - waited for here
        read += "\n".join(modal.texts())
    return read, page


def test_details_stay_after_the_end(world: World) -> None:
    """Details can still be opened when a request has ended, and name who approved."""
    card = world.ask(world.fill_trusted)
    world.approve(card)
    world.wait_card(card, "done")
    world.ben.click(card, "details")
    read = "\n".join(world.ben.wait_modal(callback_id="details").texts())
    assert "*approve* by @Ana Lead" in read
    assert "Listed on hq" in read.replace("`", "")
