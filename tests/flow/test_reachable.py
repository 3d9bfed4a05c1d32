"""Nobody left who could approve: refused at the start, and found at night before it hurts."""

from datetime import timedelta

import pytest

from bot.domain.daily import next_time
from bot.domain.events import EventKind
from bot.exceptions import ConfigError
from bot.work.nightly import AT
from tests.flow.test_reload import events, in_channel, loads
from tests.flow.world import World


def next_night(world: World) -> None:
    """Put the clock forward to just past three."""
    assert world.bot is not None
    zone = world.bot.context.config.slack.timezone
    night = next_time(world.clock(), AT, zone) - world.clock()
    world.clock.advance(seconds=(night + timedelta(seconds=1)).total_seconds())


def troubles(world: World) -> list[tuple[str, bool]]:
    return [(event.data["line"], event.data["mended"]) for event in events(world, EventKind.POLICY_TROUBLE)]


def told(world: World, words: str) -> int:
    return sum(words in world.slack.read(message) for message in world.slack.messages(world.certs))


@pytest.mark.parametrize("who", ["deactivated", "guest", "nobody", "empty group", "no group"])
def test_a_start_without_approvers_is_refused(quiet: World, who: str) -> None:
    """The bot does not start; it says which rule, for which PBX, and why of each of them."""
    dora = quiet.slack.add_person("Dora", deleted=who == "deactivated", guest="multi-channel" if who == "guest" else "")
    quiet.approvers, cause = {
        "deactivated": ((dora.id,), f"{dora.id} is deactivated"),
        "guest": ((dora.id,), f"{dora.id} is a guest"),
        "nobody": (("U0NOBODY",), "U0NOBODY does not exist in this workspace"),
        "empty group": ((quiet.slack.add_group("nobody", []),), "has no member who may take part"),
        "no group": (("S0NOGROUP",), "S0NOGROUP cannot be read [no_such_subteam]"),
    }[who]
    with pytest.raises(ConfigError) as refused:
        quiet.start()
    lines = refused.value.message.splitlines()
    assert [line.split(":")[0] for line in lines] == ["pbx[0], for hq", "pbx[1], for branch"]
    assert all("cannot be approved, it lacks 1 approver of" in line and cause in line for line in lines)
    assert not quiet.slack.connected


def test_too_few_approvers_are_none(quiet: World) -> None:
    """Two approvals of a group of one can never come together."""
    one = quiet.slack.add_group("one", [quiet.ana])
    quiet.approvers, quiet.pbx_lines = (one,), "approvals = 2"
    with pytest.raises(ConfigError, match="pbx\\[0\\], for hq: what is asked for cannot be approved, it lacks 1 approver"):
        quiet.start()


def test_configured_outsiders_are_approvers(quiet: World) -> None:
    """A guest who may take part may be the only approver."""
    gil = quiet.slack.add_person("Gil", guest="multi-channel")
    quiet.slack.join(quiet.certs, gil)
    quiet.approvers, quiet.slack_lines = (gil.id,), f'outsiders = ["{gil.id}"]'
    world = quiet.start()
    card = world.ask(world.fill_trusted)
    world.approve(card, gil)
    world.wait_thread(card, "now lists")


def test_a_start_while_slack_cannot_be_asked_looks_later(quiet: World) -> None:
    """The bot starts and notes that it could not look; it does so as soon as Slack answers, and then tells what is wrong."""
    quiet.slack.deactivate(quiet.ben)
    quiet.slack.trouble.fail("users.info", status=503, times=2)
    world = quiet.start()
    (start,) = events(world, EventKind.CONFIG_LOADED)
    assert start.data["unchecked"] == "http_503"
    world.skip_until(lambda: told(world, "@Ben Lead is deactivated") > 0, seconds=5)


def test_many_approvers_leave_calls_to_who_asks(quiet: World) -> None:
    """With more approvers than Slack lets the bot ask about in a minute, whoever asks meanwhile does not wait for them all."""
    quiet.approvers = tuple(quiet.slack.add_person(f"Lead {number}").id for number in range(100))
    quiet.start()
    quiet.ask(quiet.fill_trusted)
    assert len(quiet.cards()) == 1


def test_who_leaves_is_found_at_night(world: World) -> None:
    """A deactivated approver is told of once in the operators' channel, not again the next night, and once when it is over."""
    world.slack.deactivate(world.ben)
    next_night(world)
    in_channel(world, "pbx[0], for hq: @Ben Lead is deactivated; others can still approve.")
    next_night(world)
    world.slack.deactivate(world.ana)
    next_night(world)
    in_channel(world, "pbx[1], for branch: what is asked for cannot be approved, it lacks 1 approver of @Ana Lead or @Ben Lead")
    assert told(world, "@Ben Lead is deactivated; others") == 2
    world.slack.deactivate(world.ana, deleted=False)
    next_night(world)
    in_channel(world, "This is no longer so: pbx[0], for hq: what is asked for cannot be approved")
    assert told(world, "@Ben Lead is deactivated; others") == 2
    world.slack.deactivate(world.ben, deleted=False)
    next_night(world)
    in_channel(world, "This is no longer so: pbx[1], for branch: @Ben Lead is deactivated")
    assert troubles(world) == [(f"pbx[{n}]", mended) for mended in (False, False, True, True) for n in (0, 1)]
    world.verify_chain()


def test_the_night_is_in_the_configured_time_zone(quiet: World) -> None:
    """Three o'clock is where the people live, and the next look is at the next three o'clock."""
    quiet.slack_lines = 'timezone = "Pacific/Auckland"'
    world = quiet.start()
    next_night(world)
    world.slack.deactivate(world.ben)
    next_night(world)
    in_channel(world, "@Ben Lead is deactivated")


def test_slack_in_trouble_at_night_is_asked_again(world: World) -> None:
    """What cannot be looked at now is looked at a little later, and nobody is accused meanwhile."""
    world.slack.deactivate(world.ben)
    world.slack.trouble.fail("users.info", status=503, times=3)
    next_night(world)
    world.slack.wait_for(lambda: not world.slack.trouble.pending)
    assert troubles(world) == []
    world.skip_until(lambda: told(world, "@Ben Lead is deactivated") > 0, seconds=60)


def test_a_channel_that_cannot_be_told_leaves_it_to_the_operators(quiet: World) -> None:
    """Where the bot is not in the operators' channel, each operator hears it by direct message, with the reason."""
    ops = quiet.slack.add_channel("ops", (quiet.ben,), bot=False)
    quiet.slack_lines = f'operators = ["{quiet.carl.id}"]\noperators_channel = "{ops.id}"'
    world = quiet.start()
    world.slack.deactivate(world.ben)
    next_night(world)
    assert "the bot cannot post in #ops" in world.wait_told(world.carl, "@Ben Lead is deactivated")


def test_a_reload_is_followed_by_a_look(world: World) -> None:
    """What a new configuration mends is told at once, not only at night."""
    world.slack.deactivate(world.ben)
    next_night(world)
    in_channel(world, "@Ben Lead is deactivated")
    world.approvers = (world.ana.id, world.carl.id)
    world.write_config()
    assert world.bot is not None
    world.bot.reload()
    in_channel(world, "This is no longer so: pbx[0], for hq: @Ben Lead is deactivated")
    assert loads(world)[-1] == ("config_loaded", "SIGHUP")


def test_those_on_call_are_looked_at_by_night(quiet: World) -> None:
    """A group that may have things done as an emergency and is empty is told of, and keeps nobody from starting."""
    quiet.policy_lines = f"""
[[policy]]
pbx = ["hq"]
all = [{{ of = ["{quiet.ana.id}", "{quiet.ben.id}"] }}]
emergency = {{ by = ["{quiet.slack.add_group("oncall", [])}"], confirm_within = "12h" }}
"""
    world = quiet.start()
    world.skip_until(lambda: told(world, "they cannot have anything done as an emergency") == 1, hours=2)
    assert told(world, "@oncall has no member who may take part") == 1
