"""The README's three worked policies through the front door: who asks, who is refused, and what comes of it."""

import re
from typing import Any

from bot.house import Waits
from bot.sandbox.slack import Person
from tests.flow.world import World
from tests.unit.policy_table import chapters, groups_of
from tests.unit.test_readme_policies import SECTION

POLICIES = {chapter.title: chapter.policy for chapter in chapters(SECTION)}
MEMBERS = groups_of(SECTION)


class Cast:
    """The README's people in a workspace, and its policies with the ids that they have there."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._people = {"Tess": world.tess, "Ana": world.ana, "Ben": world.ben, "Carl": world.carl}
        self._groups = {
            group: world.slack.add_group(group.lower(), [self[name] for name in names]) for group, names in MEMBERS.items()
        }

    def __getitem__(self, name: str) -> Person:
        if name not in self._people:
            self._people[name] = self._world.slack.add_person(name)
            for channel in (self._world.certs, self._world.branch_channel):
                self._world.slack.join(channel, self._people[name])
        return self._people[name]

    def play(self, title: str) -> World:
        """The bot under this policy. How the PBXs are reached is the world's own; what they say of approvers is kept."""
        text = re.sub(r"\b([US])0([A-Z]+)\b", self._id, POLICIES[title])
        tables = re.split(r"^(?=\[)", text, flags=re.MULTILINE)
        self._world.policy_lines = "".join(table for table in tables if table.startswith(("[[policy]]", "[[team]]")))
        self._world.slack_lines = "".join(table.partition("\n")[2] for table in tables if table.startswith("[slack]"))
        if approvers := re.search(r"^approvers = \[(.*)\]$", text, re.MULTILINE):
            self._world.approvers = tuple(re.findall(r"\w+", approvers[1]))
        return self._world.start()

    def _id(self, found: re.Match[str]) -> str:
        name = found[2].capitalize()
        return str(self._groups[name] if found[1] == "S" else self[name].id)


def comment(world: World, card: dict[str, Any], person: Person, words: str) -> None:
    person.click(card, "approve")
    form = person.wait_modal(callback_id="approve")
    form.type("reason", words)
    assert form.submit().outcome == "acked"
    world.wait_thread(card, words)


def test_a_small_team(quiet: World) -> None:
    """One of the three administrators is enough, not the one who asks, and nobody else."""
    cast = Cast(quiet)
    world = cast.play("A small team")
    card = world.ask(world.fill_import, cast["Ana"])
    assert "Still wanted: 1 of @Ben Lead or @Carl Colleague (`pbx[0]`)" in world.card(card).replace("*", "")
    world.approve(card, cast["Ana"])
    world.wait_told(cast["Ana"], "You asked for this yourself")
    world.approve(card, cast["Kim"])
    world.wait_told(cast["Kim"], "You may not decide requests for hq")
    assert world.hq.count("certificate/upload") == 0
    world.approve(card, cast["Carl"])
    world.wait_thread(card, "now lists")


def test_several_teams(quiet: World) -> None:
    """Another team's lead may not, the requester's own may, the head is not pinged; CA certificates are security's."""
    quiet.waits = Waits(rates={})  # how often a group may be read is not what this is about
    cast = Cast(quiet)
    world = cast.play("Several teams")
    card = world.ask(world.fill_import, pbx="branch")
    shown = world.card(card).replace("*", "")
    assert "Still wanted: either 1 of @Ana Lead or @Ben Lead, or 1 of those who are not pinged" in shown
    world.approve(card, cast["Lea"])
    told = "You may not decide requests for branch"
    world.slack.wait_for(lambda: any(told in text for text in world.told(cast["Lea"], world.branch_channel)))
    world.approve(card, cast["Ben"])
    world.wait_thread(card, "now lists")
    card = world.ask(world.fill_trusted)
    world.approve(card, cast["Ana"])
    world.wait_told(cast["Ana"], "You may not decide requests for hq")
    world.approve(card, cast["Sam"])
    world.wait_thread(card, "now lists")


def test_who_is_in_no_team(quiet: World) -> None:
    """Without a lead of their own, only the head is left to approve."""
    cast = Cast(quiet)
    world = cast.play("Several teams")
    card = world.ask(world.fill_import, cast["Kim"])
    world.approve(card, cast["Ana"])
    world.wait_told(cast["Ana"], "You may not decide requests for hq")
    world.approve(card, cast["Head"])
    world.wait_thread(card, "now lists")


def test_regulated(quiet: World) -> None:
    """Only technicians ask, and it takes a lead and somebody from security, each with a comment."""
    cast = Cast(quiet)
    world = cast.play("Regulated")
    form = world.check(world.fill_trusted(world.open_form(cast["Kim"])), cast["Kim"])
    assert any("You may not ask for a certificate on hq" in text for text in form.texts())
    card = world.ask(world.fill_trusted)
    comment(world, card, cast["Sam"], "The root is on our list")
    comment(world, card, cast["Sue"], "I looked at it, too")
    assert "Still wanted: 1 of @Ana Lead or @Ben Lead" in world.card(card).replace("*", "")
    assert world.hq.count("certificate/upload") == 0
    comment(world, card, cast["Ben"], "As agreed on Monday")
    world.wait_thread(card, "now lists")
    world.verify_chain()
