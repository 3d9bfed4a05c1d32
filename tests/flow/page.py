"""The sandbox's page without a browser: what static/store.js is told, and what static/api.js sends."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import requests
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

T = TypeVar("T")


class Page:
    """As the first of its people."""

    def __init__(self, url: str, socket: ClientConnection) -> None:
        self._url = url
        self._socket = socket
        self._pieces: dict[str, Any] = {}
        self._receive(10)

    @classmethod
    @contextmanager
    def open(cls, url: str) -> Iterator[Self]:
        assert requests.get(url, timeout=10).headers["content-type"].startswith("text/html")
        live = f"ws://{urlsplit(url).netloc}/sandbox/live"
        with connect(live, origin=Origin(url.rstrip("/"))) as socket:
            yield cls(url, socket)

    def get(self, piece: str) -> Any:
        return self._pieces[piece]

    def messages(self, channel: str) -> list[dict[str, Any]]:
        """Those of the channel and its threads, the oldest first."""
        found = [value for name, value in self._pieces.items() if name.startswith(f"message:{channel}:")]
        return sorted(found, key=lambda message: float(message["ts"]))

    def cards(self) -> list[str]:
        """The names of the pieces that are cards: only these begin with a header."""
        return [name for name, value in self._pieces.items() if name.startswith("message:") and _is_card(value)]

    def view(self, callback_id: str) -> str | None:
        """The id of the modal on top, if it is this one."""
        modals = self._pieces["modals"]
        return modals[-1]["id"] if modals and modals[-1]["callback_id"] == callback_id else None

    def field(self, label: str) -> dict[str, str]:
        """Where in the modal on top the field with this label is."""
        modal = self._pieces["modals"][-1]
        block = next(each for each in modal["blocks"] if each.get("label", {}).get("text") == label)
        return {"view": modal["id"], "block": block["block_id"], "action": block["element"]["action_id"]}

    def act(self, what: str, **given: Any) -> None:
        """What is refused, or not understood, fails."""
        body = json.dumps({"do": what, "as": self._pieces["me"]["id"], **given})
        answer = requests.post(f"{self._url}sandbox/act", body, headers={"origin": self._url.rstrip("/")}, timeout=10)
        assert answer.status_code == 200, answer.text
        assert "refused" not in answer.json(), answer.text

    def wait_for(self, happened: Callable[[], T | None], timeout: float = 20) -> T:
        """Until the page was told so; TimeoutError if that takes more than so many seconds."""
        deadline = time.monotonic() + timeout
        while not (found := happened()):
            self._receive(deadline - time.monotonic())
        return found

    def _receive(self, timeout: float) -> None:
        told = json.loads(self._socket.recv(timeout=timeout))
        for name in told["gone"]:
            del self._pieces[name]
        self._pieces |= told["new"]


def _is_card(message: dict[str, Any]) -> bool:
    blocks = message.get("blocks") or [{}]
    return bool(blocks[0].get("type") == "header")
