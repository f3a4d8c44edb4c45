"""The server of a launch: somebody else's, or an embedded one that is started again whenever it dies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from callboard.agents.workspace.commands import guard_prefix
from callboard.app import Workspace
from callboard.bus.ending import end
from callboard.bus.errors import BusUnavailable
from callboard.bus.server import EmbeddedServer
from callboard.bus.settings import EMBEDDED

LOOK_EVERY_S = 0.25
TRY_EVERY_S = 1.0
"""How often a server that could not be started, such as on a full disk, is tried again."""


def bus_url(workspace: Workspace) -> str:
    """Where the bus of a launch is, also before its server runs."""
    return workspace.settings.bus_at(EmbeddedServer(workspace.layout.bus).url)


@asynccontextmanager
async def serving(workspace: Workspace, say: Callable[[str], None]) -> AsyncIterator[str]:
    """The URL of a server; an embedded one runs until the end.

    Raises:
        BusUnavailable: The embedded server cannot be started.
    """
    if workspace.settings.bus.url != EMBEDDED:
        yield bus_url(workspace)
        return
    server = EmbeddedServer(workspace.layout.bus, prefix=guard_prefix())
    await server.start()
    watch = asyncio.create_task(_keep_alive(server, say))
    try:
        yield bus_url(workspace)
    finally:
        await end(watch)
        await server.stop()


async def _keep_alive(server: EmbeddedServer, say: Callable[[str], None]) -> None:
    said = ""
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        if server.alive:
            said = ""
            continue
        try:
            await server.start()
        except BusUnavailable as error:
            if str(error) != said:
                say(f"the server is down: {error}")
            said = str(error)
            await asyncio.sleep(TRY_EVERY_S)
        else:
            say("the server had died and was started again")
