"""POSTs to a response_url (docs.slack.dev/interactivity/handling-user-interaction, "Message responses")."""

from __future__ import annotations

import json
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.sandbox.slack.conversations import edit, post, require_content
from bot.sandbox.slack.errors import ApiRefusal
from bot.sandbox.slack.records import Call, Channel, Json, Message, ResponseUrl
from bot.sandbox.slack.state import State
from bot.sandbox.slack.trouble import RESPONSE_URL
from bot.sandbox.slack.web_api import Guard

USES = 5
LIFETIME = timedelta(minutes=30)


class ResponseUrls:
    def __init__(self, state: State, guard: Guard) -> None:
        self._state = state
        self._guard = guard

    async def handle(self, request: Request) -> Response:
        key = request.path_params["key"]
        try:
            given = json.loads(await request.body())
        except ValueError:
            given = None
        args = given if isinstance(given, dict) else {}
        return await self._guard.run(RESPONSE_URL, args, lambda call: self._answer(call, key))

    def _answer(self, call: Call, key: str) -> Response:
        if not call.args:
            raise ApiRefusal("invalid_payload", status=400)
        url = self._usable(key)
        call.effect = respond(self._state, url, call.args)
        url.uses += 1
        return JSONResponse({"ok": True})

    def _usable(self, key: str) -> ResponseUrl:
        url = self._state.response_urls.get(key)
        if url is None or self._state.now() - url.issued > LIFETIME:
            raise ApiRefusal("expired_url", status=404)
        if url.uses >= USES:
            raise ApiRefusal("used_url", status=404)
        return url


def respond(state: State, url: ResponseUrl, given: Json) -> str | None:
    """Do what one answer asks; the ts of the message it made, changed or removed."""
    channel = state.channels[url.channel]
    original = channel.find(url.original) if url.original else None
    if given.get("delete_original"):
        return _delete(state, channel, original)
    text, blocks = str(given.get("text") or ""), given.get("blocks")
    require_content(text, blocks)
    if given.get("replace_original") and original is not None:
        edit(state, original, text, blocks or [])
        return original.ts
    message = post(
        state,
        channel,
        text=text,
        blocks=blocks,
        thread_ts=given.get("thread_ts"),
        viewer=None if given.get("response_type") == "in_channel" else url.user,
    )
    if url.original is None:
        url.original = message.ts
    return message.ts


def _delete(state: State, channel: Channel, original: Message | None) -> str:
    if original is None:
        raise ApiRefusal("message_not_found", status=404)
    channel.messages.remove(original)
    state.changed.notify_all()
    return original.ts
