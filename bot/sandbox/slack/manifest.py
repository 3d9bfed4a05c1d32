"""What the app declared in its manifest (docs.slack.dev/reference/app-manifest), and so what it may do here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def _at(tree: Mapping[str, Any], *path: str) -> Any:
    found: Any = tree
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


class AppManifest:
    """The parsed manifest, asked by name instead of by path."""

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        self._tree = manifest
        self.name = str(_at(manifest, "display_information", "name") or "app")
        self.bot_name = str(_at(manifest, "features", "bot_user", "display_name") or self.name)
        self.scopes = tuple(str(scope) for scope in _at(manifest, "oauth_config", "scopes", "bot") or ())
        self.events = tuple(_at(manifest, "settings", "event_subscriptions", "bot_events") or ())
        self.commands = {item["command"]: item for item in _at(manifest, "features", "slash_commands") or ()}
        self.shortcuts = {item["callback_id"]: item for item in _at(manifest, "features", "shortcuts") or ()}

    def _switch(self, *path: str) -> bool:
        return bool(_at(self._tree, *path))

    @property
    def socket_mode(self) -> bool:
        return self._switch("settings", "socket_mode_enabled")

    @property
    def interactive(self) -> bool:
        return self._switch("settings", "interactivity", "is_enabled")

    @property
    def home_tab(self) -> bool:
        return self._switch("features", "app_home", "home_tab_enabled")

    @property
    def messages_tab(self) -> bool:
        return self._switch("features", "app_home", "messages_tab_enabled")

    @property
    def people_may_write_to_it(self) -> bool:
        """Whether people can send messages and commands from the app's own conversation."""
        return self.messages_tab and not self._switch("features", "app_home", "messages_tab_read_only_enabled")
