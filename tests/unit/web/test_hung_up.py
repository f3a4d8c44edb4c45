"""A client that hangs up is silent; what fails otherwise amid a stream is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from anyio import BrokenResourceError
from fastapi import FastAPI
from starlette.responses import StreamingResponse
from starlette.types import Message

from callboard.bus.redaction import Redactor
from callboard.web.hung_up import HungUp
from callboard.web.problems import add_handlers


def stream(error: Exception) -> list[str]:
    """The types of what is sent when a stream that has begun fails so."""
    app = FastAPI()
    add_handlers(app, Redactor([]))
    app.add_middleware(HungUp)

    @app.get("/")
    async def events() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            yield b"data: 1\n\n"
            raise error

        return StreamingResponse(parts())

    sent: list[str] = []

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message["type"])

    scope = {"type": "http", "method": "GET", "path": "/", "raw_path": b"/", "query_string": b"", "headers": []}
    asyncio.run(app({**scope, "asgi": {"spec_version": "2.4"}, "root_path": ""}, receive, send))
    return sent


def test_a_stream_that_nobody_reads_any_more_ends_in_silence() -> None:
    nobody_reads = ExceptionGroup("tasks", [BrokenResourceError(), ExceptionGroup("inside", [BrokenResourceError()])])
    assert stream(nobody_reads) == ["http.response.start", "http.response.body"]


def test_what_fails_beside_it_is_told() -> None:
    with pytest.raises(RuntimeError):
        stream(ExceptionGroup("tasks", [BrokenResourceError(), ValueError("a defect")]))
