"""Files: what people upload, what the app may know of them, and how it fetches them.

docs.slack.dev/reference/objects/file-object, docs.slack.dev/reference/methods/files.info and files.delete.
"""

from __future__ import annotations

import mimetypes

from bot.sandbox.slack.asked import Asked, Method
from bot.sandbox.slack.errors import ApiRefusal
from bot.sandbox.slack.records import Json, StoredFile
from bot.sandbox.slack.state import State

LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Sign in | Slack</title></head><body>Sign in to Sandbox</body></html>"


def keep(state: State, owner: str, name: str, content: bytes) -> StoredFile:
    """Store a person's upload; the app does not see it yet."""
    stored = StoredFile(state.new_id("F"), name, owner, content, int(state.now().timestamp()))
    state.files[stored.id] = stored
    state.changed.notify_all()
    return stored


def to_json(state: State, stored: StoredFile) -> Json:
    kind = stored.name.rpartition(".")[2].lower() if "." in stored.name else "binary"
    private = f"{state.origin}/files-pri/{state.team}-{stored.id}"
    return {
        "id": stored.id,
        "created": stored.created,
        "timestamp": stored.created,
        "name": stored.name,
        "title": stored.name,
        "mimetype": mimetypes.guess_type(stored.name)[0] or "application/octet-stream",
        "filetype": kind,
        "pretty_type": kind.upper(),
        "user": stored.owner,
        "mode": "hosted",
        "size": len(stored.content),
        "is_external": False,
        "is_public": False,
        "url_private": f"{private}/{stored.name}",
        "url_private_download": f"{private}/download/{stored.name}",
        "permalink": f"{state.origin}/files/{stored.owner}/{stored.id}/{stored.name}",
    }


def _seen(asked: Asked) -> StoredFile:
    stored = asked.state.files.get(asked.required("file"))
    if stored is None or not stored.seen_by_app:
        raise ApiRefusal("file_not_found")
    if stored.deleted:
        raise ApiRefusal("file_deleted")
    return stored


def info(asked: Asked) -> Json:
    return {"file": to_json(asked.state, _seen(asked)), "comments": []}


def delete(asked: Asked) -> Json:
    stored = _seen(asked)
    if stored.owner != asked.state.bot_user:
        raise ApiRefusal("cant_delete_file")
    stored.deleted = True
    return {}


def download(state: State, file_id: str, token: str) -> StoredFile | None:
    """The file, or None where Slack shows its login page instead: no token, or no ``files:read``."""
    if token != state.bot_token or "files:read" not in state.app.scopes:
        return None
    stored = state.files.get(file_id)
    if stored is None or not stored.seen_by_app or stored.deleted:
        raise ApiRefusal("file_not_found", status=404)
    return stored


METHODS = {
    "files.info": Method(info, "files:read"),
    "files.delete": Method(delete, "files:write"),
}
