"""Idempotency-Key: the same request again gets the first answer, and does nothing again; also after this process was killed.

What a request does goes over the bus under the same key (`give(..., key=...)`), which the bus carries out once and answers
again. So an answer that was not kept, as the process died before it was sent, is had again; what is kept here is the whole
answer, for requests that are repeated later.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated
from weakref import WeakValueDictionary

from fastapi import Depends, Header, Request
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from callboard.bus.places import private_folder
from callboard.bus.whole_files import write_whole
from callboard.web.callers import Caller, caller, identify
from callboard.web.house import House
from callboard.web.problems import Refused, problem

KEPT_S = 24 * 3600
"""As long as the bus remembers a key (bus/parcel.py)."""
_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_PASSING = frozenset({401, 403, 421, 429})
"""Answers that say nothing of the request itself; with those from 500 on they are not kept."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer, and what was asked."""

    asked: str
    """SHA-256 of the request's body."""
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Repeats:
    """Answers of one workspace, one file each."""

    folder: Path
    now: Callable[[], float] = time.time
    _swept: float = 0.0

    def find(self, name: str) -> Kept | None:
        path = self.folder / f"{name}.json"
        with suppress(OSError, ValueError, KeyError):
            if self.now() - path.stat().st_mtime > KEPT_S:
                return None
            found = json.loads(path.read_bytes())
            return Kept(found["asked"], found["status"], found["headers"], b64decode(found["body"]))
        return None

    def keep(self, name: str, kept: Kept) -> None:
        private_folder(self.folder)
        document = {
            "asked": kept.asked,
            "status": kept.status,
            "headers": kept.headers,
            "body": b64encode(kept.body).decode(),
        }
        write_whole(self.folder / f"{name}.json", json.dumps(document))
        if self.now() - self._swept > KEPT_S / 24:
            self._swept = self.now()
            self._sweep()

    def _sweep(self) -> None:
        for path in self.folder.glob("*.json"):
            with suppress(OSError):
                if self.now() - path.stat().st_mtime > KEPT_S:
                    path.unlink()


@dataclass(slots=True)
class Repeating:
    """Keeps answers to requests with a key, and gives them again. Plain ASGI."""

    app: ASGIApp
    house: House
    repeats: Repeats
    _turns: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)
    """By request: a repeat waits for the first one's answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = Headers(scope=scope).get("idempotency-key", "") if scope["type"] == "http" else ""
        if not key or scope["method"] not in ("POST", "PUT", "PATCH", "DELETE"):
            await self.app(scope, receive, send)
            return
        answer = await self._answer(scope, receive, send, key)
        if answer is not None:
            await answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, key: str) -> Response | None:
        """An answer that was kept, or why there can be none; None = the request was done and answered."""
        if not _KEY.fullmatch(key):
            return problem(400, "an Idempotency-Key is 1 to 200 visible ASCII characters")
        try:
            found = await identify(self.house, HTTPConnection(scope))
        except Refused as error:
            return problem(error.status, error.detail, headers=error.headers)
        if found is None:
            await self.app(scope, receive, send)  # the route refuses it
            return None
        body = await _whole(receive)
        name = _digest(f"{found.token} {','.join(found.scopes)} {scope['method']} {scope['path']} {key}".encode())
        turn = self._turns.setdefault(name, asyncio.Lock())
        async with turn:
            return await self._first_or_again(name, body, scope, receive, send)

    async def _first_or_again(
        self, name: str, body: bytes, scope: Scope, receive: Receive, send: Send
    ) -> Response | None:
        kept = await asyncio.to_thread(self.repeats.find, name)
        if kept is None:
            recording = _Recording(send)
            await self.app(scope, _again(body, receive), recording.send)
            if recording.status < 500 and recording.status not in _PASSING:
                kept = Kept(_digest(body), recording.status, recording.headers, bytes(recording.body))
                await asyncio.to_thread(self.repeats.keep, name, kept)
            await recording.pass_on()
            return None
        if kept.asked != _digest(body):
            return problem(422, "this Idempotency-Key was used for another request; take a new one")
        return Response(kept.body, kept.status, {**kept.headers, "Idempotency-Replayed": "true"})


@dataclass(slots=True)
class _Recording:
    """Holds an answer back until it is kept: who has got it may rely on getting it again."""

    _send: Send
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    _messages: list[Message] = field(default_factory=list)

    async def send(self, message: Message) -> None:
        self._messages.append(message)
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = Headers(raw=message["headers"])
            self.headers = {name: headers[name] for name in ("content-type", "location") if name in headers}
        self.body += message.get("body", b"")

    async def pass_on(self) -> None:
        for message in self._messages:
            await self._send(message)


async def _whole(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = bool(message.get("more_body")) and message["type"] == "http.request"
    return body


def _again(body: bytes, receive: Receive) -> Receive:
    given = False

    async def receiving() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receiving


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _command_key(
    request: Request,
    found: Annotated[Caller, Depends(caller)],
    idempotency_key: Annotated[
        str, Header(max_length=200, description="The same key again is the same request: it is done once, for 24 h.")
    ] = "",
) -> str:
    return f"http {found.token} {request.url.path} {idempotency_key}" if idempotency_key else ""


CommandKey = Annotated[str, Depends(_command_key)]
"""What a command of this request is called on the bus; "" = the request has no Idempotency-Key."""
