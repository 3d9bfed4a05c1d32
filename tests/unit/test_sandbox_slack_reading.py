"""What people read: messages as text."""

from __future__ import annotations

from tests.unit.slack_app import plain, workspace


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
