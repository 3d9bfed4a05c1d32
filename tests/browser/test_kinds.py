"""Each kind of request in the browser, from the slash command to the PBX's panel."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.client import Client
from tests.browser.conftest import Open

WIDTHS = pytest.mark.parametrize("width", [1280, 390])


@WIDTHS
def test_a_trusted_ca_is_asked_for_approved_and_seen_on_the_pbx(open_page: Open, width: int) -> None:
    """One person asks, a lead approves on the card, the thread tells each step, and the panel shows the used slot."""
    client = open_page(width=width)
    client.open_form()
    client.fill_trusted()
    client.send()
    client.act_as("Ana Lead")
    client.approve()
    client.open_thread()
    client.thread_says("now lists")
    client.pane("PBXs")
    expect(client.pbx()).to_contain_text("1 of 20")
    expect(client.pbx()).to_contain_text("Example Telecom Root CA")
    expect(client.pbx().get_by_role("row").filter(has_text="certificate/create")).to_contain_text("0")


@WIDTHS
def test_an_imported_certificate_takes_a_server_slot(open_page: Open, width: int) -> None:
    """A server certificate with its key goes through the form for that kind into one of the PBX's three slots."""
    client = open_page(width=width)
    client.open_form()
    client.fill_import()
    client.send()
    client.act_as("Ben Lead")
    client.approve()
    client.open_thread()
    client.thread_says("now lists")
    client.pane("PBXs")
    expect(client.pbx()).to_contain_text("1 of 3")


@WIDTHS
def test_a_certificate_is_watched_being_issued(open_page: Open, width: int) -> None:
    """The panel shows the entry as issuing, and as issued once the clock was put forward and the bot has looked again."""
    client = open_page(width=width)
    client.open_form()
    client.fill_apply()
    client.send()
    client.act_as("Ana Lead")
    client.approve()
    client.pane("PBXs")
    expect(client.pbx()).to_contain_text("issuing …")
    client.open_thread()
    client.forward_until(client.pbx().get_by_text("· until"))
    expect(client.pbx()).not_to_contain_text("issuing …")
    client.thread_says("now lists")


def test_only_the_fields_of_the_chosen_kind_are_there(client: Client) -> None:
    """Choosing a kind changes the fields at once, keeps what was typed, and leaves the focus on the choice."""
    client.open_form()
    client.say_why("kept while the form changes")
    client.choose_kind("Server certificate: apply")
    expect(client.dialog.get_by_label("Domain", exact=True)).to_be_visible()
    expect(client.dialog.get_by_label(re.compile("^CA certificate"))).to_have_count(0)
    expect(client.dialog.get_by_label("Reason")).to_have_value("kept while the form changes")
    expect(client.dialog.get_by_role("radio", name="Server certificate: apply")).to_be_focused()
