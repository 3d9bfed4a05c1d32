"""The whole way with the keyboard alone."""

from playwright.sync_api import expect

from tests.browser.client import Client

#: The name of what has the focus; "" where nothing has, because it was on something that is gone by now.
FOCUSED = """() => {
  const el = document.activeElement;
  return !el || el === document.body ? "" : el.getAttribute("aria-label") ?? el.labels?.[0]?.innerText ?? el.innerText ?? "";
}"""


def tab_to(client: Client, name: str, *, back: bool = False, most: int = 60) -> None:
    """Press Tab until the control of this name has the focus; behind the last one the page begins anew, as in a browser."""
    for _ in range(most):
        client.page.keyboard.press("Shift+Tab" if back else "Tab")
        if name in client.page.evaluate(FOCUSED):
            return
    raise AssertionError(f"Tab does not lead to {name}.")


def test_a_request_from_asking_to_approval_without_a_pointer(client: Client) -> None:
    """Command, form, search, file, confirmation and thread can all be reached and used by keys, and Escape closes."""
    keyboard = client.page.keyboard
    tab_to(client, "Message #pbx-certs")
    keyboard.type("/pb")
    expect(client.page.get_by_role("option").filter(has_text="/pbx-cert")).to_be_visible()
    keyboard.press("Tab")
    expect(client.page.get_by_text("[help | pending | mine | history hq | status 42 | list hq]").first).to_be_visible()
    keyboard.press("Enter")
    client.titled("Ask for a certificate")
    expect(client.dialog.get_by_role("combobox", name="PBX")).to_be_focused()
    keyboard.press("ArrowDown")
    expect(client.dialog.get_by_role("option", name="hq")).to_be_visible()
    keyboard.press("Escape")
    expect(client.dialog.get_by_role("option", name="hq")).not_to_be_visible()
    client.titled("Ask for a certificate")
    keyboard.type("h")
    expect(client.dialog.get_by_role("option", name="hq")).to_have_attribute("aria-selected", "true")
    keyboard.press("Enter")
    expect(client.dialog.get_by_role("combobox", name="PBX")).to_have_value("hq")
    tab_to(client, "Use a sample")
    keyboard.press("Enter")
    tab_to(client, "telecom-root.crt")
    keyboard.press("Enter")
    expect(client.dialog.get_by_role("button", name="Remove telecom-root.crt")).to_be_visible()
    tab_to(client, "Reason")
    keyboard.type("By keyboard")
    tab_to(client, "Check")
    keyboard.press("Enter")
    client.titled("Is this right?")
    tab_to(client, "Ask for approval")
    keyboard.press("Enter")
    client.titled("Asked")
    keyboard.press("Escape")
    expect(client.dialog).not_to_be_visible()
    expect(client.page.get_by_role("textbox", name="Message #pbx-certs")).to_be_focused()
    tab_to(client, "Act as Ana Lead", back=True)
    keyboard.press("Enter")
    expect(client.card.get_by_role("button", name="Approve")).to_be_visible()
    tab_to(client, "Approve")
    keyboard.press("Enter")
    confirm = client.page.locator("#confirm")
    expect(confirm.get_by_role("button", name="Approve")).to_be_focused()
    keyboard.press("Escape")
    expect(confirm).not_to_be_visible()
    expect(client.card.get_by_role("button", name="Approve")).to_be_focused()
    keyboard.press("Enter")
    keyboard.press("Enter")
    expect(client.card).to_contain_text("Approved by")
    tab_to(client, "replies")
    keyboard.press("Enter")
    client.thread_says("now lists")
    tab_to(client, "Close thread")
    keyboard.press("Escape")
    expect(client.thread).not_to_be_visible()


def test_arrow_keys_move_between_conversations(client: Client) -> None:
    """The list of conversations is one stop of Tab; arrows, Home and End move inside."""
    page = client.page
    page.get_by_role("button", name="pbx-certs").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name="branch-pbx")).to_be_focused()
    page.keyboard.press("End")
    expect(page.get_by_role("button", name="PBX certificates")).to_be_focused()
    page.keyboard.press("Home")
    expect(page.get_by_role("button", name="pbx-certs")).to_be_focused()
