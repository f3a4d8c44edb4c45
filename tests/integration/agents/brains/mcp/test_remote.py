"""Servers under a URL that misbehave: what they send is bounded, and what goes wrong is said."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from brain_jobs import seat
from loopback_http import Answer, LoopbackServer, Request

from callboard.agents.brains.mcp.program import MAX_MESSAGE_BYTES
from callboard.agents.brains.mcp.servers import Server
from callboard.agents.brains.mcp.session import ServerFailed, Session
from callboard.bus.errors import BrainError

JSON = {"content-type": "application/json"}
TOOL = {"name": "huge", "inputSchema": {"type": "object"}}
ANSWERS = {
    "initialize": {
        "protocolVersion": "2025-06-18",
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "s", "version": "1"},
    },
    "tools/list": {"tools": [TOOL]},
    "tools/call": {"content": [{"type": "text", "text": "x" * MAX_MESSAGE_BYTES}]},
}


async def well(request: Request) -> Answer:
    """As it should be, but for the size of what its tool says."""
    asked = json.loads(request.body or b"{}")
    if "id" not in asked:
        return Answer(200 if request.method == "DELETE" else 202)
    result = ANSWERS.get(asked["method"])
    told = {"result": result} if result else {"error": {"code": -32601, "message": "no such method"}}
    return Answer(200, JSON, json.dumps({"jsonrpc": "2.0", "id": asked["id"], **told}).encode())


async def compressed(request: Request) -> Answer:
    answer = await well(request)
    return Answer(answer.status, {**answer.headers, "content-encoding": "gzip"}, gzip.compress(answer.body))


async def closed(request: Request) -> Answer:
    assert request.headers["x-key"] == "given"
    return Answer(401, JSON, b"{}")


async def elsewhere(request: Request) -> Answer:
    return Answer(307, {"location": "https://elsewhere.example/mcp"})


async def ask(answer: Callable[[Request], Awaitable[Answer]], folder: Path) -> tuple[list[str], str]:
    """The tools that are offered, and what comes of calling the first."""
    http = LoopbackServer(answer)
    http.start()
    server = Server("far", url=f"http://127.0.0.1:{http.port}/mcp", headers={"X-Key": "given"}, timeout_s=30.0)
    session = Session(server, seat(folder), folder)
    try:
        tools = [tool.name for tool in await session.tools()]
        with pytest.raises(BrainError) as failed:
            await session.call("huge", {})
        return tools, str(failed.value)
    finally:
        await session.close()
        http.stop()


def test_an_answer_that_is_too_large_is_not_read_to_its_end(tmp_path: Path) -> None:
    tools, said = asyncio.run(ask(well, tmp_path))
    assert tools == ["huge"]
    assert said.startswith("MCP server far: no answer to huge")
    assert "more than 8,000,000 bytes" in said


@pytest.mark.parametrize(
    ("answer", "said"),
    [(compressed, "gzip, which was not asked for"), (closed, "HTTP 401"), (elsewhere, "elsewhere.example")],
    ids=lambda it: str(it)[:20],
)
def test_a_server_that_cannot_be_used_is_told_apart(
    tmp_path: Path, answer: Callable[[Request], Awaitable[Answer]], said: str
) -> None:
    with pytest.raises(ServerFailed, match="MCP server far: no start") as failed:
        asyncio.run(ask(answer, tmp_path))
    assert said in str(failed.value)
