"""Files (docs.slack.dev/reference/methods/files.info and files.delete, docs.slack.dev/reference/objects/file-object)."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from bot.sandbox.slack import PersonRefused, Workspace
from tests.unit.slack_app import client, manifest, modal, opened, plain, refusal, robot, workspace

FILES: dict[str, Any] = {"type": "input", "label": plain("Files"), "element": {"type": "file_input", "action_id": "f"}}


def handed_over(ws: Workspace, content: bytes) -> Any:
    """A file that a person gave to the app in a form, as the submission describes it."""
    form = opened(ws, ws.add_person("ana"), modal(FILES))
    form.attach("Files", ("a.pem", content))
    (fields,) = form.submit().payload["view"]["state"]["values"].values()
    return fields["f"]["files"][0]


def test_a_file_is_fetched_with_the_bot_s_token() -> None:
    """url_private_download gives the bytes with the token, and the log shows the download."""
    with workspace() as ws, robot(ws):
        given = handed_over(ws, b"\x00certificate")
        headers = {"Authorization": f"Bearer {ws.bot_token}"}
        assert requests.get(given["url_private_download"], headers=headers, timeout=5).content == b"\x00certificate"
        assert (ws.log[-1].method, ws.log[-1].args) == ("files.download", {"file": given["id"]})
        assert "Sign in" in requests.get(given["url_private_download"], timeout=5).text


def test_without_the_scope_a_login_page_comes_with_status_200() -> None:
    """Without files:read the download is an HTML page that looks like success."""
    with workspace(manifest=manifest(without=("files:read",))) as ws, robot(ws):
        given = handed_over(ws, b"certificate")
        headers = {"Authorization": f"Bearer {ws.bot_token}"}
        answer = requests.get(given["url_private_download"], headers=headers, timeout=5)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")


def test_a_person_s_file_is_not_the_app_s_to_delete() -> None:
    """files.delete of a file that somebody uploaded is cant_delete_file; once the person deleted it, it is file_deleted."""
    with workspace() as ws, robot(ws):
        ana = ws.add_person("ana")
        form = opened(ws, ana, modal(FILES))
        form.attach("Files", ("a.key", b"key"))
        (fields,) = form.submit().payload["view"]["state"]["values"].values()
        identity = fields["f"]["files"][0]["id"]
        assert refusal(client(ws).files_delete, file=identity)["error"] == "cant_delete_file"
        with pytest.raises(PersonRefused):
            ws.add_person("ben").delete_file(identity)
        ana.delete_file(identity)
        assert refusal(client(ws).files_info, file=identity)["error"] == "file_deleted"


def test_a_file_the_app_was_not_given_does_not_exist_for_it() -> None:
    """An upload that was handed over nowhere, or is unknown, cannot be read."""
    with workspace() as ws:
        ana = ws.add_person("ana")
        upload = ana.upload("a.pem", b"x")
        assert refusal(client(ws).files_info, file=upload)["error"] == "file_not_found"
        assert refusal(client(ws).files_info, file="F404")["error"] == "file_not_found"
