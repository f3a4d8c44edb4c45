"""How a run stands, read from its bus; and told on, so that `callboard status` need not look itself (glance.py)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from callboard.agents.workspace.locks import Holder, ProcessLock
from callboard.app import Workspace
from callboard.bus.bus import Bus
from callboard.bus.errors import BusError
from callboard.bus.places import private_folder
from callboard.bus.settings import EMBEDDED
from callboard.launch.glance import asking_place, note_down, signs_of
from callboard.launch.pressure import look_for_full
from callboard.launch.rows import to_json
from callboard.launch.summarise import summarise
from callboard.launch.summary import Launcher, Status, at_rest

HOSTING = "hosting"
"""The lock of a process that runs the embedded server for runs from outside."""
ANSWER_S = 5.0
"""How long one answer may take; whoever asked has looked at the bus by then."""


def is_running(workspace: Workspace) -> Holder | None:
    """The launcher that runs here; None when the roster is stopped."""
    return ProcessLock(workspace.layout.lock("launch")).holder()


def is_hosted(workspace: Workspace) -> Holder | None:
    """The `callboard serve` whose embedded server runs here, for runs that were started from outside."""
    return ProcessLock(workspace.layout.lock(HOSTING)).holder()


def branches_of(workspace: Workspace) -> dict[str, str]:
    """Every branch's short name -> its commit."""
    refs = workspace.repository.refs("refs/heads")
    return {ref.removeprefix("refs/heads/"): commit for ref, commit in refs.items()}


async def status_of(workspace: Workspace, bus: Bus) -> Status:
    """A run's status, with who runs the roster here and where the agents' branches are."""
    holder = is_running(workspace)
    launcher = Launcher(pid=holder.pid, host=holder.host, since=holder.since) if holder else None
    status = await _read(workspace, bus, launcher)
    # with the server in here nobody can work elsewhere; with another one, parts of the roster may
    return at_rest(status) if launcher is None and workspace.settings.bus.url == EMBEDDED else status


async def remember(workspace: Workspace, bus: Bus) -> None:
    """Before our own server stops: note how things stand, once nobody works any more."""
    if workspace.settings.bus.url != EMBEDDED:
        return
    first = await _read(workspace, bus, None)
    signs = signs_of(workspace.layout, [agent.name for agent in first.agents])
    # read again, so that the signs are those of just this status
    status = await _read(workspace, bus, None)
    if signs and status == first:
        with suppress(OSError):
            note_down(workspace.layout, at_rest(status), signs)


async def _read(workspace: Workspace, bus: Bus, launcher: Launcher | None) -> Status:
    board, dead, spent = await bus.board(), len(await bus.dead()), await bus.spending.seen()
    branches = await asyncio.to_thread(branches_of, workspace)
    full = tuple((await look_for_full(bus, list(workspace.roster))).values())
    status = summarise(board, launcher=launcher, branches=branches, dead_letters=dead, spent=spent)
    return replace(status, full=full)


@asynccontextmanager
async def answering(workspace: Workspace, bus: Bus) -> AsyncIterator[None]:
    """Tell everybody who asks how things stand, while a launcher of the manager runs."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(BusError, OSError, TimeoutError):
            async with asyncio.timeout(ANSWER_S):
                status = await status_of(workspace, bus)
                writer.write(json.dumps(to_json(status)).encode())
                await writer.drain()
        writer.close()

    place = asking_place(workspace.layout)
    private_folder(place.parent)
    place.unlink(missing_ok=True)
    server = await asyncio.start_unix_server(answer, place)
    try:
        yield
    finally:
        server.close()
        place.unlink(missing_ok=True)
