"""A roster of which a driver and a reviewer are from outside; the tests are its manager, on the server of the tests."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import pytest
from boards import agent_doc, task_doc
from hand_manager import Manager
from outside_agent import from_outside
from roster import Workspace as Made
from roster import run_git, task
from served import Served

from callboard.app import Workspace
from callboard.bus.board import Change
from callboard.bus.bus import Bus
from callboard.launch.runs import create as create_run
from callboard.launch.runs import new_name
from callboard.mcp.http import create
from callboard.web.tokens import Tokens

AGENTS = ("driver-1", "driver-2", "senior")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, server_url: str) -> Workspace:
    made = Made(tmp_path_factory.mktemp("mcp") / "greenroom")
    made.init({"driver-1": task("1 - One")})
    from_outside(made, *AGENTS)
    with (made.path / "callboard.toml").open("a") as file:
        file.write("\n[intake]\nmax_total_bytes = 100_000\nmax_file_bytes = 100_000\n[web]\nbody_mb = 1\n")
    return Workspace.open(made.path, {**os.environ, "CALLBOARD_BUS_URL": server_url})


@pytest.fixture(scope="module")
def served(workspace: Workspace) -> Iterator[Served]:
    running = Served(create(workspace))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def manager(workspace: Workspace, served: Served, server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Manager:
    run = f"{new_name([])}-{tmp_path_factory.getbasetemp().name}-{id(workspace)}"
    base = run_git(workspace.root, "rev-parse", "main")
    tokens = {name: Tokens(workspace.layout.tokens).create(name, ["agent"])[0] for name in AGENTS}

    async def begin() -> None:
        async with await Bus.connect(server_url, run) as bus:
            await create_run(bus, workspace, base)
            changes = [Change(f"agent:{name}", agent_doc(name)) for name in AGENTS]
            others = Change("task:T-90", task_doc(90, "Somebody else's", agent="driver-7", attempt=1))
            await bus.change([*changes, others], sender="manager")

    asyncio.run(begin())
    return Manager(workspace, server_url, run, base, f"{served.url}/mcp", tokens)
