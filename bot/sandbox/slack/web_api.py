"""From an HTTP request to a Web API method and back: token, scope, rate limit, trouble, log.

docs.slack.dev/apis/web-api.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from bot.sandbox.slack import files, methods_chat, methods_read, methods_views
from bot.sandbox.slack.asked import Asked
from bot.sandbox.slack.errors import ApiRefusal
from bot.sandbox.slack.limits import RateLimits
from bot.sandbox.slack.records import Call, Json
from bot.sandbox.slack.state import State
from bot.sandbox.slack.trouble import Failure, Trouble

METHODS = {**methods_chat.METHODS, **methods_views.METHODS, **methods_read.METHODS, **files.METHODS}


class Dropped(Response):
    """No answer at all: the connection is closed instead."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["sandbox.transport"].abort()
        while (await receive())["type"] != "http.disconnect":
            pass


class Silent(Response):
    """No answer at all, on a connection that stays open until the caller gives up."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass


async def _arguments(request: Request) -> Json:
    """Arguments from the query, a form or a JSON object."""
    args: Json = dict(request.query_params)
    body = await request.body()
    if not body:
        return args
    if "application/json" not in request.headers.get("content-type", ""):
        return args | {key: value for key, value in (await request.form()).items() if isinstance(value, str)}
    try:
        given = await request.json()
    except ValueError:
        raise ApiRefusal("invalid_json") from None
    if not isinstance(given, dict):
        raise ApiRefusal("json_not_object")
    return args | given


def bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else ""


class Guard:
    """Runs one request: logs it, lets it suffer what `trouble` has in store, and answers."""

    def __init__(self, state: State, trouble: Trouble) -> None:
        self._state = state
        self._trouble = trouble

    async def run(self, name: str, args: Json, act: Callable[[Call], Response]) -> Response:
        """`act` has the effect and makes the answer; it is called under the lock, at most once."""
        fate = self._trouble.take(name)
        call = self._begin(name, args)
        await asyncio.sleep(fate.before)
        failure = fate.failure
        answer = self._act(call, act) if failure is None or failure.after_effect else Response()
        if failure is not None:
            answer = failed(failure)
            call.error = "no answer" if failure.drop or failure.hang else failure.error
        await asyncio.sleep(fate.after)
        self._finish(call, answer)
        return answer

    def _begin(self, name: str, args: Json) -> Call:
        with self._state.changed:
            call = Call(name, args, time.monotonic())
            self._state.log.append(call)
            self._state.changed.notify_all()
            return call

    def _act(self, call: Call, act: Callable[[Call], Response]) -> Response:
        with self._state.changed:
            try:
                return act(call)
            except ApiRefusal as refusal:
                call.error = refusal.error
                return refused(refusal)

    def _finish(self, call: Call, answer: Response) -> None:
        with self._state.changed:
            call.ended_at, call.ok, call.status = time.monotonic(), call.error is None, answer.status_code
            self._state.changed.notify_all()


def refused(refusal: ApiRefusal) -> Response:
    body = {"ok": False, "error": refusal.error, **refusal.fields}
    return JSONResponse(body, status_code=refusal.status, headers=refusal.headers)


def failed(failure: Failure) -> Response:
    """The answer of a failure on request."""
    if failure.drop:
        return Dropped()
    if failure.hang:
        return Silent()
    headers = {} if failure.retry_after is None else {"Retry-After": str(failure.retry_after)}
    if failure.status in (200, 429):
        return JSONResponse({"ok": False, "error": failure.error}, status_code=failure.status, headers=headers)
    return PlainTextResponse("Slack is having trouble.", status_code=failure.status, headers=headers)


class WebApi:
    def __init__(self, state: State, limits: RateLimits, guard: Guard) -> None:
        self._state = state
        self._limits = limits
        self._guard = guard

    async def handle(self, request: Request) -> Response:
        name = request.path_params["method"]
        try:
            args = await _arguments(request)
        except ApiRefusal as refusal:
            return refused(refusal)
        in_body = str(args.pop("token", ""))
        token = bearer(request) or ("" if name == "apps.connections.open" else in_body)
        return await self._guard.run(name, args, lambda call: self._answer(call, token))

    def _answer(self, call: Call, token: str) -> Response:
        method = METHODS.get(call.method)
        if method is None:
            raise ApiRefusal("unknown_method", req_method=call.method)
        asked = Asked(self._state, call.args, call)
        self._require_token(token, method.token)
        if method.scope:
            asked.need(method.scope)
        self._require_budget(call)
        answer = method.run(asked)
        scopes = "connections:write" if method.token == "app" else ",".join(self._state.app.scopes)
        return JSONResponse({"ok": True, **answer}, headers={"x-oauth-scopes": scopes})

    def _require_token(self, token: str, kind: str) -> None:
        tokens = {self._state.bot_token: "bot", self._state.app_token: "app"}
        if not token:
            raise ApiRefusal("not_authed")
        if token not in tokens:
            raise ApiRefusal("invalid_auth")
        if tokens[token] != kind:
            raise ApiRefusal("not_allowed_token_type")

    def _require_budget(self, call: Call) -> None:
        wait = self._limits.wait(call.method, str(call.args.get("channel", "")))
        if wait:
            raise ApiRefusal("ratelimited", status=429, headers={"Retry-After": str(wait)})
