"""ETags: whoever has an answer already is told so instead of getting it again."""

from __future__ import annotations

import hashlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_WHOLE = ("application/json", "text/html")
"""What is tagged: answers that are there as a whole; streams are not."""


class Etags:
    """Tags answers to GET by what they say."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, _Tagging(send, Headers(scope=scope).get("if-none-match", "")).send)


class _Tagging:
    def __init__(self, send: Send, known: str) -> None:
        self._send = send
        self._known = known
        self._start: Message | None = None
        self._body = bytearray()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            kind = Headers(raw=message["headers"]).get("content-type", "").partition(";")[0]
            if message["status"] != 200 or kind not in _WHOLE or Headers(raw=message["headers"]).get("etag"):
                await self._send(message)
                return
            self._start = message
            return
        if self._start is None:
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if not message.get("more_body"):
            await self._finish(self._start)

    async def _finish(self, start: Message) -> None:
        tag = f'W/"{hashlib.sha256(self._body).hexdigest()[:32]}"'
        headers = MutableHeaders(raw=list(start["headers"]))
        headers["ETag"] = tag
        headers.setdefault("Cache-Control", "private, no-cache")
        is_known = matches(self._known, tag)
        if is_known:
            del headers["content-length"], headers["content-type"]
        status = 304 if is_known else 200
        await self._send({**start, "status": status, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": b"" if is_known else bytes(self._body)})


def matches(header: str, tag: str) -> bool:
    """Whether an If-None-Match names a tag; they are compared weakly, as RFC 9110 has it."""
    named = [one.strip().removeprefix("W/") for one in header.split(",")]
    return "*" in named or tag.removeprefix("W/") in named
