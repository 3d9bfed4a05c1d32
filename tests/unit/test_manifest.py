"""manifest.yml: a Slack app that Slack accepts, with names that exist."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).parents[2]
SCHEMA = Path(__file__).parent / "data" / "manifest.schema.json"

#: Bot scopes that exist and that a bot like this one could want (docs.slack.dev/reference/scopes).
SCOPES = {
    "app_mentions:read",
    "channels:history",
    "channels:read",
    "chat:write",
    "chat:write.public",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "metadata.message:read",
    "mpim:history",
    "mpim:read",
    "mpim:write",
    "team:read",
    "usergroups:read",
    "users:read",
    "users:read.email",
}
#: Events for bots that exist, each with the scope without which Slack does not send it (docs.slack.dev/reference/events).
EVENTS = {
    "app_home_opened": None,
    "app_uninstalled": None,
    "channel_archive": "channels:read",
    "member_left_channel": "channels:read",
    "subteam_created": "usergroups:read",
    "subteam_members_changed": "usergroups:read",
    "subteam_updated": "usergroups:read",
    "tokens_revoked": None,
    "user_change": "users:read",
}


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    content = yaml.safe_load((ROOT / "manifest.yml").read_text("utf-8"))
    assert isinstance(content, dict)
    return content


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(json.loads(SCHEMA.read_text("utf-8")))


def test_schema(manifest: dict[str, Any], schema: jsonschema.Draft7Validator) -> None:
    """Slack's published schema finds nothing wrong with the manifest."""
    assert [f"{error.json_path}: {error.message}" for error in schema.iter_errors(manifest)] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("features", "slash_commands", 0, "command"), "pbx-cert"),
        (("features", "shortcuts", 0, "name"), "x" * 25),
        (("display_information", "long_description"), "too short"),
        (("settings", "socket_mode"), True),
    ],
)
def test_schema_is_strict(
    manifest: dict[str, Any], schema: jsonschema.Draft7Validator, path: tuple[str | int, ...], value: object
) -> None:
    """The schema that the manifest is held against does find mistakes, so its silence means something."""
    copy = json.loads(json.dumps(manifest))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    assert not schema.is_valid(copy)


def test_scopes(manifest: dict[str, Any]) -> None:
    """Every scope exists and is asked for once."""
    scopes = manifest["oauth_config"]["scopes"]["bot"]
    assert set(scopes) <= SCOPES
    assert len(scopes) == len(set(scopes))
    assert manifest["oauth_config"]["scopes"].keys() == {"bot"}


def test_events(manifest: dict[str, Any]) -> None:
    """Every event exists and comes with the scope that Slack wants for it."""
    events = manifest["settings"]["event_subscriptions"]["bot_events"]
    assert set(events) <= EVENTS.keys()
    assert {EVENTS[event] for event in events} - {None} <= set(manifest["oauth_config"]["scopes"]["bot"])


def test_socket_mode_needs_no_address(manifest: dict[str, Any]) -> None:
    """With Socket Mode nothing in the manifest has to be changed to an address of one's own."""
    assert manifest["settings"]["socket_mode_enabled"] is True
    assert manifest["settings"]["interactivity"] == {"is_enabled": True}
    assert "url" not in json.dumps(manifest)


def test_there_is_a_home_tab(manifest: dict[str, Any]) -> None:
    """The home tab is on, and the bot hears when somebody opens it: without either nobody would see it."""
    assert manifest["features"]["app_home"]["home_tab_enabled"] is True
    assert "app_home_opened" in manifest["settings"]["event_subscriptions"]["bot_events"]


def test_people_can_be_written_to(manifest: dict[str, Any]) -> None:
    """Direct messages reach people: the messages tab is on, and nothing invites them to write to the bot."""
    home = manifest["features"]["app_home"]
    assert (home["messages_tab_enabled"], home["messages_tab_read_only_enabled"]) == (True, True)
