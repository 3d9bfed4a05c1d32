"""The switches of the panel, and what the thread then says."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.client import Client


@pytest.fixture
def pending(client: Client) -> Client:
    """A request for a trusted CA waits for Ana, who looks at it."""
    client.open_form()
    client.fill_trusted()
    client.send()
    client.act_as("Ana Lead")
    expect(client.card.get_by_role("button", name="Approve")).to_be_visible()
    return client


def test_a_full_pbx_is_told_as_such(pending: Client) -> None:
    """Every slot is taken between asking and approving: panel, thread and card say so, and nothing was added."""
    pending.pbx().get_by_role("switch", name="Full").click()
    expect(pending.pbx()).to_contain_text("20 of 20")
    pending.approve()
    pending.open_thread()
    pending.thread_says("hq already holds 20 of 20 trusted certificates, so nothing was sent.")
    expect(pending.pbx()).not_to_contain_text("Example Telecom Root CA")
    pending.pbx().get_by_role("switch", name="Full").click()
    expect(pending.pbx()).to_contain_text("0 of 20")


def test_a_lost_answer_is_followed_up_and_told(pending: Client) -> None:
    """The answer to the creation never arrives: the thread says that it is not known yet, then what the PBX lists."""
    pending.pbx().get_by_role("switch", name="Drop the next answer").click()
    expect(pending.pbx().get_by_text("Drop the next answer").first).to_be_visible()
    pending.approve()
    pending.open_thread()
    pending.thread_says("closed the connection before its answer was complete. Whether it did is not known.")
    expect(pending.pbx().get_by_role("row").filter(has_text="not delivered")).to_contain_text("certificate/create")
    pending.forward_until(pending.thread.get_by_text(re.compile("now lists")))
    expect(pending.pbx()).to_contain_text("1 of 20")
    expect(pending.pbx().get_by_role("switch", name="Drop the next answer")).to_have_attribute("aria-checked", "false")


def test_an_unreachable_pbx_is_waited_for(pending: Client) -> None:
    """The panel shows no handshake, the thread says that the PBX cannot be reached; once it can, the work is done."""
    unreachable = pending.pbx().get_by_role("switch", name="Unreachable")
    unreachable.click()
    expect(pending.pbx()).to_contain_text("No handshake")
    pending.approve()
    pending.open_thread()
    pending.thread_says("was not asked to list its certificates: nothing answers there.")
    unreachable.click()
    expect(pending.pbx()).not_to_contain_text("No handshake")
    pending.forward_until(pending.thread.get_by_text(re.compile("now lists")))


def test_the_clock_lets_a_request_expire(pending: Client) -> None:
    """Nine hours later the undecided request has expired, before everybody's eyes."""
    pending.page.get_by_role("button", name="+8 h").click()
    pending.page.get_by_role("button", name="+1 h").click()
    expect(pending.card).to_contain_text("expired")
    expect(pending.card.get_by_role("button", name="Approve")).to_have_count(0)
