"""A request as the API reads it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from bot.sandbox.pbx.answers import BAD_SYNTAX, Refusal
from bot.sandbox.pbx.calls import redact

API = re.compile(r"/openapi/(v\d+\.\d+)/(.+)")


@dataclass(frozen=True)
class Part:
    """A file in a multipart body."""

    filename: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Incoming:
    """One request. Its repr shows neither tokens nor bodies."""

    method: str
    #: ``v1.0``, or empty for a request that is not for the API.
    version: str
    path: str
    client: str
    user_agent: str
    query: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    #: The fields of a multipart body; None where there is no such body.
    form: Mapping[str, str | Part] | None = field(default=None, repr=False)

    @property
    def token(self) -> str | None:
        return self.query.get("access_token")

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; anything else is 40001."""
        try:
            value = json.loads(self.body)
        except ValueError as error:
            raise Refusal(BAD_SYNTAX) from error
        if not isinstance(value, dict):
            raise Refusal(BAD_SYNTAX)
        return value

    def for_log(self) -> dict[str, Any]:
        """Query and body together, without secrets; a body that cannot be read is left out."""
        try:
            body = self._form_for_log() if self.form is not None else self.json()
        except Refusal:
            body = {}
        query = {key: value for key, value in self.query.items() if key != "access_token"}
        return redact({**query, **body})

    def _form_for_log(self) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        for key, value in (self.form or {}).items():
            shown[key] = {"filename": value.filename, "size": len(value.content)} if isinstance(value, Part) else value
        return shown


async def read(request: Request) -> Incoming:
    """Take a request in whole."""
    match = API.fullmatch(request.url.path)
    form = await _form(request)
    return Incoming(
        method=request.method,
        version=match[1] if match else "",
        path=match[2] if match else request.url.path.lstrip("/"),
        client=request.client.host if request.client else "",
        user_agent=request.headers.get("user-agent", "").strip(),
        query=dict(request.query_params),
        body=b"" if form is not None else await request.body(),
        form=form,
    )


async def _form(request: Request) -> dict[str, str | Part] | None:
    """The fields of a multipart body; empty when it cannot be read, None when it is something else."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return None
    try:
        async with request.form() as form:
            return {key: await _part(value) for key, value in form.items()}
    except MultiPartException:
        return {}


async def _part(value: str | UploadFile) -> str | Part:
    return value if isinstance(value, str) else Part(value.filename or "", await value.read())
