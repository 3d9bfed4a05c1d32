"""Everything that leaves the process passes a gateway, and so a crash point before and one after."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash import matrix
from tests.crash.conftest import Fresh
from tests.crash.life import Life, Zygote

BOT = Path(__file__).parents[2] / "bot"
#: The modules that reach the network, and who may import them: the doors, and those who only translate their errors.
DOORS = {
    "requests": {"pbx/transport.py", "pbx/tls.py", "pbx/errors.py", "slack/files.py", "slack/errors.py"},
    "urllib3": {"pbx/tls.py", "pbx/errors.py", "slack/errors.py"},
    "urllib.request": {"slack/transport.py", "slack/response_url.py"},
    "urllib.error": {"slack/errors.py"},
    "http.client": {"slack/transport.py", "slack/errors.py", "pbx/errors.py"},
    "socket": {"store/wakes.py", "listeners/line.py", "slack/errors.py", "pbx/errors.py"},
    "slack_sdk": {"slack/transport.py", "slack/errors.py", "listeners/line.py", "listeners/app.py"},
    "websocket": set[str](),
    "httpx": set[str](),
    "aiohttp": set[str](),
    "psycopg": {"store/wakes.py"},  # it listens, and sends nothing
}
#: Where a crash point stands around each call.
GATEWAYS = {
    "store/engine.py": {"commit", "migration"},
    "pbx/transport.py": {"pbx"},
    "slack/transport.py": {"slack"},
    "slack/response_url.py": {"slack response_url"},
    "slack/files.py": {"slack download"},
    "listeners/app.py": {"ack"},
}


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Every module of the bot but its sandbox, parsed."""
    for path in sorted(BOT.rglob("*.py")):
        name = path.relative_to(BOT).as_posix()
        if not name.startswith("sandbox/"):
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> Iterator[str]:
    """The full names of what a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def calls(tree: ast.Module, name: str) -> list[ast.Call]:
    """Calls of a method of this name, of whatever object."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [call for call in found if isinstance(call.func, ast.Attribute) and call.func.attr == name]


def points(tree: ast.Module) -> set[str]:
    """The deeds around which a module places crash points, as far as they are written out."""
    deeds = (call.args[0] for call in calls(tree, "around"))
    texts = (deed.values[0] if isinstance(deed, ast.JoinedStr) else deed for deed in deeds)
    return {str(text.value).strip() for text in texts if isinstance(text, ast.Constant)}


@pytest.mark.parametrize("library", DOORS)
def test_only_the_doors_import_what_reaches_the_network(library: str) -> None:
    """No module but a gateway, its helpers and the translators of errors imports a library that opens connections."""
    users = {
        name for name, tree in modules() if any(each == library or each.startswith(f"{library}.") for each in imported(tree))
    }
    assert users <= DOORS[library], users - DOORS[library]


def test_only_the_store_commits() -> None:
    """A transaction is committed in one place, so that none goes without its crash points.

    A backup is another process, which commits into a copy that no bot has open.
    """
    assert {name for name, tree in modules() if calls(tree, "commit")} - {"store/backup.py"} == {"store/engine.py"}


def test_only_the_gateways_place_crash_points() -> None:
    """No workflow knows of crash points, and each gateway has its own."""
    placed = {name: points(tree) for name, tree in modules() if "bot.crashpoints" in set(imported(tree))}
    assert placed == GATEWAYS


@pytest.mark.parametrize("kind", matrix.KINDS)
def test_nothing_goes_past_a_gateway_while_a_request_is_carried_out(kind: str, fresh: Fresh, zygote: Zygote) -> None:
    """Every connection and every commit of a whole run lies between a crash point before it and one after it."""
    with fresh("sqlite") as world:
        result = matrix.run(zygote, world, kind, None)
    assert not result.wrong, result.wrong
    passed = {point.label for point in result.passed}
    assert {label.removesuffix(" before") for label in passed if label.endswith(" before")} == {
        label.removesuffix(" after") for label in passed if label.endswith(" after")
    }


def test_a_connection_past_the_gateways_is_noticed(fresh: Fresh, zygote: Zygote) -> None:
    """The watch that the test above relies on tells of a connection that nobody announced."""
    with fresh("sqlite") as world:
        life = Life(zygote, world, world.write_config(), 0.0, None)
        assert "a connection to ('127.0.0.1'" in life.go_astray(world.hq.port)
        life.end()
