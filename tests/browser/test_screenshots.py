"""The pictures of the README: `make screenshots` writes them to docs/screenshots, otherwise they are thrown away."""

import os
import re
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.flow.world import World


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = Path(os.environ.get("SCREENSHOTS", tmp_path))
    made.mkdir(parents=True, exist_ok=True)
    return made


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_pictures_of_a_request(open_page: Open, folder: Path, dark: bool) -> None:
    """The modal, the card with its evidence, the thread and the PBX's panel can be photographed in one run."""
    client = open_page(dark=dark)
    suffix = "-dark" if dark else ""
    client.open_form()
    client.fill_apply()
    client.shot(folder / f"modal{suffix}.png")
    client.send()
    client.act_as("Ana Lead")
    expect(client.card.get_by_role("button", name="Approve")).to_be_visible()
    client.shot(folder / f"card{suffix}.png")
    client.approve()
    client.open_thread()
    client.forward_until(client.pbx().get_by_text("· until"))
    client.thread_says("now lists")
    client.shot(folder / f"thread{suffix}.png")
    client.pbx().screenshot(path=folder / f"pbx{suffix}.png")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_picture_of_a_home(open_page: Open, world: World, folder: Path, dark: bool) -> None:
    """A lead's home tab with something in each of its sections."""
    for pbx, name, days in (
        (world.hq, "old-root.crt", 9),
        (world.branch, "sip-carrier.crt", 62),
        (world.hq, "hq-2027.crt", 240),
    ):
        pbx.add_certificate("trusted", name, expires=world.clock() + timedelta(days=days, hours=1))
    card = world.ask(world.fill_apply)
    world.ask(world.fill_trusted)
    world.ask(world.fill_import, world.ana, pbx="branch")
    world.wait_told(world.ana, "You have asked for *#3 ")
    for person in (world.tess, world.ana):
        for modal in reversed(person.modals):
            modal.close()
    client = open_page("Ana Lead", height=1000, dark=dark)
    world.hq.trouble.refuse("certificate/create", 70082, times=100)
    world.approve(card, world.ben)
    world.wait_card(card, "approved, waiting")
    client.open_home()
    home = client.page.get_by_role("region", name="Home")
    expect(home).to_contain_text("expires in 62 days")
    expect(home).to_contain_text("expires in 240 days")
    expect(home.get_by_role("button", name=re.compile("its card"))).to_have_count(3)
    client.shot(folder / f"home{'-dark' if dark else ''}.png")


def test_the_pictures_on_a_telephone(open_page: Open, folder: Path) -> None:
    """The same page at 390 pixels: the form, and the panel of a PBX in trouble."""
    client = open_page(width=390)
    client.open_form()
    client.fill_import()
    client.shot(folder / "narrow-modal.png")
    client.send()
    client.act_as("Ana Lead")
    expect(client.card.get_by_role("button", name="Approve")).to_be_visible()
    client.shot(folder / "narrow-card.png")
    client.pane("PBXs")
    client.pbx().get_by_role("switch", name="Full").click()
    expect(client.pbx()).to_contain_text("3 of 3")
    client.shot(folder / "narrow-pbx.png")
