"""What the workspace is told goes out in few places, each for a reason."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: What puts words into a channel, a thread or a conversation, as the gateway calls it.
SAYING = {"post", "update", "delete", "ephemeral", "direct", "respond"}
#: Who may do which, and why.
MAY = {
    "bot/work/posting.py": {"post", "delete"},  # on behalf of whoever has committed an intent
    "bot/work/narrate.py": {"update", "respond"},  # the card, and the link for the requester alone
    "bot/work/decide.py": {"direct", "respond"},  # why a click does not count, to whoever clicked
    "bot/work/watch.py": {"post"},  # the database is gone, so there is no intent
    "bot/listeners/desk.py": {"direct", "respond"},  # private answers
    "bot/listeners/commands.py": {"respond"},
    "bot/listeners/drafts.py": {"respond"},
    "bot/listeners/lists.py": {"respond"},  # the next page of a list, to whoever asked for it
}
#: Who may hold a poster: the narrator, a draft's result for its requester, and what concerns no request.
POSTERS = {f"bot/work/{name}.py" for name in ("narrate", "thread", "check", "notices", "herald", "witness", "bulletin")}
#: Who may hold a way to Slack other than by the gateway that is handed around.
DOORS = {"bot/house.py", "bot/doctor.py"}


def modules() -> Iterator[tuple[str, ast.Module]]:
    """The bot's own, other than the gateway's room and the sandbox."""
    for path in sorted((ROOT / "bot").rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(("bot/sandbox/", "bot/slack/")):
            yield name, ast.parse(path.read_text("utf-8"))


def said_by(tree: ast.Module) -> set[str]:
    """Which of the gateway's ways to say something are named there, as in ``self._slack.post`` or ``context.slack.post``."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in SAYING and _name(node.value).lstrip("_") in ("slack", "gateway")
    }


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def imported_by(tree: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{name.name}" for name in node.names}
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
    return found


def test_few_places_say_something() -> None:
    """A request's progress is told by the narrator alone; everybody else who says something is named here with the reason."""
    found = defaultdict(set)
    for name, tree in modules():
        if said := said_by(tree):
            found[name] = said
    assert dict(found) == MAY


def test_few_hold_a_poster() -> None:
    """Only these intend messages and let them be posted."""
    named = "bot.work.posting.Poster"
    assert {name for name, tree in modules() if named in imported_by(tree)} == POSTERS


def test_nobody_has_another_way_out() -> None:
    """The gateway is made in one place and handed around; nobody uses slack_sdk's client or Bolt's helpers beside it."""
    makers, bypasses = set(), set()
    for name, tree in modules():
        calls = {_name(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        makers |= {name} if "Gateway" in calls else set()
        bypasses |= (
            {name} if calls & {"WebClient", "say"} or any(each.startswith("slack_sdk") for each in imported_by(tree)) else set()
        )
    assert makers <= DOORS
    assert bypasses <= {"bot/listeners/app.py", "bot/listeners/line.py"}  # which open the WebSocket


def test_this_test_sees_what_it_looks_for() -> None:
    """The forms in which a call can be written are recognised, and others are not taken for one."""
    code = [
        "self._slack.post()",
        "context.slack.update()",
        "slack.respond()",
        "self.a.slack.direct",
        "slack.find()",
        "x.delete()",
    ]
    assert said_by(ast.parse("\n".join(code))) == {"post", "update", "respond", "direct"}
