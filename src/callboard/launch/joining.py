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
from callboard.launch.status import is_running, remember

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


def served_at(workspace: Workspace) -> str:
    """The URL of the server of a roster that runs."""
    url = workspace.settings.bus.url
    return EmbeddedServer(workspace.layout.bus, prefix=guard_prefix()).url if url == EMBEDDED else url


@asynccontextmanager
async def open_bus(workspace: Workspace, run: str) -> AsyncIterator[Bus]:
    """The bus of a run: of the roster that runs, or with an embedded server of our own until the end."""
    async with AsyncExitStack() as stack:
        url, is_ours = workspace.settings.bus.url, False
        if url == EMBEDDED:
            url, is_ours = await _embedded(workspace, stack)
        bus = await Bus.connect(url, run, redactor=workspace.redactor, archive=workspace.archive(run))
        stack.push_async_callback(bus.close)
        yield bus
        if is_ours and runs(workspace.repository)[-1:] == [run]:
            await remember(workspace, bus)


async def _embedded(workspace: Workspace, stack: AsyncExitStack) -> tuple[str, bool]:
    """The URL of the launcher's server, or of one that is started here (True); commands do that one after the other."""
    server = EmbeddedServer(workspace.layout.bus, prefix=guard_prefix())
    if is_running(workspace):
        return server.url, False
    turn = ProcessLock(workspace.layout.lock("command"))
    await acquire(turn, TURN_S)
    stack.callback(turn.release)
    if is_running(workspace):
        return server.url, False
    await server.start()
    stack.push_async_callback(server.stop)
    return server.url, True
