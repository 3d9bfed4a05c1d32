"""Mistakes in the form: each is said beside its field, and nothing typed is lost."""

import json

from playwright.sync_api import Route, expect

from tests.browser.client import Client


def test_slacks_client_asks_for_required_fields(client: Client) -> None:
    """An empty form is not sent: the first empty field says so and has the focus."""
    client.open_form()
    before = len(client.slack.deliveries)
    client.press("Check")
    expect(client.dialog.get_by_text("Please complete this required field.").first).to_be_visible()
    expect(client.dialog.get_by_role("combobox", name="PBX")).to_be_focused()
    assert not [each for each in client.slack.deliveries[before:] if each.kind == "view_submission"]


def test_a_bad_domain_is_said_beside_its_field_and_mended(client: Client) -> None:
    """The bot's error stands under the domain, is announced as its description, and the mended form goes through."""
    client.open_form()
    client.fill_apply("https://pbx.example.com/admin")
    client.press("Check")
    domain = client.dialog.get_by_label("Domain", exact=True)
    expect(domain).to_have_attribute("aria-invalid", "true")
    expect(domain).to_be_focused()
    expect(client.dialog.get_by_label("Reason")).to_have_value("People see a warning")
    domain.fill("pbx.example.com")
    client.check()
    expect(client.dialog).to_contain_text("pbx.example.com")


def test_a_wrong_key_brings_the_form_back_with_what_was_typed(client: Client) -> None:
    """What only the check finds comes back above the field, with the rest as it was; another file is taken."""
    client.open_form()
    client.choose_kind("Server certificate: import")
    expect(client.dialog.get_by_label("Certificate and private key")).to_be_attached()
    client.choose_pbx()
    client.attach_sample("wrong-key.pem")
    client.say_why("The old one expires")
    client.press("Check")
    expect(client.dialog.get_by_text("⚠️").first).to_be_visible()
    client.titled("Ask for a certificate")
    expect(client.dialog.get_by_label("Reason")).to_have_value("The old one expires")
    client.attach_sample("pbx.example.com.pem")
    client.check()


def test_what_was_typed_is_not_overtaken(client: Client) -> None:
    """On a slow line the form is sent only after what was typed a moment before has arrived."""
    client.open_form()
    client.choose_pbx()
    client.attach_sample("telecom-root.crt")
    asked: list[str] = []
    held: list[Route] = []

    def hold_what_is_typed(route: Route) -> None:
        asked.append(json.loads(route.request.post_data or "")["do"])
        if asked[-1] == "type":
            held.append(route)
        else:
            route.continue_()

    client.page.route("**/sandbox/act", hold_what_is_typed)
    with client.page.expect_request("**/sandbox/act"):
        client.say_why("The new provider's phones")
    client.press("Check")
    expect(client.dialog.locator("[type=submit]")).to_have_attribute("aria-busy", "true")
    assert "submit" not in asked
    held[0].continue_()
    client.page.unroute_all(behavior="wait")
    client.titled("Is this right?")


def test_a_file_can_be_taken_back(client: Client) -> None:
    """A file from one's own disk is listed with its size and can be removed before it is sent."""
    client.open_form()
    client.attach("CA certificate", ("ca.crt", b"not a certificate"))
    expect(client.dialog.get_by_text("17 bytes")).to_be_visible()
    client.dialog.get_by_role("button", name="Remove ca.crt").click()
    expect(client.dialog.get_by_text("ca.crt")).to_have_count(0)


def test_a_command_in_a_thread_is_refused_by_slack_itself(client: Client) -> None:
    """The client's own words appear as a notice, and what was typed is still there."""
    client.write("Hello *there*, @Ana Lead")
    message = client.messages.get_by_role("article").filter(has_text="Hello there")
    expect(message.locator("strong").filter(has_text="there")).to_be_visible()
    expect(message.locator(".mention")).to_have_text("@Ana Lead")
    message.hover()
    message.get_by_role("button", name="Reply in thread").click()
    box = client.thread.get_by_role("textbox")
    box.fill("/pbx-cert")
    box.press("Enter")
    expect(client.page.get_by_role("alert")).to_contain_text("/pbx-cert is not supported in threads.")
    expect(box).to_have_value("/pbx-cert")
