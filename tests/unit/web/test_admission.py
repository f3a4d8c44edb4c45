"""What a request passes before any route; without a network."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from fastapi import FastAPI, Request
from starlette.types import Message, Scope

from callboard.web.admission import Admission, host_of
from callboard.web.limits import BURST_S, MOST_BUCKETS, Rates


def asked(
    parts: Sequence[bytes], most_bytes: int, *, per_minute: int = 10_000, times: int = 1, is_guarded: bool = True
) -> list[int]:
    """The statuses of an application that reads the whole body, asked some times."""
    app = FastAPI()

    @app.post("/")
    async def read(request: Request) -> int:
        return len(await request.body())

    admitted = Admission(app, (), Rates(per_minute, lambda: 0.0), most_bytes) if is_guarded else app
    scope: Scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "headers": [(b"host", b"localhost:8000")],
        "client": ("127.0.0.1", 1),
    }
    statuses: list[int] = []

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    async def ask() -> None:
        left = [*parts]

        async def receive() -> Message:
            part = left.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(left)}

        await admitted(dict(scope), receive, send)

    async def scenario() -> None:
        for _ in range(times):
            await ask()

    asyncio.run(scenario())
    return statuses


def test_a_body_that_hides_its_length_ends_where_it_is_too_long() -> None:
    assert asked([b"12345", b"67890"], 10) == [200]
    assert asked([b"12345", b"678901"], 10) == [413]


def test_without_admission_a_body_of_any_length_is_read() -> None:
    assert asked([b"12345", b"678901"], 10, is_guarded=False) == [200]


def test_who_asks_too_much_waits() -> None:
    burst = BURST_S
    assert asked([b""], 10, per_minute=60, times=burst + 2) == [200] * burst + [429] * 2


def test_a_bucket_fills_again_as_time_goes_by() -> None:
    now = 0.0
    rates = Rates(60, lambda: now)
    assert [rates.take("ada") for _ in range(BURST_S + 1)] == [0] * BURST_S + [1]
    assert rates.take("bob") == 0
    now = 2.0
    assert [rates.take("ada") for _ in range(3)] == [0, 0, 1]
    now = 1_000_000.0
    assert [rates.take("ada") for _ in range(BURST_S + 1)] == [0] * BURST_S + [1]


def test_many_callers_take_no_more_room() -> None:
    rates = Rates(60, lambda: 0.0)
    for n in range(MOST_BUCKETS + 10):
        rates.take(str(n))
    assert len(rates._buckets) == MOST_BUCKETS


def test_a_host_is_its_name_without_the_port() -> None:
    assert [host_of(text) for text in ("LocalHost:80", "[::1]:80", "a.example", "", "[::1")] == [
        "localhost",
        "[::1]",
        "a.example",
        "",
        "[::1]",
    ]
