"""Block Kit and mrkdwn as Slack shows them, with an app that uses all of it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from bot.sandbox import web
from bot.sandbox.slack import Channel, Workspace
from tests.browser import kitchen
from tests.browser.client import Client, payload
from tests.browser.kitchen import button, confirm, mrkdwn, option, section
from tests.unit import slack_app
from tests.unit.slack_app import Robot, modal, plain, text_input

Room = tuple[Workspace, Robot, Channel]


@pytest.fixture(scope="module")
def room() -> Iterator[Room]:
    """A channel with two people and an app that acknowledges everything."""
    with slack_app.workspace() as ws:
        tess, ana = ws.add_person("Tess"), ws.add_person("Ana")
        channel = ws.add_channel("kitchen", [tess, ana])
        ws.add_group("leads", [ana])
        web.mount(ws, [], None, people=[(tess, "cook"), (ana, "guest")], home=channel)
        with slack_app.robot(ws) as robot:
            yield ws, robot, channel


@pytest.fixture
def page(room: Room, browser: Browser) -> Iterator[Client]:
    room[1].on.clear()
    room[0].ack_deadline = 3.0
    client = Client.open(browser, room[0], "Tess", width=1280, dark=False)
    yield client
    client.close()


def post(room: Room, *blocks: dict[str, Any], text: str = "-") -> str:
    return str(slack_app.client(room[0]).chat_postMessage(channel=room[2].id, text=text, blocks=list(blocks))["ts"])


def test_mrkdwn_is_shown_as_slack_shows_it(room: Room, page: Client) -> None:
    """Styles, code, quotes, links, mentions, dates and emoji become elements; stars inside words stay as they are."""
    group = next(iter(room[0].state.groups))
    text = (
        "*bold* _italic_ ~gone~ `a *b* &lt;c&gt;` 2*3*4 snake_case_name :warning: :unknown_one:\n"
        "> quoted\n> twice\n"
        f"<https://example.com/?a=1&amp;b=2|a link> <@{room[0].bot_user}> <#{room[2].id}> <!subteam^{group}> <!here>\n"
        "<!date^86400^{date_num} at {time}|fallback> <javascript:alert(1)|no link>\n```\ncode *block*\nsecond\n```"
    )
    ts = post(room, section(text))
    shown = page.messages.locator(f"[data-ts='{ts}'] .section")
    expect(shown.locator("strong")).to_have_text("bold")
    expect(shown.locator("em")).to_have_text("italic")
    expect(shown.locator("s")).to_have_text("gone")
    expect(shown.locator("code")).to_have_text("a *b* <c>")
    expect(shown).to_contain_text("2*3*4 snake_case_name ⚠️ :unknown_one:")
    assert shown.locator("blockquote").inner_text() == "quoted\ntwice"
    expect(shown.get_by_role("link", name="a link")).to_have_attribute("href", "https://example.com/?a=1&b=2")
    expect(shown.locator(".mention")).to_have_text(["@certs", "#kitchen", "@leads", "@here"])
    expect(shown.locator("time")).to_have_text("1970-01-02 at 00:00")
    expect(shown.get_by_role("link", name="no link")).to_have_count(0)
    assert shown.locator("pre").inner_text() == "code *block*\nsecond"


def test_what_people_write_is_never_html(room: Room, page: Client) -> None:
    """Markup in names, texts, options and file names is shown as it was written, and runs nowhere."""
    evil = "<img src=x onerror=document.title='owned'>"
    written = evil.replace("<", "&lt;").replace(">", "&gt;")
    ts = post(room, section(written), {"type": "header", "text": plain(evil)}, {"type": "actions", "elements": [button(evil)]})
    shown = page.messages.locator(f"[data-ts='{ts}']")
    expect(shown.get_by_role("heading")).to_have_text(evil)
    expect(shown.get_by_role("button", name=evil)).to_be_visible()
    expect(page.page.locator("img")).to_have_count(0)
    assert page.page.title() != "owned"


def test_blocks_of_a_message(room: Room, page: Client) -> None:
    """Header, fields, context, divider, rich text, accessory and overflow menu are all there."""
    menu = {"type": "overflow", "action_id": "menu", "options": [option("Keep"), option("Drop")], "confirm": confirm("Sure?")}
    ts = post(
        room,
        {"type": "header", "text": plain("Title")},
        section("beside", accessory=menu, fields=[mrkdwn("*a*"), mrkdwn("b")]),
        {"type": "divider"},
        {"type": "context", "elements": [mrkdwn("small _print_")]},
        kitchen.RICH,
    )
    shown = page.messages.locator(f"[data-ts='{ts}']")
    expect(shown.get_by_role("heading", name="Title")).to_be_visible()
    expect(shown.get_by_role("separator")).to_be_visible()
    expect(shown.locator(".context em")).to_have_text("print")
    expect(shown.locator(".rich strong")).to_have_text("rich and bold")
    expect(shown.get_by_role("listitem")).to_have_text("an item")
    shown.get_by_label("More actions").click()
    shown.get_by_role("button", name="Drop").click()
    page.page.locator("#confirm").get_by_role("button", name="Do it").click()
    room[0].wait_for(lambda: room[0].deliveries and room[0].deliveries[-1].kind == "block_actions")
    assert room[0].deliveries[-1].payload["actions"][0]["selected_option"]["value"] == "drop"


def test_an_edit_reaches_the_page_and_an_ephemeral_message_one_person(room: Room, page: Client) -> None:
    """chat.update replaces what is shown, without a reload; chat.postEphemeral is seen by its person alone."""
    ws, _, channel = room
    tess = next(member.id for member in ws.state.members.values() if member.name == "Tess")
    ts = post(room, section("before"))
    shown = page.messages.locator(f"[data-ts='{ts}']")
    expect(shown).to_contain_text("before")
    slack_app.client(ws).chat_update(channel=channel.id, ts=ts, text="-", blocks=[section("after")])
    expect(shown).to_contain_text("after")
    slack_app.client(ws).chat_postEphemeral(channel=channel.id, user=tess, text="psst")
    page.told("psst")
    page.act_as("Ana")
    expect(shown).to_contain_text("after")
    expect(page.messages).not_to_contain_text("psst")


def test_slacks_own_failure_notice(room: Room, page: Client) -> None:
    """A click that the app does not acknowledge in time ends in Slack's own words, and in nobody else's notice."""
    ws, robot, _ = room
    ws.ack_deadline = 0.2
    robot.on["block_actions"] = lambda ack, body, client: None
    ts = post(room, {"type": "actions", "elements": [button("Go")]})
    page.messages.locator(f"[data-ts='{ts}']").get_by_role("button", name="Go").click()
    expect(page.page.get_by_role("alert")).to_have_text(re.compile("We had some trouble connecting. Try again?"))
    page.act_as("Ana")
    expect(page.page.get_by_role("alert")).to_have_count(0)


def open_form(room: Room, page: Client) -> None:
    robot = room[1]

    def show(ack: Any, body: Any, client: Any) -> None:
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=kitchen.FORM)

    robot.on["shortcut"] = show
    page.page.get_by_label("Shortcuts", exact=True).click()
    page.page.get_by_role("button", name="Ask for a certificate").click()
    page.titled("Kitchen")


def test_every_kind_of_field_reaches_the_app(room: Room, page: Client) -> None:
    """Text, selects, live search, radio buttons, checkboxes and files arrive in the submission as Slack names them."""
    ws, robot, _ = room
    robot.on["block_suggestion"] = lambda ack, body, client: ack(
        options=[option(city) for city in ("Bern", "Berlin") if city.lower().startswith(body["value"])]
    )
    open_form(room, page)
    form = page.dialog
    form.get_by_label("Name").fill("Tess")
    expect(form.get_by_label("Story")).to_have_value("Once upon a time")
    form.get_by_role("combobox", name="Colour").click()
    expect(form.get_by_role("option")).to_have_count(3)
    form.get_by_role("option", name="Green").click()
    city = form.get_by_role("combobox", name="City")
    city.fill("b")
    expect(form.get_by_text("Type at least 2 letters")).to_be_visible()
    city.fill("ber")
    form.get_by_role("option", name="Berlin").click()
    form.get_by_role("radio", name="Large").check()
    form.get_by_role("checkbox", name="Sugar").check()
    page.attach("Papers", ("a.pem", b"a"))
    page.attach("Papers", ("b.crt", b"bb"))
    expect(form.get_by_text("a.pem")).to_be_visible()
    page.press("Send")
    expect(form).not_to_be_visible()
    values = [each for each in ws.deliveries if each.kind == "view_submission"][-1].payload["view"]["state"]["values"]
    assert values["name"]["text"]["value"] == "Tess"
    assert values["colour"]["it"]["selected_option"]["value"] == "green"
    assert values["city"]["it"]["selected_option"]["value"] == "berlin"
    assert values["size"]["it"]["selected_option"]["value"] == "large"
    assert [one["value"] for one in values["extras"]["it"]["selected_options"]] == ["sugar"]
    assert [file["name"] for file in values["papers"]["it"]["files"]] == ["a.pem", "b.crt"]


def test_a_file_of_another_type_is_refused_by_the_client(room: Room, page: Client) -> None:
    """The form's file types are kept by Slack's client, in its own words."""
    open_form(room, page)
    page.dialog.get_by_label(re.compile("^Papers")).set_input_files(payload("a.exe", b"a"))
    expect(page.page.get_by_role("alert")).to_contain_text("This field does not take 'a.exe'")
    page.press("Cancel")


def test_views_stack_and_come_back_with_what_was_typed(room: Room, page: Client) -> None:
    """A pushed view lies on top; closing it shows the one below with its fields as they were, and the focus inside."""
    robot = room[1]

    def push(ack: Any, body: Any, client: Any) -> None:
        ack()
        client.views_push(trigger_id=body["trigger_id"], view=modal(text_input("Detail"), title="Above"))

    robot.on["block_actions"] = push
    open_form(room, page)
    page.dialog.get_by_label("Name").fill("not lost")
    page.press("Push")
    page.titled("Above")
    expect(page.dialog.get_by_label("Detail")).to_be_focused()
    page.page.keyboard.press("Escape")
    page.titled("Kitchen")
    expect(page.dialog.get_by_label("Name")).to_have_value("not lost")
    page.press("Cancel")
    expect(page.dialog).not_to_be_visible()


def test_an_update_keeps_what_was_typed_under_the_same_ids(room: Room, page: Client) -> None:
    """views.update adds a field below; what stands in the others stays, even what is being typed."""
    robot = room[1]

    def grow(ack: Any, body: Any, client: Any) -> None:
        ack()
        blocks = [*kitchen.FORM["blocks"], text_input("Afterword", initial_value="The end")]
        client.views_update(view_id=body["view"]["id"], view={**kitchen.FORM, "blocks": blocks})

    robot.on["block_actions"] = grow
    open_form(room, page)
    page.dialog.get_by_label("Name").fill("typed")
    page.dialog.get_by_label("Story").fill("another story")
    page.press("Grow")
    expect(page.dialog.get_by_label("Afterword")).to_have_value("The end")
    expect(page.dialog.get_by_label("Name")).to_have_value("typed")
    expect(page.dialog.get_by_label("Story")).to_have_value("another story")
    page.press("Cancel")


def test_the_home_tab_is_shown_where_there_is_one(room: Room, page: Client) -> None:
    """Opening the tab tells the app, and what it publishes appears beside the messages."""
    robot = room[1]
    robot.on["event"] = lambda ack, body, client: client.views_publish(
        user_id=body["event"]["user"], view={"type": "home", "blocks": [section("*Welcome* home")]}
    )
    page.conversation("certs")
    page.page.get_by_role("button", name="Home", exact=True).click()
    expect(page.page.get_by_text("Welcome home")).to_be_visible()
    page.page.get_by_role("button", name="Messages", exact=True).first.click()
    expect(page.page.get_by_text("Welcome home")).to_have_count(0)


def test_files_go_with_a_message(room: Room, page: Client) -> None:
    """A file attached in the composer is sent with the text, and a reload brings both back."""
    page.page.get_by_label("Attach files").set_input_files(payload("notes.txt", b"12345"))
    page.write("Here they are & more")
    sent = page.messages.get_by_role("article").filter(has_text="Here they are & more")
    expect(sent).to_contain_text("notes.txt")
    page.page.reload()
    expect(sent).to_contain_text("5 bytes")
