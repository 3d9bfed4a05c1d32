"""What the command answers in words, and the shortcut."""

from bot.sandbox.pbx import PbxSimulator
from tests.flow.world import World


def test_help_says_what_the_command_can_do(world: World) -> None:
    """Help names each form of the command, to the one who asked alone."""
    world.tess.command("/pbx-cert", "help", world.certs)
    told = world.wait_told(world.tess, "Certificates for the PBXs")
    for words in ("`/pbx-cert` opens the form", "`/pbx-cert status 42`", "`/pbx-cert list hq`", "`/pbx-cert help`"):
        assert words in told
    assert world.told(world.carl) == []


def test_an_unknown_word_is_answered_with_help(world: World) -> None:
    """A word that is nothing is repeated as a quotation that can do nothing, with the help below it."""
    world.tess.command("/pbx-cert", "`<!channel> instal", world.certs)
    told = world.wait_told(world.tess, "is nothing that this command knows")
    assert "is nothing that this command knows" in told.splitlines()[0]
    assert "`/pbx-cert` opens the form" in told
    (message,) = [one for one in world.tess.messages(world.certs) if one.get("is_ephemeral")]
    assert "<!channel>" not in message["text"]


def test_status_tells_how_a_request_stands(world: World) -> None:
    """The state, what it waits for and its events; nothing of a draft, and a word on numbers that are none."""
    card = world.ask(world.fill_trusted)
    world.tess.command("/pbx-cert", "status 1", world.certs)
    assert "*pending*: 0 of 1 approvals" in world.wait_told(world.tess, "#1 Trusted CA certificate for hq*, asked for by")
    world.approve(card)
    world.wait_thread(card, "now lists")
    world.carl.command("/pbx-cert", "status #1", world.certs)
    told = world.wait_told(world.carl, "#1 Trusted CA certificate for hq*, asked for by @Tess Technician")
    assert "Listed on `hq` as id 1" in told
    assert "@Ana Lead approved it" in told
    world.check(world.fill_trusted(world.open_form()))
    for words, answer in (("status 2", "There is no request #2."), ("status x", "Say which request"), ("status", "Say which")):
        world.ben.command("/pbx-cert", words, world.certs)
        assert world.wait_told(world.ben, answer)


def test_list_shows_what_the_pbxs_hold_now(world: World) -> None:
    """Without a name all PBXs answer; the one that is not reachable is told as such; a wrong name names the right ones."""
    world.hq.add_certificate("trusted", "old-root.crt", expires=world.clock().replace(microsecond=0))
    world.branch.make_unreachable()
    world.tess.command("/pbx-cert", "list", world.certs)
    told = world.wait_told(world.tess, "Certificates on `hq`")
    assert "*server*: 0 of 3 slots used" in told
    assert "*trusted*: 1 of 20 slots used" in told
    assert "`old-root.crt` (id 1, issued to `old-root.crt`): " in told
    assert world.wait_told(world.tess, "`branch` could not be asked: ")
    world.tess.command("/pbx-cert", "list attic", world.certs)
    assert "The bot knows `hq`, `branch`." in world.wait_told(world.tess, "There is no PBX of that name.")


def test_list_reads_every_page(quiet: World) -> None:
    """A PBX that shows four certificates a page is read until all of its 20 trusted ones are there."""
    quiet.hq.stop()
    quiet.hq = PbxSimulator("hq", now=quiet.clock, most_per_page=4).start()
    world = quiet.start()
    for number in range(20):
        world.hq.add_certificate("trusted", f"root-{number:02}.crt")
    world.tess.command("/pbx-cert", "list hq", world.certs)
    told = world.wait_told(world.tess, "Certificates on `hq`")
    assert "*trusted*: 20 of 20 slots used" in told
    assert all(f"`root-{number:02}.crt` (id {number + 1}, " in told for number in range(20))
    assert world.hq.count("certificate/list") == 5


def test_the_shortcut_asks_from_anywhere(world: World) -> None:
    """Asked for by the shortcut, which belongs to no channel, the card's link comes as a direct message."""
    world.tess.shortcut("pbx_cert")
    form = world.check(world.fill_trusted(world.tess.wait_modal(callback_id="form")))
    form.submit()
    assert "You have asked for *#1 Trusted CA certificate for hq*. The card (http" in world.wait_told(world.tess, "The card")
    assert len(world.tess.dms()) == 1
