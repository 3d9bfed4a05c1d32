"""The start of a request, chosen in the browser's own field for dates."""

import re
from datetime import datetime, timedelta

from playwright.sync_api import Locator, expect

from tests.browser.client import Client
from tests.browser.test_keyboard import tab_to
from tests.flow.world import World


def shown(moment: datetime) -> str:
    """As the field holds it; the browser's time zone is UTC."""
    return f"{moment:%Y-%m-%dT%H:%M}"


def type_moment(client: Client, field: Locator, moment: datetime) -> None:
    """Part by part, as somebody types it who has no pointer."""
    tab_to(client, "Start")
    expect(field).to_be_focused()
    keyboard = client.page.keyboard
    keyboard.type(f"{moment:%m%d%Y}")
    keyboard.press("Tab")
    keyboard.type(f"{moment:%I%M%p}")
    expect(field).to_have_value(shown(moment))


def test_a_start_is_typed_kept_refused_and_mended(client: Client, world: World) -> None:
    """A start typed by keys stays when the form changes; one that is over is said beside the field; it is on the card."""
    yesterday = world.clock() - timedelta(days=1)
    client.open_form()
    field = client.dialog.get_by_label("Start (optional)")
    type_moment(client, field, yesterday)
    form = world.tess.wait_modal(callback_id="form")
    world.slack.wait_for(lambda: form.value("start") == int(yesterday.replace(second=0, microsecond=0).timestamp()))
    client.choose_kind("Server certificate: apply")
    expect(client.dialog.get_by_label("Domain", exact=True)).to_be_visible()
    expect(field).to_have_value(shown(yesterday))
    client.choose_kind("Trusted CA certificate")
    expect(client.dialog.get_by_label(re.compile("^CA certificate"))).to_be_attached()
    client.fill_trusted()
    client.press("Check")
    expect(client.dialog.get_by_text("This time is over.")).to_be_visible()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_value(shown(yesterday))
    tomorrow = world.clock() + timedelta(days=1)
    field.fill(shown(tomorrow))
    client.check()
    expect(client.dialog.locator("time").first).to_be_visible()
    client.press("Change something")
    expect(field).to_have_value(shown(tomorrow))
    client.send()
    expect(client.card).to_contain_text("It begins")


def test_an_emptied_start_is_none(client: Client, world: World) -> None:
    """Who empties the field asks for no start any more."""
    client.open_form()
    field = client.dialog.get_by_label("Start (optional)")
    field.fill(shown(world.clock() + timedelta(days=1)))
    form = world.tess.wait_modal(callback_id="form")
    world.slack.wait_for(lambda: form.value("start") is not None)
    field.fill("")
    world.slack.wait_for(lambda: form.value("start") is None)
