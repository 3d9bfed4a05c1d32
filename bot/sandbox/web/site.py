"""The page's addresses. They answer only this machine's browser, and only a page that came from here.

A web page from elsewhere can reach 127.0.0.1 through the browser of whoever looks at it. So the Host must be ours, against
names that are made to point here (DNS rebinding), and whatever acts must come from our own origin, which every browser states
for POST and for WebSockets (RFC 6454, RFC 6455 section 10.2).
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders, UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.sandbox.slack import Delivery, PersonRefused, Workspace
from bot.sandbox.web.acts import Acts, Done, Given, Malformed
from bot.sandbox.web.feed import Feed
from bot.sandbox.web.samples import Sample

STATIC = Path(__file__).parent / "static"
POLICY = "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


class PageSite:
    def __init__(self, workspace: Workspace, feed: Feed, acts: Acts, samples: Sequence[Sample]) -> None:
        self._workspace = workspace
        self._feed = feed
        self._acts = acts
        self._samples = {sample.name: sample for sample in samples}

    def routes(self) -> list[BaseRoute]:
        inner = Starlette(
            routes=[
                Route("/", self._page),
                Route("/archives/{channel}/{message}", self._permalink),
                Route("/files/{owner}/{file}/{name}", self._file),
                Route("/sandbox/act", self._act, methods=["POST"]),
                Route("/sandbox/upload", self._upload, methods=["POST"]),
                Route("/sandbox/samples/{name}", self._sample),
                WebSocketRoute("/sandbox/live", self._feed.serve),
                Mount("/sandbox/static", StaticFiles(directory=STATIC)),
            ]
        )
        return [Mount("", app=OwnOrigin(inner, self._workspace))]

    async def _page(self, request: Request) -> Response:
        return FileResponse(STATIC / "index.html")

    async def _permalink(self, request: Request) -> Response:
        """A message's link as Slack writes it: ``p`` and its ts without the dot, for a reply with its thread's."""
        digits = request.path_params["message"].removeprefix("p")
        thread = request.query_params.get("thread_ts") or f"{digits[:-6]}.{digits[-6:]}"
        where = urlencode({"channel": request.path_params["channel"], "thread": thread})
        return RedirectResponse(f"/#{where}")

    async def _file(self, request: Request) -> Response:
        """A person's file behind its permalink."""
        with self._workspace.state.changed:
            kept = self._workspace.state.files.get(request.path_params["file"])
        return _missing() if kept is None or kept.deleted else _download(kept.name, kept.content)

    async def _sample(self, request: Request) -> Response:
        sample = self._samples.get(request.path_params["name"])
        return _missing() if sample is None else _download(sample.name, sample.content)

    async def _act(self, request: Request) -> Response:
        try:
            given = json.loads(await request.body())
        except ValueError:
            given = None
        if not isinstance(given, dict):
            return _malformed("not a JSON object")
        return await run_in_threadpool(_answer, lambda: self._acts.do(given))

    async def _upload(self, request: Request) -> Response:
        async with request.form() as form:
            files = [
                (item.filename or "file", await item.read()) for item in form.getlist("file") if isinstance(item, UploadFile)
            ]
            given: Given = {key: value for key, value in form.items() if isinstance(value, str)}
        return await run_in_threadpool(_answer, lambda: self._acts.upload(given, files))


def _download(name: str, content: bytes) -> Response:
    """To be saved and never shown, whatever it is (RFC 6266)."""
    named = {"content-disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    return Response(content, media_type="application/octet-stream", headers=named)


def _missing() -> Response:
    return PlainTextResponse("There is no such file.", 404)


def _answer(act: Any) -> Response:
    """What came of an act: ``outcome`` where the app was told, ``refused`` where the person's own client says no."""
    try:
        done: Done = act()
    except PersonRefused as refusal:
        return JSONResponse({"refused": str(refusal)})
    except (Malformed, KeyError) as error:
        return _malformed(str(error))
    if isinstance(done, Delivery):
        return JSONResponse({"outcome": done.outcome})
    return JSONResponse({"options": done} if isinstance(done, list) else {})


def _malformed(sentence: str) -> Response:
    return JSONResponse({"error": sentence}, 400)


class OwnOrigin:
    """Lets through what comes from our own page, and tells the browser to keep it apart from other pages."""

    def __init__(self, app: ASGIApp, workspace: Workspace) -> None:
        self._app = app
        self._workspace = workspace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._ours(scope):
            await _refuse(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["content-security-policy"] = POLICY
                headers["x-content-type-options"] = "nosniff"
                headers["referrer-policy"] = "no-referrer"
                headers["cache-control"] = "no-cache"
            await send(message)

        await self._app(scope, receive, with_headers)

    def _ours(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if host not in (f"127.0.0.1:{self._workspace.port}", f"localhost:{self._workspace.port}"):
            return False
        acts = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD")
        return not acts or headers.get("origin") == f"http://{host}"


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
    else:
        await PlainTextResponse("This address answers only its own page.", 403)(scope, receive, send)
