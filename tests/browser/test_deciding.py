"""Decisions in the browser: who may, who is refused, and what everybody sees of it."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.client import Client
from tests.browser.conftest import Open


@pytest.fixture
def asked(client: Client) -> Client:
    """Tess has asked for a trusted CA."""
    client.open_form()
    client.fill_trusted()
    client.send()
    return client


def test_the_requester_is_refused_privately(asked: Client, open_page: Open) -> None:
    """The requester's own approval is refused in a message that only they see, marked as such."""
    other = open_page("Carl Colleague")
    asked.approve()
    asked.told("You asked for this yourself")
    expect(other.card).to_contain_text("0 of 1 approvals")
    expect(other.messages).not_to_contain_text("You asked for this yourself")
    asked.act_as("Ana Lead")
    expect(asked.messages).not_to_contain_text("You asked for this yourself")


def test_who_is_neither_is_told_who_may_decide(asked: Client) -> None:
    """A colleague who is no approver is refused and told whose decision it is."""
    asked.act_as("Carl Colleague")
    asked.approve()
    asked.told("You may not decide requests for hq")


def test_a_confirmation_that_is_declined_does_nothing(asked: Client) -> None:
    """Cancel in the dialog in front of Approve sends nothing to the bot, and the focus is back on the button."""
    asked.act_as("Ana Lead")
    before = len(asked.slack.deliveries)
    asked.on_card("Approve", confirm="Cancel")
    expect(asked.card.get_by_role("button", name="Approve")).to_be_focused()
    assert len(asked.slack.deliveries) == before
    expect(asked.card).to_contain_text("0 of 1 approvals")


def test_a_rejection_needs_a_reason_and_shows_it(asked: Client) -> None:
    """Without a reason the field says so and has the focus; with one, card and thread quote it and the buttons are gone."""
    asked.act_as("Ben Lead")
    asked.on_card("Reject")
    asked.titled("Reject")
    asked.press("Reject")
    expect(asked.dialog).to_contain_text("Please complete this required field.")
    why = asked.dialog.get_by_label("Why?")
    expect(why).to_be_focused()
    why.fill("Use the new root <b>&</b> not this one")
    asked.press("Reject")
    expect(asked.dialog).not_to_be_visible()
    expect(asked.card.locator("blockquote").filter(has_text="Use the new root <b>&</b> not this one")).to_be_visible()
    expect(asked.card.get_by_role("button", name="Approve")).to_have_count(0)
    asked.open_thread()
    asked.thread_says(re.compile("rejected by @Ben Lead"))


def test_a_changed_request_is_approved_again(asked: Client, open_page: Open) -> None:
    """Edit opens the form with everything in it; the change is on the same card and in its thread, and is then approved."""
    asked.on_card("Edit")
    asked.titled("Change #1")
    expect(asked.dialog.get_by_label("Reason")).to_have_value("The new provider's phones")
    asked.say_why("The new provider's phones, all of them")
    asked.check()
    expect(asked.dialog).to_contain_text("What you change about #1")
    expect(asked.dialog).to_contain_text("The reason is “The new provider's phones, all of them” now")
    asked.press("Change the request")
    asked.titled("Changed")
    asked.dialog.locator("footer").get_by_role("button", name="Close").click()
    expect(asked.card.locator("blockquote").filter(has_text="phones, all of them")).to_be_visible()
    asked.open_thread()
    asked.thread_says(re.compile("edited by @Tess Technician"))
    lead = open_page("Ana Lead")
    lead.approve()
    lead.open_thread()
    lead.thread_says("now lists")


def test_a_rejected_request_is_asked_anew(asked: Client) -> None:
    """Ask anew on a rejected card opens the form with what was asked for, and the new card names the old one."""
    asked.act_as("Ana Lead")
    asked.on_card("Reject")
    asked.dialog.get_by_label("Why?").fill("Say which phones")
    asked.press("Reject")
    expect(asked.card.get_by_role("button", name="Ask anew")).to_be_visible()
    asked.act_as("Tess Technician")
    asked.on_card("Ask anew")
    asked.titled("Ask for a certificate")
    expect(asked.dialog).to_contain_text("Asked anew after #1")
    asked.say_why("The phones of the second floor")
    asked.send()
    expect(asked.card).to_contain_text("#2 Trusted CA certificate for hq")
    expect(asked.card).to_contain_text("Asked anew after #1.")


def test_news_is_marked_until_it_is_read(asked: Client) -> None:
    """A mention of somebody else stands as a number at their name, at the conversation and at the thread, until they look."""
    asked.act_as("Ana Lead")
    asked.on_card("Reject")
    asked.dialog.get_by_label("Why?").fill("Not now, please")
    asked.press("Reject")
    tess = asked.page.get_by_role("button", name="Act as Tess Technician")
    expect(tess).to_have_accessible_name(re.compile("unread"))
    asked.act_as("Tess Technician")
    channel = asked.page.get_by_role("navigation", name="Conversations").get_by_role("button", name="pbx-certs")
    expect(channel).to_contain_text("unread")
    expect(asked.card.get_by_text("1 new")).to_be_visible()
    asked.open_thread()
    expect(channel).not_to_contain_text("unread")
    expect(asked.card.get_by_text("1 new")).to_have_count(0)


def test_the_apps_own_conversation_takes_no_messages(client: Client) -> None:
    """Where the manifest says so, Slack's own words stand in place of the composer."""
    client.conversation("PBX certificates")
    expect(client.page.get_by_text("Sending messages to this app has been turned off.")).to_be_visible()
    expect(client.page.get_by_role("textbox")).to_have_count(0)
