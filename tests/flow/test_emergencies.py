"""Breaking the glass: who is offered it, what it asks for, what happens at once, and who is told."""

import pytest

from bot.domain.events import EventKind
from bot.sandbox.slack import Person
from bot.store import agenda, audit
from bot.store.agenda import Work
from tests.flow import breaking_glass as glass
from tests.flow.test_windows import soon, window
from tests.flow.world import World


def kinds(world: World, number: int = 1) -> list[EventKind]:
    assert world.bot is not None
    with world.bot.store.begin() as session:
        return [event.kind for event in audit.events_of(session, number)]


def test_it_is_done_at_once_and_the_card_says_so(quiet: World) -> None:
    """The confirmation says plainly what will happen; then it is done without a vote, and card and thread say EMERGENCY."""
    world = glass.with_rule(quiet, quiet.tess.id).start()
    form = glass.shown(world)
    told = "\n".join(form.texts())
    assert "EMERGENCY on `hq`*: this starts at once, and nobody has to approve it." in told
    assert "Everybody whom the policy names is told now" in told
    assert "A second person has to confirm it within 1 d." in told
    assert form.view["submit"]["text"] == "Do it at once"
    form.submit()
    assert "begins at once" in "\n".join(form.texts())
    world.slack.wait_for(world.cards)
    card = world.cards()[-1]
    lines = world.wait_thread(card, "now lists")
    assert world.card(card).startswith("🚨 EMERGENCY #1 Trusted CA certificate for hq")
    assert "Nobody has confirmed this emergency yet." in world.wait_card(card, "approved, done")
    assert lines[0].startswith("🚨 *EMERGENCY*: @Tess Technician lets this be done on `hq` at once")
    assert f"> {glass.REASON}" in lines[0]
    assert "approved* as an emergency, without the approvals" in lines[1]
    assert world.hq.count("certificate/create") == 1
    happened = kinds(world)
    first = happened.index(EventKind.PENDING)
    assert happened[first : first + 3] == [EventKind.PENDING, EventKind.EMERGENCY, EventKind.APPROVED]
    assert EventKind.VOTED not in happened
    world.verify_chain()


def test_everybody_named_is_told_at_once(quiet: World) -> None:
    """Members of the group, silent approvers, those whom it escalates to and operators each get a message; nobody else does."""
    olga, head, boss = (quiet.slack.add_person(name) for name in ("Olga Operator", "Hugo Head", "Bea Boss"))
    quiet.slack_lines = f'operators = ["{olga.id}"]'
    more = f'any = [{{ of = ["{boss.id}"] }}, {{ of = ["{quiet.ana.id}"] }}]\nsilent = ["{boss.id}"]\n'
    more += f'escalate_after = "1h"\nescalate_to = ["{head.id}"]'
    world = glass.with_rule(quiet, quiet.tess.id, more=more).start()
    card = glass.declare(world)
    for person in (world.ana, world.ben, olga, head, boss):
        told = world.wait_told(person, "EMERGENCY")
        assert "@Tess Technician lets this be done on `hq` at once" in told
        assert "Confirm afterwards" in told
        assert len([text for text in world.told(person) if "EMERGENCY" in text]) == 1
    assert not any("lets this be done" in text for person in (world.tess, world.carl) for text in world.told(person))
    line = world.wait_thread(card, "EMERGENCY")[0]
    for name in ("@leads", "@Bea Boss", "@Hugo Head", "@Olga Operator"):
        assert name in line


def test_who_cannot_be_written_to_holds_up_nobody(quiet: World) -> None:
    """The first one is deactivated, and the others are told nevertheless."""
    world = glass.with_rule(quiet, quiet.tess.id).start()
    world.slack.trouble.fail("conversations.open", "user_disabled", times=1)
    glass.declare(world)
    world.slack.wait_for(lambda: _is_settled(world))
    assert sorted(_count(world, person) for person in (world.ana, world.ben)) == [0, 1]


def test_nobody_is_told_twice_by_the_next_process(quiet: World) -> None:
    """What was said to whom when the answers were lost is looked up by the next process, and each is told once."""
    world = glass.with_rule(quiet, quiet.tess.id).start()
    form = glass.shown(world)
    world.slack.trouble.fail("chat.postMessage", "internal_error", times=3, after_effect=True)
    form.submit()
    world.slack.wait_for(lambda: not world.slack.trouble.pending)
    world.restart()
    world.skip_until(lambda: all(_count(world, person) for person in (world.ana, world.ben)), seconds=20)
    world.skip_until(lambda: bool(world.cards()) and _is_settled(world), seconds=20)
    assert [_count(world, person) for person in (world.ana, world.ben)] == [1, 1]
    assert [world.count_lines(card, "*EMERGENCY*") for card in world.cards()] == [1]


def _count(world: World, person: Person) -> int:
    return sum("EMERGENCY" in text for text in world.told(person))


def _is_settled(world: World) -> bool:
    """Whether nobody is left to be told."""
    assert world.bot is not None
    with world.bot.store.begin() as session:
        return not agenda.awaits(session, Work.ALARM, 1) and "now lists" in "\n".join(world.thread(world.cards()[-1]))


# Who is offered it


def test_only_who_is_named_sees_the_box(quiet: World) -> None:
    """Carl, whom no rule names, is not asked; Tess is for hq, and not for branch."""
    world = glass.with_rule(quiet, quiet.tess.id).start()
    form = world.fill_trusted(world.open_form(world.carl))
    assert glass.BOX not in form.field_labels()
    form.close()
    form = glass.tick(world, world.fill_trusted(world.open_form()))
    form.pick("pbx", "branch")
    world.slack.wait_for(lambda: glass.BOX not in form.field_labels())
    assert glass.NAME not in form.field_labels()
    form = world.check(form)
    assert form.view["submit"]["text"] == "Ask for approval"


def test_a_member_of_the_group_is_offered_it_once_slack_has_said_so(quiet: World) -> None:
    """Opening the form costs no call; the group is read afterwards, and the box appears."""
    oncall = quiet.slack.add_group("oncall", [quiet.tess])
    world = glass.with_rule(quiet, oncall).start()
    form = world.fill_trusted(world.open_form())
    glass.offered(world, form)
    form.close()
    other = world.fill_trusted(world.open_form(world.carl))
    assert glass.BOX not in other.field_labels()
    other.close()
    card = glass.declare(world)
    world.wait_thread(card, "now lists")


def test_the_box_appears_where_only_one_pbx_can_be_meant(quiet: World) -> None:
    """In a PBX's own channel nothing has to be picked, and what was typed before the box came stays."""
    oncall = quiet.slack.add_group("oncall", [quiet.ana])
    world = glass.with_rule(quiet, oncall)
    world.policy_lines = world.policy_lines.replace('pbx = ["hq"]', 'pbx = ["branch"]')
    world.start()
    world.slack.trouble.delay("usergroups.users.list", 0.3, before=True)
    form = world.open_form(world.ana, world.branch_channel)
    form.type("Reason", "Typed before the box was there")
    glass.offered(world, form)
    assert form.value("Reason") == "Typed before the box was there"


def test_whoever_left_the_group_meanwhile_is_refused_at_the_check(quiet: World) -> None:
    """The box was offered by what was known; the check asks Slack anew and refuses next to the field."""
    oncall = quiet.slack.add_group("oncall", [quiet.tess])
    world = glass.with_rule(quiet, oncall).start()
    form = glass.fill(world)
    world.slack.set_group(oncall, [world.ben])
    world.slack.wait_for(lambda: any(d.kind == "subteam_members_changed" and d.settled for d in world.slack.deliveries))
    form = world.check(form)
    assert form.view["callback_id"] == "form"
    assert any("You are none of those who may use the emergency on hq" in text for text in form.texts()), form.texts()
    assert world.hq.count("certificate/upload") == 0


def test_the_box_that_was_ticked_stays(quiet: World) -> None:
    """Whoever left the group before they ticked it is not left with a form that changed by itself: the check says why not."""
    oncall = quiet.slack.add_group("oncall", [quiet.tess])
    world = glass.with_rule(quiet, oncall).start()
    form = glass.offered(world, world.fill_trusted(world.open_form()))
    world.slack.set_group(oncall, [world.ben])
    world.slack.wait_for(lambda: any(d.kind == "subteam_members_changed" and d.settled for d in world.slack.deliveries))
    glass.tick(world, form)
    form.type(glass.NAME, "hq")
    form.type("Reason", glass.REASON)
    form = world.check(form)
    assert form.view["callback_id"] == "form"
    assert any("You are none of those who may use the emergency on hq" in text for text in form.texts()), form.texts()


def test_whoever_left_the_group_before_the_last_click_is_refused_privately(quiet: World) -> None:
    """Who may is decided when it is declared, by a fresh membership; the refusal is an event, and nothing starts."""
    oncall = quiet.slack.add_group("oncall", [quiet.tess])
    world = glass.with_rule(quiet, oncall).start()
    form = glass.shown(world)
    world.clock.advance(minutes=5)
    world.slack.set_group(oncall, [world.ben])
    form.submit()
    world.wait_told(world.tess, "You are none of those who may use the emergency on hq")
    assert world.cards() == []
    assert kinds(world)[-1] is EventKind.REFUSED
    assert world.hq.count("certificate/upload") == 0


def test_a_guest_is_refused_whatever_the_rule_names(quiet: World) -> None:
    """Who has become a guest since the check declares nothing: slack.outsiders has the last word."""
    world = glass.with_rule(quiet, quiet.tess.id).start()
    form = glass.shown(world)
    world.clock.advance(minutes=5)
    world.slack.make_guest(world.tess)
    form.submit()
    world.wait_told(world.tess, "Guests of this workspace may not use this")
    assert world.cards() == []


def test_maintenance_windows_and_a_start_do_not_hold_it_up(quiet: World) -> None:
    """Outside the windows it begins at once; what was chosen as a start before the box was ticked is forgotten."""
    quiet.pbx_lines = f"windows = {[window(soon(quiet, days=3))]}"
    world = glass.with_rule(quiet, quiet.tess.id).start()
    form = world.fill_trusted(world.open_form())
    form.set_time("start", int(soon(quiet, days=2).timestamp()))
    glass.tick(world, form)
    assert "Start" not in form.field_labels()
    form.type(glass.NAME, "hq")
    form.type("Reason", glass.REASON)
    form = world.check(form)
    form.submit()
    world.slack.wait_for(world.cards)
    world.wait_thread(world.cards()[-1], "now lists")
    assert EventKind.SCHEDULED not in kinds(world)


def test_nothing_starts_while_slack_cannot_be_asked(quiet: World) -> None:
    """If Slack does not say who is in the group, nothing is done and the person is told to try again."""
    oncall = quiet.slack.add_group("oncall", [quiet.tess])
    world = glass.with_rule(quiet, oncall).start()
    form = glass.shown(world)
    world.clock.advance(minutes=5)
    world.slack.trouble.fail("usergroups.users.list", "internal_error", times=4)
    form.submit()
    world.wait_told(world.tess, "Slack could not be asked whether you may use the emergency")
    assert world.cards() == []


# What it asks for


@pytest.mark.parametrize("typed", ["branch", "h q", "hq2"])
def test_the_name_has_to_be_typed(quiet: World, typed: str) -> None:
    """Another name than the chosen PBX's is refused next to its field, and what was typed stays."""
    world = glass.with_rule(quiet, quiet.tess.id).start()
    form = glass.fill(world, name=typed)
    form.submit()
    assert form.errors == {
        "f0:emergency_pbx": "This is not the name of the PBX that is chosen. Type hq, or untick the emergency. [pbx_not_typed]"
    }
    assert form.value("Reason") == glass.REASON
    form.type(glass.NAME, " hq ")
    assert world.check(form).view["callback_id"] == "confirm"


def test_a_short_reason_is_refused(quiet: World) -> None:
    """An emergency says in twenty characters at least what is broken."""
    world = glass.with_rule(quiet, quiet.tess.id).start()
    form = glass.fill(world, reason="phones are down")
    form.submit()
    assert set(form.errors) == {"f0:reason"}
    assert "Say in at least 20 characters what is broken" in form.errors["f0:reason"]


def test_a_forged_box_is_refused_next_to_the_field(quiet: World) -> None:
    """Who ticks a box that they were not offered is refused, whatever else they send."""
    world = glass.with_rule(quiet, quiet.tess.id).start()
    form = world.fill_trusted(world.open_form())
    glass.tick(world, form)
    form.type(glass.NAME, "hq")
    form.type("Reason", glass.REASON)
    world.stop()
    glass.with_rule(world, world.ben.id).start()
    form.submit()
    assert form.errors == {
        "f0:emergency": "No rule of the configuration lets you have this done at once. Untick the emergency and ask for the"
        " approvals. [no_emergency]"
    }
    assert world.cards() == []


def test_a_draft_is_no_emergency_any_more_when_its_rule_has_none(quiet: World) -> None:
    """The rule of today counts beside the one of the check: it is refused, and the person is told why."""
    world = glass.with_rule(quiet, quiet.tess.id).start()
    form = glass.shown(world)
    world.stop()
    world.policy_lines = ""
    world.start()
    form.submit()
    world.wait_told(world.tess, "knows no emergency")
    assert world.cards() == []


def test_confirmed_twice_is_done_once(quiet: World) -> None:
    """The last click delivered twice declares one emergency and tells everybody once."""
    world = glass.with_rule(quiet, quiet.tess.id).start()
    form = glass.shown(world)
    sent = form.submit()
    world.slack.deliver_again(sent)
    world.slack.wait_for(world.cards)
    world.wait_thread(world.cards()[-1], "now lists")
    world.slack.deliver_again(sent)
    assert kinds(world).count(EventKind.EMERGENCY) == 1
    assert world.hq.count("certificate/create") == 1
