"""What people read: messages as text, and the page."""

from __future__ import annotations

import requests

from tests.unit.slack_app import client, plain, workspace


def test_mentions_links_and_entities_are_resolved() -> None:
    """People, groups and channels appear by name, links with their label, entities as characters."""
    with workspace() as ws:
        ana = ws.add_person("ana")
        room = ws.add_channel("certs")
        leads = ws.add_group("leads", [ana])
        text = f"<@{ana.id}> <!subteam^{leads}> <#{room.id}> <https://example.com|here> <!here> a &lt; b &amp; c"
        assert ws.read({"text": text}) == "@ana @leads #certs here (https://example.com) @here a < b & c"


def test_blocks_become_lines() -> None:
    """Headers, sections with fields, contexts, dividers, buttons and rich text are all readable."""
    blocks = [
        {"type": "header", "text": plain("Title")},
        {"type": "section", "text": plain("Body <b>"), "fields": [plain("one"), plain("two")]},
        {"type": "divider"},
        {"type": "context", "elements": [plain("small")]},
        {"type": "actions", "elements": [{"type": "button", "text": plain("Go")}]},
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "rich"}]}]},
    ]
    with workspace() as ws:
        assert ws.read({"blocks": blocks}).split("\n") == [
            "Title",
            "Body <b>",
            "one",
            "two",
            "---",
            "small",
            "[Go]",
            "rich",
            "",
        ]


def test_the_page_shows_everything_and_says_what_it_is() -> None:
    """The page names the sandbox, shows channels, threads and direct messages, and escapes what people write."""
    with workspace() as ws:
        ana = ws.add_person("ana")
        room = ws.add_channel("certs", [ana])
        bold = {"type": "section", "text": plain("<b>bold")}
        parent = client(ws).chat_postMessage(channel=room.id, text="a", blocks=[bold])["ts"]
        client(ws).chat_postMessage(channel=room.id, text="reply", thread_ts=parent)
        client(ws).chat_postMessage(channel=ana.id, text="private")
        client(ws).chat_postEphemeral(channel=room.id, user=ana.id, text="psst")
        page = requests.get(ws.page_url, timeout=5).text
        assert "This is a sandbox" in page
        assert "&lt;b&gt;bold" in page
        assert "<b>bold" not in page
        for words in ("#certs", "reply", "Direct messages with ana", "private", "only ana sees this", "psst"):
            assert words in page
