"""Certificates by expiry in the home tab: of all PBXs, remembered for a while, and never waited for."""

from datetime import timedelta

from tests.flow.homes import ASKING, opened, part, settled, text
from tests.flow.world import World


def test_certificates_stand_in_the_order_in_which_they_expire(world: World) -> None:
    """Those of all PBXs together, the soonest first, with the days that are left."""
    for pbx, name, days in ((world.hq, "later.crt", 200), (world.branch, "soon.crt", 9), (world.hq, "gone.crt", -3)):
        pbx.add_certificate("trusted", name, expires=world.clock() + timedelta(days=days, hours=1))
    told = part(settled(world, world.carl), "Certificates by expiry")
    assert told.index("gone.crt") < told.index("soon.crt") < told.index("later.crt")
    assert "`gone.crt` on `hq`" in told
    assert "🔴 *EXPIRED*" in told
    assert "🟠 expires in 9 days" in told
    assert "expires in 200 days" in told
    assert told.count("[Ask for a new one]") == 2


def test_lists_are_remembered_for_ten_minutes(world: World) -> None:
    """Whoever opens the tab within ten minutes is shown the same lists without a call, and after that new ones; Refresh asks
    at once."""

    def listed() -> int:
        return world.hq.count("certificate/list") + world.branch.count("certificate/list")

    settled(world, world.carl)
    assert listed() == 2
    world.clock.advance(minutes=9)
    assert ASKING not in text(opened(world, world.ana))
    assert listed() == 2
    assert world.ana.home is not None
    world.ana.home.click("Refresh")
    world.hq.wait_for(lambda: listed() == 4)
    world.clock.advance(minutes=11)
    settled(world, world.carl)
    assert listed() == 6


def test_a_pbx_that_is_away_is_said_and_not_waited_for(world: World) -> None:
    """One that does not answer keeps nobody waiting: the others' certificates are shown, and why its own are not."""
    world.branch.add_certificate("trusted", "branch-root.crt")
    world.hq.trouble.drop("*", after_effect=False, times=100)
    told = part(settled(world, world.carl), "Certificates by expiry")
    assert "branch-root.crt" in told
    assert "🔌 `hq` is not shown." in told
    world.clock.advance(minutes=2)
    opened(world, world.carl)
    world.slack.wait_for(lambda: any("`hq` has not answered" in said["text"] for said in world.slack.messages(world.certs)))
    calls = len(world.hq.calls)
    told = part(opened(world, world.carl), "Certificates by expiry")
    assert "🔌 `hq` is not shown. It has not answered since" in told
    assert ASKING not in told
    assert len(world.hq.calls) == calls


def test_asking_from_the_tab(world: World) -> None:
    """Ask opens the form; beside a certificate that expires soon it opens with that PBX chosen."""
    world.branch.add_certificate("trusted", "branch-root.crt", expires=world.clock() + timedelta(days=3))
    home = settled(world, world.tess)
    home.click("Ask for a certificate")
    form = world.tess.wait_modal(callback_id="form")
    assert form.value("pbx") is None
    form.close()
    home.click("Ask for a new one")
    form = world.tess.wait_modal(callback_id="form")
    assert form.value("pbx") == "branch"
