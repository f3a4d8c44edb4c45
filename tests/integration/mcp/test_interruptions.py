"""Tokens that end in the middle, servers that are killed in the middle, and lines that are none."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import roster
from hand_manager import Manager
from mcp import MCPError
from outside_agent import NEW_B
from roster import Workspace as Made
from roster import kill

from callboard.app import Workspace
from callboard.web.tokens import Tokens

pytestmark = pytest.mark.long
WAITS = "touch started; until test -e go; do sleep 0.1; done"
"""A check in whose middle a test is."""


async def until(is_so: Callable[[], bool]) -> None:
    """Look again until it is; the server goes on meanwhile."""
    await asyncio.to_thread(roster.until, is_so)


def servers() -> list[psutil.Process]:
    """The MCP servers on stdin and stdout that were started here."""
    ours = []
    for process in psutil.Process().children():
        with suppress(psutil.Error):
            if process.cmdline()[2:4] == ["callboard", "mcp"]:
                ours.append(process)
    return ours


def test_a_token_that_is_revoked_in_the_middle_ends_nothing_but_what_may_be_done_with_it(
    manager: Manager, workspace: Workspace
) -> None:
    tokens = Tokens(workspace.layout.tokens)

    async def scenario() -> None:
        text, token = tokens.create("senior", ["agent"])
        await manager.ask_review("senior", "T-1", manager.base)
        async with manager.over_stdio("senior", text) as agent:
            review = await agent.next("review")
            tokens.revoke(token.id)
            assert "revoked" in await agent.refused("verdict", work=review["work"], vote="approved")
            assert "revoked" in await agent.refused("accept", work=review["work"])
            assert "revoked" in await agent.refused("board")
        async with manager.agent("senior") as agent:
            assert (await agent.next("review"))["work"] == review["work"], "it is given back"
            await agent.call("verdict", work=review["work"], vote="approved")
        assert await manager.kinds("senior", "T-1") == ["verdict.given"]
        text, token = tokens.create("driver-2", ["agent"])
        await manager.assign("driver-2", "T-2")
        async with manager.agent("driver-2", text) as agent:
            await agent.next()
            tokens.revoke(token.id)
            with pytest.raises((MCPError, ExceptionGroup)):
                await agent.call("evidence", work="T-2.1", diff=NEW_B)
        async with manager.agent("driver-2") as agent:
            assert (await agent.call("next_task", wait_s=0))["state"] == "in hand"
            await agent.call("evidence", work="T-2.1", diff=NEW_B)
        assert (await manager.kinds("driver-2", "T-2")).count("evidence.submitted") == 1

    asyncio.run(scenario())


def test_a_server_that_is_killed_in_the_middle_of_a_call_has_no_double_effect(manager: Manager) -> None:
    async def hands_in_and_is_killed(folders: list[Path]) -> None:
        with suppress(MCPError, OSError, ExceptionGroup):
            async with manager.over_stdio("driver-1") as agent:
                folders.append(Path((await agent.next())["folder"]))
                call = asyncio.create_task(agent.call("evidence", work="T-3.1", diff=NEW_B))
                await until((folders[0] / "started").exists)
                kill(servers())
                await call

    async def hands_in_again(heard: dict[str, Any]) -> None:
        with suppress(MCPError, OSError, ExceptionGroup):
            async with manager.over_stdio("driver-1") as agent:
                task = await agent.next()
                clone = Path(task["folder"])
                heard["work"], heard["b.txt"] = task["work"], (clone / "b.txt").read_text()
                call = asyncio.create_task(agent.call("evidence", work="T-3.1", diff=NEW_B))
                await until((clone / "started").exists)
                heard["twice"] = await agent.refused("evidence", work="T-3.1", diff=NEW_B)
                (clone / "go").touch()
                await manager.heard("evidence.submitted", "driver-1", "T-3")
                kill(servers())
                await call

    async def scenario() -> None:
        folders: list[Path] = []
        heard: dict[str, Any] = {}
        await manager.assign("driver-1", "T-3", checks=(WAITS,))
        await hands_in_and_is_killed(folders)
        assert folders, "it was killed in the middle of the check"
        assert "evidence.submitted" not in await manager.kinds("driver-1", "T-3")
        await until(lambda: not Made(manager.workspace.root).processes())  # the check ends with its server
        await hands_in_again(heard)
        twice = heard.pop("twice", "")
        assert heard == {"work": "T-3.1", "b.txt": "b\n"}, "what was handed in lay there again"
        assert "is being handed in already" in twice
        async with manager.over_stdio("driver-1") as agent:
            assert "not in your hands" in await agent.refused("evidence", work="T-3.1", diff=NEW_B)
        assert (await manager.kinds("driver-1", "T-3")).count("evidence.submitted") == 1

    asyncio.run(scenario())


def test_lines_that_are_no_requests_do_nothing_and_the_next_request_is_answered(
    manager: Manager, workspace: Workspace
) -> None:
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    asked = {"jsonrpc": "2.0", "id": 7, "method": "initialize", "params": hello}
    call = {"name": "accept", "arguments": {"work": "x" * 5_000_000}}
    garbage = [b"garbage", b"{", b"[]", b"null", b'{"jsonrpc":"2.0"}', b"\xff\x00\xfe", b'"' + b"a" * 5_000_000 + b'"']
    lines = [
        *garbage,
        json.dumps(asked).encode(),
        b'{"jsonrpc":"2.0","method":"notifications/initialized"}',
        json.dumps({"jsonrpc": "2.0", "id": 8, "method": "tools/call", "params": call}).encode(),
    ]
    env = {**os.environ, "CALLBOARD_TOKEN": manager.tokens["driver-1"], "CALLBOARD_BUS_URL": manager.url}
    argv = [sys.executable, "-m", "callboard", "mcp", "--dir", str(workspace.root)]
    with subprocess.Popen(argv, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"".join(line + b"\n" for line in lines))
        process.stdin.flush()
        found: dict[object, Any] = {}
        while not {7, 8} <= found.keys():
            answer = json.loads(process.stdout.readline())
            found[answer.get("id")] = answer
        process.stdin.close()
    assert process.returncode == 0
    assert found[7]["result"]["serverInfo"]["name"] == "callboard"
    assert found[8]["result"]["isError"]
    assert len(json.dumps(found[8])) < 2_000, "what was too long is not told back"
