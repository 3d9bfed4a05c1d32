"""What the check finds risky stands on the card, in the form to confirm, and in the details."""

from typing import Any

from bot.sandbox.pki import Issued, make_key
from bot.sandbox.slack.modal import Modal
from tests.flow.world import World

NOT_COVERING = "not covering (it does not cover the PBX's own host)"


def shown(world: World, card: dict[str, Any]) -> str:
    """What the card says of risks; "" for none."""
    return next((line for line in world.card(card).splitlines() if "Risks*" in line), "").partition("*: ")[2]


def bring(world: World, issued: Issued, pbx: str = "hq") -> dict[str, Any]:
    def fill(form: Modal) -> Modal:
        return world.fill_import(form, issued, pbx=pbx)

    return world.ask(fill)


def test_an_ordinary_ca_has_no_risk(world: World) -> None:
    """A sound CA brings no line about risks."""
    assert shown(world, world.ask(world.fill_trusted)) == ""


def test_a_wildcard_that_leaves_out_the_pbx(world: World) -> None:
    """A wildcard for another domain is two risks, told with their meaning on the card, to the requester, and in the details."""
    form = world.check(world.fill_apply(world.open_form(), "*.example.com"))
    assert any("Risks*: wildcard (it is valid for every host below a domain)" in text for text in form.texts())
    form.submit()
    world.slack.wait_for(lambda: world.cards())
    (card,) = world.cards()
    assert shown(world, card) == f"wildcard (it is valid for every host below a domain), {NOT_COVERING}"
    world.ana.click(card, "details")
    details = world.ana.wait_modal(callback_id="details")
    assert any("it is valid for every host below a domain" in text for text in details.texts())


def test_a_weak_key_and_a_long_life(quiet: World) -> None:
    """A small key and a life beyond the configured limit are risks of their own."""
    world = quiet.start()
    weak = world.root.issue("pbx.example.com", sans=["pbx.example.com"], key="rsa1024", days=500)
    assert shown(world, bring(world, weak)) == (
        "weak key (a key or signature is weaker than clients accept), long validity (it is valid for longer than the limit), "
        + NOT_COVERING
    )


def test_a_certificate_for_the_pbx_itself(world: World) -> None:
    """One that covers the address under which the bot reaches the PBX leaves nothing out."""
    assert shown(world, bring(world, world.root.issue("hq", sans=["localhost", "hq.example.com"]))) == ""


def test_one_key_for_two_pbxs(world: World) -> None:
    """A key that came with a request for another PBX is named with that request; the same certificate again is no news."""
    issued = world.root.issue("pbx", sans=["localhost"], key=make_key())
    first = bring(world, issued)
    assert shown(world, first) == ""
    assert shown(world, bring(world, issued)) == ""
    shared = bring(world, issued, pbx="branch")
    assert shown(world, shared) == "shared key (its private key is in use for something else, too)"
    assert "Its private key came with #1 for hq, #2 for hq as well." in world.card(shared)


def test_one_key_for_two_certificates(world: World) -> None:
    """So is a key that came with another certificate for the same PBX, also after that request was withdrawn."""
    key = make_key()
    first = bring(world, world.root.issue("pbx", sans=["localhost"], key=key))
    world.tess.click(first, "withdraw")
    world.wait_thread(first, "*withdrawn*")
    second = bring(world, world.root.issue("pbx", sans=["localhost"], key=key))
    assert "shared key" in shown(world, second)
    assert "Its private key came with #1 for hq as well." in world.card(second)


def test_the_last_slot(world: World) -> None:
    """The third server certificate takes the last slot."""
    for number in range(2):
        card = bring(world, world.root.issue(f"pbx{number}", sans=["localhost"]))
        assert shown(world, card) == ""
        world.approve(card)
        world.wait_thread(card, "now lists")
    last = bring(world, world.root.issue("pbx3", sans=["localhost"]))
    assert shown(world, last) == "last slot (it takes the last free slot)"
