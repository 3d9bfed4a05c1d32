"""How a person breaks the glass, for the tests of what follows."""

from typing import Any

from bot.sandbox.slack import Person
from bot.sandbox.slack.modal import Modal
from bot.sandbox.slack.records import Delivery
from tests.flow.world import World

REASON = "No phone in hq trusts the new trunk since eight"
BOX, NAME = "Emergency", "Name of the PBX"


def with_rule(world: World, *by: str, more: str = "", confirm_within: str = "24h") -> World:
    """hq's rule lets these people do it at once; branch has no such rule. Everybody has an own channel of operators."""
    people = ", ".join(f'"{each}"' for each in by)
    world.policy_lines = f"""
[[policy]]
name = "hq"
pbx = ["hq"]
all = [{{ of = ["{world.leads}"] }}]
emergency = {{ by = [{people}], confirm_within = "{confirm_within}" }}
{more}
"""
    return world


def offered(world: World, form: Modal) -> Modal:
    """Wait for the box."""
    world.slack.wait_for(lambda: BOX in form.field_labels())
    return form


def tick(world: World, form: Modal) -> Modal:
    """Tick the box, and wait for what has to be typed."""
    offered(world, form).check(BOX, "1")
    world.slack.wait_for(lambda: NAME in form.field_labels())
    return form


def fill(world: World, person: Person | None = None, name: str = "HQ", reason: str = REASON) -> Modal:
    """The whole form of an emergency, ready to be submitted."""
    form = tick(world, world.fill_trusted(world.open_form(person)))
    form.type(NAME, name)
    form.type("Reason", reason)
    return form


def shown(world: World, person: Person | None = None) -> Modal:
    """What the requester has to confirm."""
    form = world.check(fill(world, person))
    assert form.view["callback_id"] == "confirm", form.texts()
    return form


def declare(world: World, person: Person | None = None) -> dict[str, Any]:
    """Break the glass; returns the card."""
    before = len(world.cards())
    assert shown(world, person).submit().outcome == "acked"
    world.slack.wait_for(lambda: len(world.cards()) > before)
    return world.cards()[-1]


def press(world: World, person: Person, message: dict[str, Any], button: str, text: str = "") -> Delivery:
    """Confirm afterwards or object, from any message that has the buttons."""
    person.click(dict(message), button)
    modal = person.wait_modal(callback_id=button)
    if text:
        modal.type("reason", text)
    return modal.submit()


def confirm(world: World, person: Person, message: dict[str, Any], comment: str = "") -> Delivery:
    return press(world, person, message, "confirm_afterwards", comment)


def object_to(world: World, person: Person, message: dict[str, Any], reason: str) -> Delivery:
    return press(world, person, message, "object_afterwards", reason)
