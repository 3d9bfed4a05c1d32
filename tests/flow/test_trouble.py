"""What the PBX cannot do: no room, not issued, not there. The thread tells it in words, and nothing is done twice."""

from pathlib import Path

from tests.flow.world import World


def fill_up(world: World, kind: str = "server") -> list[int]:
    """Another administrator takes every slot; their ids."""
    slots = {"server": 3, "trusted": 20}[kind]
    return [world.hq.add_certificate(kind, f"by-hand-{n}.pem", issue_to=f"by-hand-{n}.example.org") for n in range(slots)]


def test_a_full_pbx_is_shown_before_and_fails_truthfully(world: World) -> None:
    """3 of 3 stands on the card as a warning; approved all the same, the request fails in words and sends nothing."""
    fill_up(world)
    card = world.ask(world.fill_import)
    assert "3 of 3 server slots are used: the PBX is full." in world.card(card)
    world.approve(card)
    line = world.wait_thread(card, "*failed*")[-1]
    assert "hq already holds 3 of 3 server certificates, so nothing was sent." in line
    assert "Delete one there" in line
    assert "@Tess Technician, @Ana Lead" in line
    assert "failed" in world.wait_card(card, "failed")
    assert world.hq.count("certificate/upload") == world.hq.count("certificate/create") == 0
    assert len(world.hq.certificates) == 3
    world.verify_chain()


def test_a_slot_that_was_freed_meanwhile_is_used(world: World) -> None:
    """Full when it was asked, free when it was approved: it is done."""
    ids = fill_up(world)
    card = world.ask(world.fill_import)
    assert "3 of 3" in world.card(card)
    world.hq.remove_certificate(ids[0])
    world.approve(card)
    lines = world.wait_thread(card, "now lists")
    assert any("has room: 2 of 3 server slots are used" in line for line in lines)


def test_the_last_trusted_slot_is_told(world: World) -> None:
    """With 20 of 20 trusted certificates a trusted CA fails, while the server slots do not matter."""
    fill_up(world, "trusted")
    card = world.ask(world.fill_trusted)
    assert "20 of 20 trusted slots are used" in world.card(card)
    world.approve(card)
    assert "already holds 20 of 20 trusted certificates" in world.wait_thread(card, "*failed*")[-1]


def test_a_slot_that_was_taken_after_the_look_fails_in_words(world: World) -> None:
    """If the PBX itself says that it is full, the thread says so with its code."""
    world.hq.trouble.refuse("certificate/create", 60002, "MAX LIMITATION EXCEEDED")
    card = world.ask(world.fill_trusted)
    world.approve(card)
    line = world.wait_thread(card, "*failed*")[-1]
    assert "it has no room for another one" in line
    assert line.count("60002 MAX LIMITATION EXCEEDED") == 1


def test_an_application_that_is_refused_is_told_with_its_code(world: World) -> None:
    """issuance_fail ends in failed, with apply_tip_code and the word that the entry stays on the PBX and takes a slot."""
    world.hq.dns.fail("pbx.example.com", 7)
    card = world.ask(world.fill_apply)
    world.approve(card)
    world.wait_thread(card, "*waiting*")
    world.skip_until(lambda: bool(world.count_lines(card, "*failed*")), seconds=5)
    line = world.thread(card)[-1]
    assert "hq applied for pbx.example.com and was refused" in line
    assert "apply_tip_code 7" in line
    assert "stays in the PBX's list and takes a slot" in line
    assert "@Tess Technician, @Ana Lead" in line
    assert [one.apply_status for one in world.hq.certificates] == ["issuance_fail"]
    assert world.hq.count("certificate/create") == 1
    world.verify_chain()


def test_wrong_dns_credentials_end_in_the_same_way(world: World) -> None:
    """Credentials that the DNS provider does not take end in failed, and are not repeated in the thread."""
    world.hq.dns.credentials("alidns", {"AccessKeyId": "another"})
    card = world.ask(world.fill_apply)
    world.approve(card)
    world.wait_thread(card, "*waiting*")
    world.skip_until(lambda: bool(world.count_lines(card, "*failed*")), seconds=5)
    assert "apply_tip_code 2" in world.thread(card)[-1]


def test_a_pbx_that_cannot_be_reached_can_still_be_asked_for(world: World) -> None:
    """At the check the evidence says unknown and why; back again after the approval, the request is done."""
    world.hq.make_unreachable()
    card = world.ask(world.fill_trusted)
    shown = world.card(card)
    assert "It is not known how many of the 20 trusted slots are used." in shown
    assert "nothing answers there" in shown
    world.hq.reachable()
    world.approve(card)
    world.wait_thread(card, "now lists")


def test_a_pbx_that_comes_back_is_waited_for(world: World) -> None:
    """Away when it is approved: the thread is told once, however often it is tried, and then it is done."""
    card = world.ask(world.fill_trusted)
    world.hq.make_unreachable()
    world.approve(card)
    lines = world.wait_thread(card, "will try again by itself")
    assert "nothing answers there" in lines[-1]
    for _ in range(5):
        world.clock.advance(minutes=2)
    world.wait_card(card, "waiting")
    world.hq.reachable()
    world.skip_until(lambda: bool(world.count_lines(card, "now lists")), minutes=1)
    assert world.count_lines(card, "will try again by itself") == 1
    assert len(world.hq.certificates) == 1
    world.verify_chain()


def test_a_pbx_that_stays_away_is_given_up(world: World) -> None:
    """Away for longer than the bot's patience: the request fails in words, and nothing happens when the PBX is back."""
    card = world.ask(world.fill_trusted)
    world.hq.make_unreachable()
    world.approve(card)
    world.wait_thread(card, "will try again by itself")
    world.skip_until(lambda: bool(world.count_lines(card, "*failed*")), minutes=61)
    line = world.thread(card)[-1]
    assert "nothing answers there" in line
    assert "@Tess Technician" in line
    world.hq.reachable()
    world.clock.advance(hours=1)
    world.ask(world.fill_trusted, pbx="branch")
    assert world.hq.certificates == []
    assert world.hq.count("certificate/upload") == 0
    world.verify_chain()


def test_an_outage_in_the_middle_of_issuing_is_survived(world: World) -> None:
    """Away while it issues, and back: the same application is followed to its end."""
    card = world.ask(world.fill_apply)
    world.approve(card)
    world.wait_thread(card, "*waiting*")
    world.hq.make_unreachable()
    world.skip_until(lambda: bool(world.count_lines(card, "will try again by itself")), seconds=30)
    world.hq.reachable()
    world.skip_until(lambda: bool(world.count_lines(card, "now lists")), seconds=30)
    assert world.hq.count("certificate/create") == 1


def test_each_outage_of_a_long_issuing_has_its_own_patience(tmp_path: Path) -> None:
    """Two short outages more than an hour apart are not one long one: the request goes on."""
    world = World(tmp_path, issuance_polls=10_000)
    try:
        world.start()
        card = world.ask(world.fill_apply)
        world.approve(card)
        world.wait_thread(card, "*waiting*")
        world.hq.trouble.html("certificate/list")
        world.skip_until(lambda: bool(world.count_lines(card, "will try again by itself")), seconds=31)
        looks(world, 2, seconds=31)
        world.clock.advance(minutes=70)
        world.hq.trouble.html("certificate/list")
        looks(world, 3, seconds=31)
        world.wait_card(card, "approved, waiting")
        assert not world.count_lines(card, "*unknown*")
    finally:
        world.close()


def looks(world: World, more: int, seconds: float) -> None:
    """Let time pass until the PBX was asked for its list so many times more."""
    wanted = world.hq.count("certificate/list") + more
    world.skip_until(lambda: world.hq.count("certificate/list") >= wanted, seconds=seconds)
