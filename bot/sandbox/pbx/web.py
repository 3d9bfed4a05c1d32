"""The web server in front of the API: reads a request, has it answered, and gets the answer out (or not)."""

import asyncio
import html
import json
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Message, Receive, Scope, Send

from bot.sandbox.pbx.answers import Answer
from bot.sandbox.pbx.incoming import Incoming, read
from bot.sandbox.pbx.trouble import Mischief

#: The PBX closes each connection after answering (developer-guide/api-request-overview).
CLOSE = {"connection": "close"}
#: Between two bytes of an answer that trickles; far below any caller's patience with a silent line.
TRICKLE_SECONDS = 0.1

#: Does the work of a call; says what it meets, what it answers (if anything), and its number in the record.
Work = Callable[[Incoming], tuple[Mischief, Answer | None, int]]


class WebServer:
    """An ASGI application. ``delivered`` is told a call's number just before its whole answer is sent."""

    def __init__(self, work: Work, delivered: Callable[[int], None]) -> None:
        self._work = work
        self._delivered = delivered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        incoming = await read(request)
        if not incoming.version:
            await _portal(incoming)(scope, receive, send)
            return
        mischief, answer, number = self._work(incoming)
        if mischief.late:
            await _gone_within(receive, mischief.late)
        if await request.is_disconnected() or scope["state"]["transport"].is_closing():
            return
        await self._finish(mischief, answer, number, scope, receive, send)

    async def _finish(
        self, mischief: Mischief, answer: Answer | None, number: int, scope: Scope, receive: Receive, send: Send
    ) -> None:
        fate = mischief.fate.kind if mischief.fate else None
        if fate == "drop":
            scope["state"]["transport"].abort()
            await _gone_within(receive)
        elif fate == "truncate":
            await _send_half(_encode(mischief, answer), scope, receive, send)
        elif fate == "hang":
            await _gone_within(receive)
        elif fate == "trickle":
            await _trickle(_encode(mischief, answer), scope, receive, send)
        elif fate == "html":
            await _gateway_page(mischief)(scope, receive, send)
        else:
            self._delivered(number)
            await _encode(mischief, answer)(scope, receive, send)


def _encode(mischief: Mischief, answer: Answer | None) -> Response:
    content = json.dumps(_as_strings(answer) if mischief.strings else answer)
    return Response(content, media_type=mischief.content_type, headers=CLOSE)


def _as_strings(value: Any) -> Any:
    """The same with every number as a string."""
    if isinstance(value, dict):
        return {key: _as_strings(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_strings(item) for item in value]
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _gateway_page(mischief: Mischief) -> Response:
    status = mischief.fate.status if mischief.fate else 502
    return HTMLResponse(f"<html><head><title>{status}</title></head><body>Gateway</body></html>", status, CLOSE)


def _portal(incoming: Incoming) -> Response:
    """What a person meets who opens the PBX in a browser, or a client that has the wrong path."""
    page = f"<html><head><title>PBX</title></head><body>No such page: {html.escape(incoming.path)}</body></html>"
    return HTMLResponse(page if incoming.path else "<html><title>PBX</title></html>", 404 if incoming.path else 200, CLOSE)


async def _send_half(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Announce the whole answer, send half of it and close."""

    async def cut(message: Message) -> None:
        if message["type"] == "http.response.body":
            body = message["body"]
            message = {**message, "body": body[: len(body) // 2], "more_body": True}
        await send(message)

    await response(scope, receive, cut)
    scope["state"]["transport"].close()
    await _gone_within(receive)


async def _trickle(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Announce the whole answer and send its first bytes one by one, until the caller has had enough."""

    async def slowly(message: Message) -> None:
        if message["type"] != "http.response.body":
            await send(message)
            return
        for byte in message["body"][:-1]:
            if scope["state"]["transport"].is_closing():
                return
            await send({"type": message["type"], "body": bytes((byte,)), "more_body": True})
            await asyncio.sleep(TRICKLE_SECONDS)

    await response(scope, receive, slowly)
    scope["state"]["transport"].close()
    await _gone_within(receive)


async def _gone_within(receive: Receive, seconds: float | None = None) -> None:
    """Wait until the connection is closed, but no longer than this."""
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                continue
    except TimeoutError:
        return
