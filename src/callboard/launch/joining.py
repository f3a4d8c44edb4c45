"""For commands: the bus of the roster that runs here, or of one that is stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from callboard.agents.workspace.commands import guard_prefix
from callboard.agents.workspace.locks import ProcessLock, acquire
from callboard.app import Workspace
from callboard.bus.bus import Bus
from callboard.bus.errors import RosterError
from callboard.bus.server import EmbeddedServer
from callboard.bus.settings import EMBEDDED
from callboard.launch.runs import runs
from callboard.launch.serving import bus_url
from callboard.launch.status import is_hosted, is_running, remember

TURN_S = 30.0
"""How long a command waits for another one that has the stopped roster's server."""


def current_run(workspace: Workspace) -> str:
    """The newest run of this repository.

    Raises:
        RosterError: Nothing was launched here yet.
    """
    known = runs(workspace.repository)
    if not known:
        raise RosterError("nothing was launched here yet; `callboard launch` starts the first run")
    return known[-1]


@asynccontextmanager
async def open_bus(workspace: Workspace, run: str) -> AsyncIterator[Bus]:
    """The bus of a run: of the roster that runs, or with an embedded server of our own until the end."""
    async with AsyncExitStack() as stack:
        is_ours = workspace.settings.bus.url == EMBEDDED and await _serve(workspace, stack)
        bus = await Bus.connect(bus_url(workspace), run, redactor=workspace.redactor, archive=workspace.archive(run))
        stack.push_async_callback(bus.close)
        yield bus
        if is_ours and runs(workspace.repository)[-1:] == [run]:
            await remember(workspace, bus)


async def _serve(workspace: Workspace, stack: AsyncExitStack) -> bool:
    """Start our own server, unless a launcher has; whether we did. Commands do that one after the other."""
    if is_running(workspace) or is_hosted(workspace):
        return False
    turn = ProcessLock(workspace.layout.lock("command"))
    await acquire(turn, TURN_S)
    stack.callback(turn.release)
    if is_running(workspace) or is_hosted(workspace):
        return False
    server = EmbeddedServer(workspace.layout.bus, prefix=guard_prefix())
    await server.start()
    stack.push_async_callback(server.stop)
    return True
