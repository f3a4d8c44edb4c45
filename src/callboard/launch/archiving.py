"""Keeps a run's archive up with its journal, and the server with the archive; one process at a time does for each run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from callboard.agents.workspace.locks import ProcessLock
from callboard.app import Workspace
from callboard.bus.archiver import Archiver, Restored
from callboard.bus.bus import Bus
from callboard.bus.errors import BusError, RosterError
from callboard.launch.inboxes import MANAGERS

AGAIN_AFTER_S = 1.0


async def keep_archive(workspace: Workspace, bus: Bus, stop: asyncio.Event, say: Callable[[str], None]) -> None:
    """Archive until `stop`, and restore what the server loses; an archiver that failed is followed by another.

    Args:
        say: Told, as a sentence, what was lost and restored, and once why nothing can be archived just now.
    """
    said = ""
    while True:
        try:
            await _archive(workspace, bus, stop, say)
        except (RosterError, BusError, OSError) as error:
            if str(error) != said:
                say(f"the journal cannot be archived: {error}; trying again, and trimming nothing meanwhile")
            said = str(error)
            if stop.is_set():
                return
            await asyncio.sleep(AGAIN_AFTER_S)
        else:
            return


async def bring_archive_up(workspace: Workspace, bus: Bus, say: Callable[[str], None]) -> list[Restored]:
    """Archive what is in the journal by now, and restore what the server lacks.

    Raises:
        RosterError: Another process does that now.
        BusError: It could not be done.
    """
    stop = asyncio.Event()
    stop.set()
    return await _archive(workspace, bus, stop, say)


async def _archive(workspace: Workspace, bus: Bus, stop: asyncio.Event, say: Callable[[str], None]) -> list[Restored]:
    lock = ProcessLock(workspace.layout.lock(f"archive-{bus.run}"))
    lock.acquire()
    try:
        inboxes = (*MANAGERS, *workspace.roster)
        archiver = Archiver(bus.store, workspace.archive(bus.run), inboxes=inboxes, say=say)
        await archiver.run(stop)
        return archiver.restored
    finally:
        lock.release()
