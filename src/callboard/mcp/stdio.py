"""The MCP server on stdin and stdout: started by the client, for one agent."""

from __future__ import annotations

import asyncio
import signal

from callboard.app import Workspace
from callboard.mcp.callers import VARIABLE, agent_of
from callboard.mcp.shift import Members
from callboard.mcp.tools import Tools, server


async def serve(workspace: Workspace) -> None:
    """Serve until the client closes stdin, or SIGTERM or SIGINT.

    Raises:
        Refused: The token in CALLBOARD_TOKEN is no agent's from outside.
    """
    text = workspace.environ.get(VARIABLE, "")
    agent_of(workspace, text)
    members = Members(workspace)
    made = server(Tools(members, lambda _: text))
    serving = asyncio.create_task(made.run_stdio_async())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
    try:
        await asyncio.wait({serving})
        if not serving.cancelled():
            serving.result()
    finally:
        await members.leave()
