"""manifest.yml is true to the code: what the bot listens for and calls is declared there, and nothing else is."""

import ast
import importlib
import inspect
import pkgutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from pydantic import SecretStr
from slack_bolt import App, BoltRequest

import bot.listeners
from bot.config import SlackConfig
from bot.listeners.app import build
from bot.listeners.desk import Desk
from tests.unit.slack_api import SlackApi, ok

ROOT = Path(__file__).parents[2]

#: Each Web API method with the scopes that a bot token needs for it (its page under docs.slack.dev/reference/methods). Of
#: the scopes for kinds of conversations, those of the kinds that this bot meets: channels, private ones, direct messages.
SCOPES: dict[str, set[str]] = {
    "apps.connections.open": set(),  # with the app-level token, whose connections:write no manifest holds
    "auth.test": set(),
    "chat.delete": {"chat:write"},
    "chat.getPermalink": set(),
    "chat.postEphemeral": {"chat:write"},
    "chat.postMessage": {"chat:write"},
    "chat.update": {"chat:write"},
    "conversations.history": {"channels:history", "groups:history", "im:history"},
    "conversations.members": {"channels:read", "groups:read"},
    "conversations.open": {"im:write"},
    "conversations.replies": {"channels:history", "groups:history", "im:history"},
    "files.info": {"files:read"},
    "usergroups.users.list": {"usergroups:read"},
    "users.info": {"users:read"},
    "views.open": set(),
    "views.publish": set(),
    "views.push": set(),
    "views.update": set(),
}
#: What else needs a scope: commands and shortcuts, and each event (docs.slack.dev/reference/events).
FOR_COMMANDS = "commands"
FOR_EVENTS = {"app_home_opened": "", "subteam_members_changed": "usergroups:read"}


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / "manifest.yml").read_text("utf-8"))
    return content


class Recorder:
    """Stands where Bolt's App stands, and remembers for what is listened."""

    def __init__(self) -> None:
        self.listened: dict[str, list[str]] = defaultdict(list)

    def __getattr__(self, kind: str) -> Callable[[str], Callable[[object], object]]:
        def listen(what: str) -> Callable[[object], object]:
            self.listened[kind].append(what)
            return lambda listener: listener

        return listen


def surfaces() -> Iterator[Any]:
    """Every module of bot.listeners that registers something."""
    for found in pkgutil.iter_modules(bot.listeners.__path__):
        module = importlib.import_module(f"bot.listeners.{found.name}")
        if hasattr(module, "register"):
            yield module


@pytest.fixture(scope="module")
def listened() -> dict[str, list[str]]:
    recorder = Recorder()
    for surface in surfaces():
        surface.register(cast(App, recorder), cast(Desk, None))
    return recorder.listened


def declared(manifest: dict[str, Any]) -> dict[str, list[str]]:
    features = manifest["features"]
    return {
        "command": [command["command"] for command in features["slash_commands"]],
        "shortcut": [shortcut["callback_id"] for shortcut in features["shortcuts"]],
        "event": manifest["settings"]["event_subscriptions"]["bot_events"],
    }


@pytest.mark.parametrize("kind", ["command", "shortcut", "event"])
def test_declared_and_listened_for(manifest: dict[str, Any], listened: dict[str, list[str]], kind: str) -> None:
    """Each command, shortcut and event that is declared is listened for, once, and the other way round."""
    assert sorted(listened[kind]) == sorted(declared(manifest)[kind])
    assert listened[kind]


def test_interactivity(manifest: dict[str, Any], listened: dict[str, list[str]]) -> None:
    """Buttons, modals and selects need interactivity, and the bot listens for all three; once for each."""
    assert manifest["settings"]["interactivity"]["is_enabled"]
    for kind in ("action", "view", "options"):
        assert listened[kind]
        assert len(listened[kind]) == len(set(listened[kind]))


def test_nothing_else_is_listened_for(listened: dict[str, list[str]]) -> None:
    """There is no kind of listener that these tests do not know."""
    assert set(listened) <= {"command", "shortcut", "event", "action", "view", "options"}


PAYLOADS: dict[str, Callable[[str], dict[str, Any]]] = {
    "command": lambda name: {"command": name, "text": "help"},
    "shortcut": lambda name: {"type": "shortcut", "callback_id": name},
    "event": lambda name: {"type": "event_callback", "event": {"type": name, "subteam_id": "S1"}},
}


@pytest.fixture(scope="module")
def app() -> Iterator[App]:
    """The real app, put together as the bot does."""
    with SlackApi() as api:
        api.answer("auth.test", ok(user_id="U1", bot_id="B1", team_id="T1", team="T", user="bot", url="https://x.slack.com/"))
        config = SlackConfig.model_construct(channel="C1", api_url=api.url, bot_token=SecretStr("xoxb-1"),
                                             app_token=SecretStr("xapp-1"))  # fmt: skip
        yield build(config, cast(Desk, None))


@pytest.mark.parametrize("kind", PAYLOADS)
def test_the_app_listens(manifest: dict[str, Any], app: App, kind: str) -> None:
    """The app that is put together has a listener for all that is declared, and none for what is not."""
    for name, known in [*((name, True) for name in declared(manifest)[kind]), ("/another", False)]:
        body = {"team_id": "T1", "user_id": "U1", "trigger_id": "1", "team": {"id": "T1"}, "user": {"id": "U1"}}
        request = BoltRequest(body=body | PAYLOADS[kind](name), mode="socket_mode")
        matching = [listener for listener in app._listeners if listener.matches(req=request, resp=cast(Any, None))]
        assert len(matching) == int(known), (kind, name)


def sources() -> Iterator[Path]:
    """The bot's own files; the sandbox is the other side of the calls."""
    for file in (ROOT / "bot").rglob("*.py"):
        if "sandbox" not in file.parts:
            yield file


def methods() -> set[str]:
    """Every Web API method that is named in the bot, other than by the budget, which only counts calls."""
    found = set()
    for file in sources():
        if file.name != "budget.py":
            tree = ast.parse(file.read_text("utf-8"))
            texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
            found |= {text for text in texts if _is_method(text)}
    return found


def _is_method(text: str) -> bool:
    family, *rest = text.split(".")
    return bool(rest) and family in FAMILIES and all(part.isalpha() for part in rest)


FAMILIES = {"api", "apps", "auth", "bots", "chat", "conversations", "files", "pins", "reactions", "team", "usergroups", "users",
            "views"}  # fmt: skip


def test_methods_are_known() -> None:
    """The table here has exactly the methods that the bot can call."""
    assert methods() == set(SCOPES)


def test_by_name_only() -> None:
    """Nobody calls the Web API by one of the client's own methods, whose name would be no text in the code."""
    calls = ("chat_", "views_", "conversations_", "users_", "usergroups_", "files_", "auth_", "bots_", "team_", "reactions_")
    for file in sources():
        named = {node.attr for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Attribute)}
        assert not [name for name in named if name.startswith(calls)], file


def test_scopes(manifest: dict[str, Any]) -> None:
    """The scopes are those that the methods, commands and events need, each of them, and no other."""
    events = manifest["settings"]["event_subscriptions"]["bot_events"]
    needed = {scope for method in methods() for scope in SCOPES[method]}
    needed |= {FOR_COMMANDS} | {FOR_EVENTS[event] for event in events} - {""}
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == needed


def test_register_signature() -> None:
    """Each surface registers the same way, so that none is left out for taking something else."""
    assert {tuple(inspect.signature(surface.register).parameters) for surface in surfaces()} == {("app", "desk")}
    assert len(list(surfaces())) >= 5
