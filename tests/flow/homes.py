"""Home tabs as people see them: opened, waited for, and read by their sections."""

import re
from collections.abc import Callable
from typing import Any

from bot.sandbox.slack import Person
from bot.sandbox.slack.modal import Modal
from tests.flow.world import World

ASKING = "Being asked"


def ask(world: World, fill: Callable[..., Modal], person: Person | None = None, **how: Any) -> dict[str, Any]:
    """Ask; the card, once the bot knows that it is there."""
    card = world.ask(fill, person, **how)
    number = card["blocks"][0]["text"]["text"].split()[0]
    world.wait_told(person or world.tess, f"You have asked for *{number} ")
    return card


def hold(world: World, card: dict[str, Any]) -> None:
    """Have it approved, by somebody who may, and let the PBX be too busy for it."""
    world.hq.trouble.refuse("certificate/create", 70082, times=100)
    world.approve(card)
    world.wait_card(card, "approved, waiting")


def opened(world: World, person: Person) -> Modal:
    """Their tab, once it is painted for this opening: the first paint after an act bears no hash."""

    before = len(world.slack.log)
    delivery = person.open_home()
    assert delivery is not None
    assert delivery.outcome == "acked"

    def painted() -> bool:
        calls = [call for call in world.slack.log[before:] if call.method == "views.publish"]
        return any(call.ok and call.args["user_id"] == person.id and not call.args.get("hash") for call in calls)

    world.slack.wait_for(painted)
    assert person.home is not None
    return person.home


def settled(world: World, person: Person) -> Modal:
    """The same, once every PBX has answered and every card's link is known."""
    home = opened(world, person)

    def is_settled() -> bool:
        blocks = home.view["blocks"]
        entries = [block for block in blocks if re.fullmatch(r"[a-z-]+:[0-9]+", block["block_id"])]
        return ASKING not in text(home) and len(entries) == len(links(home))

    world.slack.wait_for(is_settled)
    return home


def links(home: Modal) -> list[str]:
    """Where its buttons to the cards lead."""
    elements = [element for block in home.view["blocks"] for element in block.get("elements", [])]
    return [element["url"] for element in elements if element.get("action_id") == "home_card"]


def text(home: Modal) -> str:
    return "\n".join(home.texts())


def part(home: Modal, title: str) -> str:
    """What stands under one of its headings."""
    titles = ("Waiting for me", "My requests", "Running", "Certificates by expiry")
    whole = text(home)
    begin, ends = whole.index(f"{title}\n"), [whole.find(f"\n{each}\n") for each in titles]
    return whole[begin : min((end for end in ends if end > begin), default=len(whole))]


def wait_part(world: World, person: Person, title: str, words: str) -> str:
    home = person.home
    assert home is not None
    world.slack.wait_for(lambda: words in part(home, title))
    return part(home, title)
