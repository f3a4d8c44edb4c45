"""An agent that is killed leaves no server behind, nor anything that one started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import mcp_plain_server
import psutil
import pytest
from roster import until

SCRIPT = """
import asyncio, sys
from pathlib import Path
from brain_jobs import seat
from callboard.agents.brains.mcp.content import as_text
from callboard.agents.brains.mcp.servers import Server
from callboard.agents.brains.mcp.session import Session

async def main(folder):
    server = Server("p", (sys.executable, "-S", sys.argv[2], "well", str(folder / "heard.log")))
    session = Session(server, seat(folder), folder)
    await session.tools()
    print(as_text(await session.call("spawn", {})), flush=True)
    await session.call("hang", {})

asyncio.run(main(Path(sys.argv[1])))
"""


@pytest.mark.long
def test_a_killed_agents_servers_are_gone(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", SCRIPT, str(tmp_path), mcp_plain_server.__file__]
    support = Path(mcp_plain_server.__file__).parent
    with subprocess.Popen(
        argv, env={**os.environ, "PYTHONPATH": str(support)}, stdout=subprocess.PIPE, text=True
    ) as agent:
        assert agent.stdout is not None
        spawned = int(agent.stdout.readline())
        server = int((tmp_path / "heard.log").read_text().split()[1])
        assert psutil.pid_exists(server)
        agent.kill()
    until(lambda: not psutil.pid_exists(server) and not psutil.pid_exists(spawned))
