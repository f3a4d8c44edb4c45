"""An agent from outside: the SDK's own MCP client, against `callboard mcp` as a client starts or reaches it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from roster import Workspace

NEW_B = "diff --git a/b.txt b/b.txt\nnew file mode 100644\n--- /dev/null\n+++ b/b.txt\n@@ -0,0 +1 @@\n+b\n"
NOT_YET = ("no roster runs here", "nothing was launched here yet", "no answer from")
"""What is said while a launch begins."""


def from_outside(made: Workspace, *agents: str) -> None:
    """Let agents of a workspace be from outside, instead of having a command."""
    path = made.path / "callboard.toml"
    text = path.read_text()
    for agent in agents:
        head, name, rest = text.partition(f'name = "{agent}"')
        before, _, after = rest.partition("command = ")
        text = f"{head}{name}{before}outside = true\n{after.partition(chr(10))[2]}"
    path.write_text(text)


def token_of(made: Workspace, name: str, *scopes: str) -> str:
    options = [part for scope in scopes or ("agent",) for part in ("--scope", scope)]
    return str(json.loads(made.call("token", "create", name, *options, "--json").stdout)["token"])


class ToolFailed(Exception):
    """A tool said no; `str()` is its sentence."""


@dataclass(frozen=True)
class OutsideAgent:
    """One connected client."""

    client: Client

    async def call(self, tool: str, **arguments: Any) -> Any:
        """What a tool answers.

        Raises:
            ToolFailed
        """
        answered = await self.client.call_tool(tool, arguments)
        if answered.is_error:
            raise ToolFailed(" ".join(getattr(part, "text", "") for part in answered.content))
        return answered.structured_content

    async def refused(self, tool: str, **arguments: Any) -> str:
        """The sentence with which a tool says no; fails where it does not."""
        try:
            answered = await self.call(tool, **arguments)
        except ToolFailed as error:
            return str(error)
        raise AssertionError(f"{tool} was done: {answered}")

    async def joined(self) -> None:
        """Wait for the roster."""
        while True:
            try:
                await self.call("next_task", wait_s=0)
                return
            except ToolFailed as error:
                if not any(said in str(error) for said in NOT_YET):
                    raise
            await asyncio.sleep(0.2)

    async def next(self, kind: str = "task") -> dict[str, Any]:
        """The next piece of work, accepted; waits for the roster, too."""
        await self.joined()
        while True:
            found = await self.call("next_task", wait_s=5)
            if found["state"] != "nothing":
                assert found["kind"] == kind, found
                accepted = await self.call("accept", work=found["work"])
                return dict(accepted)


@asynccontextmanager
async def over_stdio(made: Workspace, token: str, **more: str) -> AsyncIterator[OutsideAgent]:
    """As a client starts it, which closes its stdin in the end.

    Args:
        more: Variables that it gets besides.
    """
    argv = ["-m", "callboard", "mcp", "--dir", str(made.path)]
    env = {**os.environ, "CALLBOARD_TOKEN": token, **more}
    async with Client(StdioServerParameters(command=sys.executable, args=argv, env=env)) as client:
        yield OutsideAgent(client)


@asynccontextmanager
async def over_http(url: str, token: str) -> AsyncIterator[OutsideAgent]:
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=600) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        yield OutsideAgent(client)
