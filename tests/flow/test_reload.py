"""Another configuration while the bot runs: by SIGHUP and by command, and what becomes of a faulty one."""

from datetime import time
from zoneinfo import ZoneInfo

import pytest

from bot.domain.events import Event, EventKind
from bot.store import audit
from bot.store.agenda import Work
from bot.store.tables import AgendaRow, EventRow
from tests.flow.world import World


def events(world: World, *kinds: EventKind) -> list[Event]:
    assert world.bot is not None
    with world.bot.store.begin() as session:
        rows = session.query(EventRow).filter(EventRow.kind.in_([kind.value for kind in kinds])).order_by(EventRow.id).all()
        return [audit.event_of(row) for row in rows]


def loads(world: World) -> list[tuple[str, str]]:
    """Each load and each refusal so far, with who wanted it."""
    found = events(world, EventKind.CONFIG_LOADED, EventKind.CONFIG_REFUSED)
    return [(event.kind.value, event.data["by"]) for event in found]


def reload(world: World, expect: EventKind = EventKind.CONFIG_LOADED) -> Event:
    """As SIGHUP does; returns the event that came of it."""
    assert world.bot is not None
    before = len(loads(world))
    world.write_config()
    world.bot.reload()
    world.wait_until(lambda: len(loads(world)) > before)
    last = events(world, EventKind.CONFIG_LOADED, EventKind.CONFIG_REFUSED)[-1]
    assert last.kind is expect, last.data
    return last


def in_channel(world: World, words: str) -> str:
    """The message in the operators' channel that has these words."""

    def found() -> str:
        told = [world.slack.read(message) for message in world.slack.messages(world.certs)]
        return next((text for text in told if words in text), "")

    return world.slack.wait_for(found)


def test_a_start_is_an_event(world: World) -> None:
    """Which configuration is in force from when on stands in the trail, without anything of it."""
    assert loads(world) == [("config_loaded", "start")]
    (event,) = events(world, EventKind.CONFIG_LOADED)
    assert len(event.data["hash"]) == 64
    world.verify_chain()


def test_who_may_ask_changes_at_once(world: World) -> None:
    """After the reload a person who is not named any more is told so, without a restart."""
    world.ask(world.fill_trusted, world.carl)
    world.pbx_lines = f'requesters = ["{world.tess.id}"]'
    reload(world)
    form = world.fill_trusted(world.open_form(world.carl))
    form.submit()
    assert any("You may not ask for a certificate on hq" in said for said in form.errors.values())


def test_the_channel_and_the_time_to_decide_change_at_once(world: World) -> None:
    """A new request goes to the new channel and stays open for the new time; one that was asked for before keeps its own."""
    first = world.ask(world.fill_trusted)
    world.certs, old = world.slack.add_channel("new-certs", (world.tess, world.ana)), world.certs
    world.pbx_lines = "# and another file"
    reload(world)
    card = world.ask(world.fill_trusted)
    assert (first["channel"], card["channel"]) == (old.id, world.certs.id)
    world.approve(card)
    world.wait_thread(card, "now lists")


def test_what_comes_daily_comes_at_its_new_time(world: World) -> None:
    """Another time for the daily message and another time zone move the message that is planned already."""
    assert world.bot is not None
    zone = ZoneInfo("Pacific/Auckland")
    world.slack_lines = 'digest_at = "16:30"\ntimezone = "Pacific/Auckland"'
    reload(world)
    with world.bot.store.begin() as session:
        planned = session.query(AgendaRow).filter_by(kind=Work.DIGEST.value).one().due_at
    assert planned.astimezone(zone).time() == time(16, 30)


def test_a_pbx_can_be_added_and_removed(world: World) -> None:
    """A new PBX is offered and served at once; one that is gone is not, and what waits for it cannot be approved."""
    card = world.ask(world.fill_trusted, pbx="branch")
    world.names = {"branch": "annex"}
    reload(world)
    world.approve(card)
    said = "not configured any more"
    world.slack.wait_for(lambda: any(said in told for told in world.told(world.ana, world.branch_channel)))
    again = world.ask(world.fill_trusted, pbx="annex")
    world.approve(again)
    world.wait_thread(again, "now lists")
    world.tess.command("/pbx-cert", "list branch", world.certs)
    assert "The bot knows `hq`, `annex`." in world.wait_told(world.tess, "There is no PBX of that name.")


def test_a_changed_pbx_has_another_client(world: World) -> None:
    """A wrong secret that is put right lets the bot log in again, without a restart and without Try again."""
    world.secrets["HQ_SECRET"] = "wrong"
    reload(world)
    card = world.ask(world.fill_trusted)
    world.approve(card)
    world.wait_thread(card, "does not log in to `hq` any more")
    del world.secrets["HQ_SECRET"]
    reload(world)
    world.wait_thread(card, "now lists")


@pytest.mark.parametrize(
    ("pbx_lines", "words"),
    [
        ('requesters = ["nobody"]', "pbx[0].requesters[0]: must be the id of a user"),
        ("approvals = 3", "pbx[0].approvals: asks for 3 approvals, but there are only 2 to give them"),
        ("nonsense", "is not TOML"),
    ],
)
def test_a_faulty_file_leaves_the_last_good_one(world: World, pbx_lines: str, words: str) -> None:
    """The channel of the operators hears file, key and index; the bot goes on, and a repaired file is taken."""
    world.pbx_lines = pbx_lines
    event = reload(world, EventKind.CONFIG_REFUSED)
    assert any(words in mistake for mistake in event.data["mistakes"])
    told = in_channel(world, "does not take it")
    assert words in told
    assert str(world.folder / "config.toml") in told
    card = world.ask(world.fill_trusted)
    world.approve(card)
    world.wait_thread(card, "now lists")
    world.pbx_lines = ""
    reload(world)
    world.verify_chain()


def test_what_takes_a_restart_is_refused_by_name(world: World) -> None:
    """Another database is not taken while the bot runs, and nothing else of that file is either."""
    world.database_url += ".other"
    world.pbx_lines = f'requesters = ["{world.tess.id}"]'
    event = reload(world, EventKind.CONFIG_REFUSED)
    assert event.data["mistakes"] == ["database.url: has changed, which takes a restart of the bot"]
    world.ask(world.fill_trusted, world.carl)


def test_no_secret_is_told(world: World) -> None:
    """A secret that was written into the file by mistake is named by its key alone."""
    world.pbx_lines = 'client_secret_old = "hunter2-in-the-file"'
    event = reload(world, EventKind.CONFIG_REFUSED)
    assert "hunter2" not in str(event.data)
    assert "hunter2" not in in_channel(world, "does not take it")


def test_a_configuration_without_approvers_is_refused_like_a_faulty_file(world: World) -> None:
    """Nobody is left who could approve for a PBX: the last good one stays, and the channel hears which rule and why."""
    world.slack.deactivate(world.carl)
    world.approvers = (world.carl.id,)
    event = reload(world, EventKind.CONFIG_REFUSED)
    assert any("pbx[0]" in mistake and "is deactivated" in mistake for mistake in event.data["mistakes"])
    card = world.ask(world.fill_trusted)
    world.approve(card)
    world.wait_thread(card, "now lists")


def test_operators_reload_by_command(quiet: World) -> None:
    """The operator who orders it is told by direct message that the new configuration is in force."""
    quiet.slack_lines = f'operators = ["{quiet.ben.id}"]'
    world = quiet.start()
    world.pbx_lines = f'requesters = ["{world.tess.id}"]'
    world.write_config()
    world.ben.command("/pbx-cert", "reload", world.certs)
    world.wait_told(world.ben, "The bot now reads its configuration anew")
    world.wait_told(world.ben, "now works by the new configuration")
    assert loads(world)[-1] == ("config_loaded", world.ben.id)


def test_an_operator_hears_of_a_faulty_file_too(quiet: World) -> None:
    """Who ordered it is told the mistakes by direct message, and so is the operators' channel, which can be one of its own."""
    ops = quiet.slack.add_channel("ops", (quiet.ben,))
    group = quiet.slack.add_group("operators", [quiet.ben])
    quiet.slack_lines = f'operators = ["{group}"]\noperators_channel = "{ops.id}"'
    world = quiet.start()
    world.pbx_lines = "approvals = 3"
    world.write_config()
    world.ben.command("/pbx-cert", "reload", world.certs)
    assert "pbx[0].approvals: asks for 3" in world.wait_told(world.ben, "does not take it")
    world.slack.wait_for(lambda: any("asks for 3" in world.slack.read(each) for each in world.slack.messages(ops)))
    assert not any("asks for 3" in world.slack.read(each) for each in world.slack.messages(world.certs))


def test_nobody_else_reloads_by_command(quiet: World) -> None:
    """An approver is no operator; where no operators are configured nobody is, and the answer says what to do."""
    quiet.slack_lines = f'operators = ["{quiet.ben.id}"]'
    world = quiet.start()
    world.ana.command("/pbx-cert", "reload", world.certs)
    world.wait_told(world.ana, "You may not let the bot read its configuration anew; @Ben Lead may.")
    world.slack_lines = ""
    reload(world)
    world.ben.command("/pbx-cert", "reload", world.certs)
    world.wait_told(world.ben, "send its process SIGHUP")
    assert [event.data["code"] for event in events(world, EventKind.REFUSED)] == ["not_named", "no_operators"]


def test_an_open_request_learns_of_its_new_rule(world: World) -> None:
    """The thread and the card say what it takes today and that both rules count, and once more when it is as it was before."""
    card = world.ask(world.fill_trusted)
    world.pbx_lines = "approvals = 2"
    reload(world)
    world.wait_thread(card, "today it takes 2 of @Ana Lead or @Ben Lead")
    world.wait_card(card, "The rule has changed since this was asked")
    world.approve(card, world.ana)
    world.wait_thread(card, "1 of 2 approvals")
    world.pbx_lines = ""
    reload(world)
    world.wait_thread(card, "again the one that it was asked under")
    world.slack.wait_for(lambda: "The rule has changed" not in world.card(card))
    assert [bool(event.data["today"]) for event in events(world, EventKind.RULE_CHANGED)] == [True, False]
    world.approve(card, world.ben)
    world.wait_thread(card, "now lists")
    world.verify_chain()


def test_a_configuration_that_says_the_same_changes_no_rule(world: World) -> None:
    """A rule that only stands somewhere else is the same rule; nobody is told anything."""
    card = world.ask(world.fill_trusted)
    world.policy_lines = f'[[policy]]\nkind = ["apply"]\nall = [{{ of = ["{world.ana.id}"] }}]\n'
    reload(world)
    world.pbx_lines = "approvals = 2"
    reload(world)
    world.wait_thread(card, "today it takes 2")
    assert len(events(world, EventKind.RULE_CHANGED)) == 1


def test_a_rule_that_changed_while_the_bot_was_away_is_told_at_its_start(world: World) -> None:
    """Whoever edits the file and restarts gets the same answer as who reloads."""
    card = world.ask(world.fill_trusted)
    world.stop()
    world.pbx_lines = "approvals = 2"
    world.start()
    world.wait_thread(card, "today it takes 2 of @Ana Lead or @Ben Lead")


def test_a_group_that_cannot_be_read_is_asked_for_again(quiet: World) -> None:
    """Which rule is a request's may take a group to say; while Slack does not tell it nothing is noted, and later it is."""
    techs = quiet.slack.add_group("techs", [quiet.tess])
    world = quiet.start()
    card = world.ask(world.fill_trusted)
    both = f'of = ["{world.ana.id}", "{world.ben.id}"], approvals = 2'
    world.policy_lines = f'[[policy]]\nrequester = ["{techs}"]\nall = [{{ {both} }}]\n'
    read = "usergroups.users.list"
    world.slack.trouble.fail(read, status=503, times=2)
    reload(world)
    world.skip_until(lambda: any("today it takes 2" in line for line in world.thread(card)), seconds=5)
    assert len(events(world, EventKind.RULE_CHANGED)) == 1


def test_the_message_of_the_day_moves_to_its_new_hour(quiet: World) -> None:
    """After the reload it is due at the hour that is configured now, later or earlier, and once."""
    world = quiet.start()
    for hour in (7, 21, 3):
        world.slack_lines = f'digest_at = "{hour:02}:30"'
        reload(world)
        assert world.bot is not None
        with world.bot.store.begin() as session:
            due = session.query(AgendaRow.due_at).filter_by(kind="digest").all()
        assert [(at.hour, at.minute) for (at,) in due] == [(hour, 30)]
