"""Guests, bots, deactivated people and other workspaces: turned away from asking, voting and commands, unless configured."""

import pytest

from bot.domain.events import EventKind
from bot.sandbox.slack import Person
from bot.store import audit
from bot.store.tables import EventRow
from tests.flow.world import World


def refusals(world: World) -> list[tuple[str, str, str]]:
    """Who was refused what, with the code of why."""
    assert world.bot is not None
    with world.bot.store.begin() as session:
        rows = session.query(EventRow).filter_by(kind=EventKind.REFUSED.value).order_by(EventRow.id).all()
        events = [audit.event_of(row) for row in rows]
    return [(event.actor, event.data["verdict"], event.data["code"]) for event in events]


def outsider(world: World, kind: str) -> Person:
    """Somebody in the channel who is no full member of the workspace."""
    how = {"guest": {"guest": "multi-channel"}, "single": {"guest": "single-channel"}, "stranger": {"team": "T0OTHER"}}
    person = world.slack.add_person(f"Gil {kind}", **how[kind])  # type: ignore[arg-type]
    world.slack.join(world.certs, person)
    return person


@pytest.mark.parametrize(
    ("kind", "code", "words"),
    [
        ("guest", "guest", "Guests of this workspace may not use this"),
        ("single", "guest", "Guests of this workspace may not use this"),
        ("stranger", "other_workspace", "People of other workspaces may not use this"),
    ],
)
def test_commands_and_the_shortcut_turn_outsiders_away(world: World, kind: str, code: str, words: str) -> None:
    """They are told why, by their id, the form becomes a refusal, and each attempt is an event."""
    gil = outsider(world, kind)
    for typed in ("", "list", "status 1", "help"):
        before = len(world.told(gil))
        assert gil.command("/pbx-cert", typed, world.certs).outcome == "acked"
        world.slack.wait_for(lambda before=before: len(world.told(gil)) > before)  # type: ignore[misc]
    gil.shortcut("pbx_cert")
    world.slack.wait_for(lambda: len(gil.dms()) == 1)
    assert all(words in told and gil.id in told for told in world.told(gil))
    world.slack.wait_for(lambda: [modal.title for modal in gil.modals] == ["Not for you"] * len(gil.modals))
    world.slack.wait_for(lambda: len(refusals(world)) == 5)
    assert refusals(world) == [(gil.id, "command", code)] * 4 + [(gil.id, "shortcut", code)]


def test_the_home_tab_shows_an_outsider_nothing(world: World) -> None:
    """Who may not take part reads why in place of the requests."""
    world.ask(world.fill_trusted)
    gil = outsider(world, "guest")
    gil.open_home()
    world.slack.wait_for(lambda: gil.home is not None)
    home = gil.home
    assert home is not None
    assert any("Guests of this workspace may not use this" in text for text in home.texts())
    assert not any("#1" in text for text in home.texts())


def test_an_outsider_who_has_the_form_cannot_ask(world: World) -> None:
    """Somebody who becomes a guest with the form open gets it back with the reason and all that was typed; nothing is asked."""
    form = world.fill_trusted(world.open_form())
    asked = {"user": world.tess.id}
    world.slack.wait_for(lambda: any(c.method == "users.info" and asked.items() <= c.args.items() for c in world.slack.log))
    world.slack.make_guest(world.tess)
    world.clock.advance(seconds=31)
    form = world.check(form)
    assert form.view["callback_id"] == "form"
    assert any("Guests of this workspace may not use this" in text for text in form.texts())
    assert form.value("reason") == "The new provider's phones"
    assert world.cards() == []
    assert refusals(world) == [(world.tess.id, "ask", "guest")]


@pytest.mark.parametrize(("kind", "code"), [("guest", "guest"), ("stranger", "other_workspace")])
def test_an_outsider_who_is_named_as_approver_cannot_decide(quiet: World, kind: str, code: str) -> None:
    """The rules name them; that does not make them members: neither their approval nor their rejection counts."""
    gil = outsider(quiet, kind)
    quiet.approvers = (gil.id, quiet.ana.id, quiet.ben.id)
    world = quiet.start()
    card = world.ask(world.fill_trusted)
    gil.click(card, "approve")
    world.wait_told(gil, "may not use this, so nothing was done")
    world.reject(card, "I do not like it at all", gil)
    world.slack.wait_for(lambda: len(refusals(world)) == 2)
    assert refusals(world) == [(gil.id, "approve", code), (gil.id, "reject", code)]
    assert "pending" in world.card(card)
    world.approve(card)
    world.wait_thread(card, "now lists")
    world.verify_chain()


@pytest.mark.parametrize("by_team", [False, True], ids=["by-id", "by-workspace"])
def test_configured_outsiders_take_part(quiet: World, by_team: bool) -> None:
    """Whoever is named by id, or whose workspace is, asks and approves like anybody else."""
    eve, sam = (quiet.slack.add_person(name, team="T0OTHER") for name in ("Eve Elsewhere", "Sam Elsewhere"))
    quiet.slack.join(quiet.certs, eve, sam)
    named = ["T0OTHER"] if by_team else [eve.id, sam.id]
    quiet.slack_lines = f"outsiders = {named}"
    quiet.approvers = (sam.id,)
    world = quiet.start()
    card = world.ask(world.fill_trusted, eve)
    world.approve(card, sam)
    world.wait_thread(card, "now lists")


def test_nobody_decides_whom_slack_does_not_tell_of(world: World) -> None:
    """While users.info fails nothing is approved and the person is told; once it works, the next click counts."""
    card = world.ask(world.fill_trusted)
    world.slack.trouble.fail("users.info", status=503)
    world.ana.click(card, "approve")
    world.wait_told(world.ana, "Slack could not be asked who you are, so nothing was done.")
    assert refusals(world) == [(world.ana.id, "approve", "profile_unknown")]
    assert "pending" in world.card(card)
    world.approve(card)
    world.wait_thread(card, "now lists")


def test_nobody_asks_whom_slack_does_not_tell_of(world: World) -> None:
    """The form still opens, because it shows nothing; the check says that Slack could not be asked, and nothing goes on."""
    world.slack.trouble.fail("users.info", status=503, times=2)
    form = world.check(world.fill_trusted(world.open_form()))
    assert form.view["callback_id"] == "form"
    assert any("Slack could not be asked who you are" in text for text in form.texts())
    world.check(form)
    assert form.view["callback_id"] == "confirm", form.texts()


def test_nothing_is_shown_to_whom_slack_does_not_tell_of(world: World) -> None:
    """A command that shows something is not carried out while Slack cannot be asked."""
    world.slack.trouble.fail("users.info", status=503)
    world.tess.command("/pbx-cert", "list", world.certs)
    world.wait_told(world.tess, "Slack could not be asked who you are, so nothing was done.")
    assert world.hq.count("certificate/list") == 0


def test_a_limit_of_slack_only_takes_time(world: World) -> None:
    """Where Slack only limits the calls, the check comes back by itself and the form is not shown again."""
    form = world.fill_trusted(world.open_form())
    world.clock.advance(seconds=31)
    world.slack.trouble.fail("users.info", "ratelimited", status=429, retry_after=1)
    assert form.submit().outcome == "acked"
    world.skip_until(lambda: form.view["callback_id"] == "confirm", seconds=2)
