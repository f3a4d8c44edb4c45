"""Keeps a workspace's feedback logs up with the journal; one process at a time does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

from callboard.agents.workspace.history import BranchHistory
from callboard.agents.workspace.locks import ProcessLock
from callboard.app import Workspace
from callboard.bus.bus import Bus
from callboard.bus.errors import BusError, RosterError, WorkspaceError
from callboard.bus.journal import JournalEntry
from callboard.bus.messages import Draft, Envelope
from callboard.feedback.scribe import Scribe

AGAIN_AFTER_S = 1.0
NOTE_EVERY = 200
"""Entries."""


class _Noting:
    """A bus that is told how far the scribe has read, so that no more is trimmed."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def journal(self, after: int = 0, *, follow: bool = False) -> AsyncIterator[JournalEntry]:
        async for entry in self._bus.journal(after, follow=follow):
            if entry.seq % NOTE_EVERY == 0:
                await self._bus.store.note_read({"scribe": entry.seq - 1})
            yield entry

    async def seq(self) -> int:
        return await self._bus.seq()

    async def send(self, draft: Draft, *, sender: str, idempotency_key: str = "") -> Envelope:
        return await self._bus.send(draft, sender=sender, idempotency_key=idempotency_key)


async def keep_logs(workspace: Workspace, bus: Bus, stop: asyncio.Event, trouble: Callable[[str], None]) -> None:
    """Write the logs until `stop`; a scribe that failed is followed by another.

    Args:
        trouble: Told, as a sentence, why they cannot be written just now.
    """
    while True:
        try:
            await _write(workspace, bus, stop)
        except (RosterError, WorkspaceError, BusError, OSError) as error:
            if stop.is_set():
                trouble(f"feedback logs are not complete: {error}; the next launch writes what is missing")
                return
            trouble(f"feedback logs cannot be written: {error}; trying again")
            await asyncio.sleep(AGAIN_AFTER_S)
        else:
            return


async def bring_logs_up(workspace: Workspace, bus: Bus) -> None:
    """Write what is in the journal by now. Where somebody else writes the logs, it is theirs to do.

    Raises:
        WorkspaceError: A log could not be written; the next launch writes it.
    """
    stop = asyncio.Event()
    stop.set()
    try:
        await _write(workspace, bus, stop)
    except RosterError:
        return


async def _write(workspace: Workspace, bus: Bus, stop: asyncio.Event) -> None:
    """One scribe's life.

    Raises:
        RosterError: Another process writes them now.
    """
    folder = workspace.root / workspace.settings.paths.feedback
    lock = ProcessLock(workspace.layout.lock("scribe"))
    lock.acquire()
    try:
        history = BranchHistory(workspace.repository)
        may_send = workspace.capabilities().may_send
        scribe = Scribe(bus.run, folder, history, may_send=may_send, clock=time.monotonic, redactor=workspace.redactor)
        await scribe.run(_Noting(bus), stop)
    finally:
        lock.release()
