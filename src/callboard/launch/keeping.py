"""What runs beside a roster in the launch that has its manager: archivers, scribe, notifier, teller of traces, watches of the disk and of what is full."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from callboard.app import Workspace
from callboard.bus.bus import Bus
from callboard.bus.ending import end
from callboard.launch.archiving import keep_archive
from callboard.launch.disk import watch_disk
from callboard.launch.lasting import lasting
from callboard.launch.ledgering import keep_ledger
from callboard.launch.notifying import keep_notifying
from callboard.launch.pressure import watch_pressure
from callboard.launch.scribing import keep_logs
from callboard.launch.tracing import keep_telling


@asynccontextmanager
async def keeping(
    workspace: Workspace, bus: Bus, free_bytes: Callable[[], int], say: Callable[[str], None]
) -> AsyncIterator[None]:
    """One of each per run; they end, in this order, once the roster has stopped.

    Args:
        free_bytes: The free space where `.callboard/` is.
        say: Told, as a sentence, what a person should hear of them.
    """
    scribe_stop, archive_stop, notify_stop = asyncio.Event(), asyncio.Event(), asyncio.Event()
    run = asyncio.create_task
    logs, kept = (
        partial(keep_logs, workspace, bus, scribe_stop, say),
        partial(keep_archive, workspace, bus, archive_stop, say),
    )
    scribe = run(lasting("the scribe, who writes the feedback logs,", logs, say, scribe_stop))
    archiver = run(lasting("the archiver", kept, say, archive_stop))
    disk = run(lasting("the watch of the disk", lambda: watch_disk(bus, free_bytes, say), say))
    pressure = run(lasting("the watch of what is full", lambda: watch_pressure(bus, tuple(workspace.roster), say), say))
    ledger_stop = asyncio.Event()
    booked = partial(keep_ledger, workspace, ledger_stop, say)
    ledger = run(lasting("the ledger's archiver", booked, say, ledger_stop))
    telling_stop = asyncio.Event()
    traced = partial(keep_telling, workspace, bus.run, telling_stop, say)
    telling = run(lasting("the teller of traces", traced, say, telling_stop))
    told = partial(keep_notifying, workspace, bus, notify_stop, say)
    notifier = run(lasting("the notifier", told, say, notify_stop))
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
        ledger_stop.set()
        telling_stop.set()
        await asyncio.gather(ledger, telling, return_exceptions=True)
