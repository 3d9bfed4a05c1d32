"""Each kind of request, from the command to the certificate on the PBX."""

from tests.flow.world import World


def test_a_trusted_ca_is_asked_for_approved_and_installed(world: World) -> None:
    """A trusted CA goes from the form through one approval to the PBX's list, and the thread tells each step."""
    card = world.ask(world.fill_trusted)
    world.approve(card)
    lines = world.wait_thread(card, "now lists")
    print("\n".join(lines))
    print(world.card(card))
    assert [one.name for one in world.hq.certificates] == ["corp-root-r1.crt"]
    world.verify_chain()
