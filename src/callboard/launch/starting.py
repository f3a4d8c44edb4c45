"""How a launch starts its agents: by a fork server on Linux, one by one elsewhere."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from callboard.app import Workspace
from callboard.launch.children import Starter
from callboard.launch.forks import ForkServer
from callboard.launch.spawning import Spawner
from callboard.needs import heavy_modules

CALLBOARD = (sys.executable, "-m", "callboard")


@asynccontextmanager
async def starting(workspace: Workspace, url: str) -> AsyncIterator[Starter]:
    """What starts the agents of a launch, until the end.

    Args:
        url: Of the bus; it may hold a password, so agents get it by their environment.
    """
    env = {**workspace.environ, "PWD": str(workspace.root), "CALLBOARD_BUS_URL": url}
    if sys.platform != "linux":
        # macOS: its frameworks do not work in a process that was forked and did not begin anew
        yield Spawner(CALLBOARD, env, workspace.root)
        return
    preload = [word for module in heavy_modules(workspace) for word in ("--preload", module)]
    server = ForkServer((*CALLBOARD, "fork-server", *preload), env, workspace.root, workspace.layout.log("launcher"))
    await server.open()
    try:
        yield server
    finally:
        await server.close()
