"""The home tab on the sandbox's page: seen, followed, acted in, and used by keys alone."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.client import Client
from tests.browser.conftest import Open
from tests.browser.test_access import findings
from tests.browser.test_keyboard import tab_to
from tests.flow.world import World


def ask(world: World, times: int = 1) -> None:
    """By Tess, who closes her windows afterwards."""
    for _ in range(times):
        world.ask(world.fill_trusted)
        world.tess.modals[-1].close()
    world.wait_told(world.tess, f"You have asked for *#{times} ")


def home(client: Client) -> Locator:
    """The tab, once its PBXs have answered."""
    shown = client.page.get_by_role("region", name="Home")
    expect(shown).to_contain_text("Listed:")
    expect(shown).not_to_contain_text("Being asked")
    return shown


def test_what_waits_leads_to_its_card(open_page: Open, world: World) -> None:
    """Ana opens her home, sees what waits for her, follows it to the card and approves there; then nothing waits."""
    ask(world)
    client = open_page("Ana Lead")
    client.open_home()
    shown = home(client)
    expect(shown).to_contain_text("#1 Trusted CA certificate for hq")
    expect(shown.get_by_role("button", name=re.compile("Approve"))).to_have_count(0)
    shown.get_by_role("button", name="Decide on its card").click()
    expect(client.thread.get_by_role("heading", name="#1 Trusted CA certificate for hq")).to_be_visible()
    client.thread.get_by_role("button", name="Approve", exact=True).click()
    client.page.locator("#confirm").get_by_role("button", name="Approve", exact=True).click()
    client.thread_says("now lists")
    client.open_home()
    expect(home(client)).to_contain_text("Nothing waits for your approval.")
    expect(home(client)).to_contain_text("corp-root-r1.crt")


def test_withdrawing_from_home(open_page: Open, world: World) -> None:
    """Tess withdraws in her home after a question, and sees it there at once; Ana's home, opened next, has nothing waiting."""
    ask(world)
    client = open_page()
    client.open_home()
    home(client).get_by_role("button", name="Withdraw").click()
    client.page.locator("#confirm").get_by_role("button", name="Withdraw", exact=True).click()
    expect(home(client)).to_contain_text("withdrawn")
    expect(home(client).get_by_role("button", name="Withdraw")).to_have_count(0)
    client.act_as("Ana Lead")
    expect(home(client)).to_contain_text("Nothing waits for your approval.")
    expect(home(client)).to_contain_text("You have not asked for anything yet.")


def test_pages_and_the_form(open_page: Open, world: World) -> None:
    """More and Back turn the page of one section; Ask opens the form over the tab, and Escape leads back to the button."""
    ask(world, 9)
    client = open_page("Ben Lead")
    client.open_home()
    shown = home(client)
    expect(shown).not_to_contain_text("#9 Trusted")
    shown.get_by_role("button", name="More", exact=True).click()
    expect(shown).to_contain_text("#9 Trusted")
    expect(shown).not_to_contain_text("#1 Trusted")
    shown.get_by_role("button", name="Back to the first").click()
    expect(shown).to_contain_text("#1 Trusted")
    shown.get_by_role("button", name="Ask for a certificate").click()
    client.titled("Ask for a certificate")
    client.page.keyboard.press("Escape")
    expect(client.dialog).not_to_be_visible()
    expect(shown.get_by_role("button", name="Ask for a certificate")).to_be_focused()


def test_home_without_a_pointer(open_page: Open, world: World) -> None:
    """Tab leads from the tab's button through the home; Refresh keeps the focus when the tab is painted anew, and following a
    card leads into its thread."""
    ask(world)
    client = open_page("Ana Lead")
    client.conversation("PBX certificates")
    keyboard, page = client.page.keyboard, client.page
    page.get_by_role("button", name="Home", exact=True).focus()
    keyboard.press("Enter")
    shown = home(client)
    expect(page.get_by_role("button", name="Home", exact=True)).to_be_focused()
    tab_to(client, "Refresh")
    world.hq.add_certificate("trusted", "added-meanwhile.crt")
    world.clock.advance(seconds=10)
    keyboard.press("Enter")
    expect(shown).to_contain_text("added-meanwhile.crt")
    expect(shown.get_by_role("button", name="Refresh")).to_be_focused()
    tab_to(client, "Decide on its card")
    keyboard.press("Enter")
    expect(client.thread.get_by_role("button", name="Close thread")).to_be_focused()


def test_a_reload_stays_at_home(open_page: Open, world: World) -> None:
    """Who reloads the page at home is there again, and the app was told that they came."""
    client = open_page("Ana Lead")
    client.open_home()
    home(client)
    before = sum(delivery.kind == "app_home_opened" for delivery in world.slack.deliveries)
    client.page.reload()
    home(client)
    world.slack.wait_for(lambda: sum(one.kind == "app_home_opened" for one in world.slack.deliveries) == before + 1)


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False)], ids=["light", "dark", "narrow"])
def test_no_serious_findings_at_home(open_page: Open, world: World, width: int, dark: bool) -> None:
    """axe finds nothing serious in a home with something in each section, wide and narrow, light and dark."""
    world.hq.add_certificate("trusted", "old-root.crt", expires=world.clock())
    ask(world, 2)
    client = open_page("Ana Lead", width=width, dark=dark)
    client.open_home()
    expect(home(client).get_by_role("button", name="Decide on its card")).to_have_count(2)
    assert findings(client) == []
