"""What runs beside a roster in the launch that has its manager: archiver, scribe, notifier, watches of the disk and of what is full."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from callboard.app import Workspace
from callboard.bus.bus import Bus
from callboard.bus.ending import end
from callboard.launch.archiving import keep_archive
from callboard.launch.disk import watch_disk
from callboard.launch.notifying import keep_notifying
from callboard.launch.pressure import watch_pressure
from callboard.launch.scribing import keep_logs


@asynccontextmanager
async def keeping(
    workspace: Workspace, bus: Bus, free_bytes: Callable[[], int], say: Callable[[str], None]
) -> AsyncIterator[None]:
    """One of each per run; they end, in this order, once the roster has stopped.

    Args:
        free_bytes: The free space where `.callboard/` is.
        say: Told, as a sentence, what a person should hear of them.
    """
    scribe_stop, archive_stop = asyncio.Event(), asyncio.Event()
    scribe = asyncio.create_task(keep_logs(workspace, bus, scribe_stop, say))
    archiver = asyncio.create_task(keep_archive(workspace, bus, archive_stop, say))
    disk = asyncio.create_task(watch_disk(bus, free_bytes, say))
    pressure = asyncio.create_task(watch_pressure(bus, tuple(workspace.roster), say))
    notify_stop = asyncio.Event()
    notifier = asyncio.create_task(keep_notifying(workspace, bus, notify_stop, say))
    try:
        yield
    finally:
        await end(disk)
        await end(pressure)
        notify_stop.set()
        scribe_stop.set()
        await asyncio.gather(scribe, notifier, return_exceptions=True)
        # the last of all: what the scribe refuses is in the journal too
        archive_stop.set()
        await asyncio.gather(archiver, return_exceptions=True)
