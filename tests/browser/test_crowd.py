"""Ten browser sessions at once."""

import re

from playwright.sync_api import expect

from tests.browser.client import Client
from tests.browser.conftest import Open
from tests.flow.world import World

SESSIONS = 10
#: Lets every session do this at the same moment, half a second from now.
TOGETHER = "([act, at]) => setTimeout(new Function(act), at - Date.now())"


def at_once(sessions: list[Client], act: str) -> None:
    moment = sessions[0].page.evaluate("Date.now() + 500")
    for session in sessions:
        session.page.evaluate(TOGETHER, [act, moment])


def seen(session: Client) -> list[str]:
    """What everybody sees alike: all but what only one person is shown."""
    return session.messages.locator("article:not(.ephemeral) :is(.from, .text, .blocks, .count)").all_inner_texts()


def test_ten_sessions_that_act_at_once_see_the_same(open_page: Open, world: World) -> None:
    """Ten people write, and five times two leads approve, at the same moment: one order, one approval, one truth."""
    asking = open_page()
    asking.open_form()
    asking.fill_trusted()
    asking.send()
    leads = [open_page(name) for name in ("Ana Lead", "Ben Lead") * 5]
    for number, session in enumerate(leads):
        session.page.get_by_role("textbox", name=re.compile("^Message ")).fill(f"Hello from session {number}")
    at_once(leads, "document.querySelector('#talk form').requestSubmit()")
    for session in (asking, *leads):
        expect(session.messages.get_by_text(re.compile(r"^Hello from session \d$"))).to_have_count(SESSIONS)
    for session in leads:
        session.on_card("Approve")
    at_once(leads, "document.querySelector('#confirm .primary').click()")
    for session in (asking, *leads):
        expect(session.card).to_contain_text("Approved by", timeout=20_000)
        expect(session.card).to_contain_text("done", timeout=20_000)
    asking.open_thread()
    asking.thread_says("now lists")
    expect(asking.thread.get_by_role("article").filter(has_text="approved it: 1 of 1 approvals")).to_have_count(1)
    count = asking.card.locator(".count").inner_text()
    for session in leads:
        expect(session.card.locator(".count")).to_have_text(count)
    assert all(seen(session) == seen(asking) for session in leads)
    assert len(world.hq.certificates) == 1
    world.verify_chain()
