"""What axe-core finds in the main states of the page, in light and dark, wide and narrow."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.client import Client
from tests.browser.conftest import Open

SERIOUS = ("serious", "critical")


def findings(client: Client) -> list[str]:
    """Serious and critical ones, each with the element at fault."""
    found = Axe().run(client.page).response["violations"]
    return [
        f"{one['id']}: {node['html'][:160]} {node['failureSummary'][:300]}"
        for one in found
        for node in one["nodes"]
        if one["impact"] in SERIOUS
    ]


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False)], ids=["light", "dark", "narrow"])
def test_no_serious_findings_in_the_main_states(open_page: Open, width: int, dark: bool) -> None:
    """Conversation, form, form with errors, list of options, evidence, confirmation, thread and panel have none."""
    client = open_page(width=width, dark=dark)
    assert findings(client) == []
    client.open_form()
    assert findings(client) == []
    client.press("Check")
    expect(client.dialog.locator(".error").first).to_be_visible()
    client.dialog.get_by_role("combobox", name="PBX").click()
    expect(client.dialog.get_by_role("option").first).to_be_visible()
    assert findings(client) == []
    client.dialog.get_by_role("option", name="hq").click()
    client.attach_sample("telecom-root.crt")
    client.say_why("To be looked at closely")
    client.check()
    assert findings(client) == []
    client.press("Ask for approval")
    client.titled("Asked")
    client.dialog.locator("footer").get_by_role("button", name="Close").click()
    client.approve()
    client.told("You asked for this yourself")
    assert findings(client) == []
    client.act_as("Ana Lead")
    client.on_card("Approve")
    expect(client.page.locator("#confirm")).to_be_visible()
    assert findings(client) == []
    client.page.locator("#confirm").get_by_role("button", name="Approve").click()
    client.open_thread()
    client.thread_says("now lists")
    assert findings(client) == []
    client.pane("PBXs")
    client.pbx().get_by_role("switch", name="Full").click()
    client.pbx("branch").get_by_role("switch", name="Unreachable").click()
    expect(client.pbx("branch")).to_contain_text("No handshake")
    assert findings(client) == []
    client.pane("Channels")
    assert findings(client) == []
