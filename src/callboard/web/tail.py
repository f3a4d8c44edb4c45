"""The end of a run's journal for everybody who follows it: read once, however many there are."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field

from loguru import logger

from callboard.bus.archive import FileArchive
from callboard.bus.bus import Bus
from callboard.bus.ending import end
from callboard.bus.errors import CallboardError
from callboard.bus.journal import JournalEntry, decode_entry

KEPT = 500
"""Entries that stay in memory: who lags behind by more reads them from the bus or the archive."""
LOOK_EVERY_S = 1.0
"""How often somebody looks whether a roster runs again."""


@dataclass(slots=True)
class Tail:
    """One run's journal as it grows. It follows while somebody listens.

    Args:
        bus: Opens the run's bus.
        is_served: Whether there is a server to follow; while there is none nothing is written.
        archive: Has what happened before, also while no server runs.
    """

    bus: Callable[[], AbstractAsyncContextManager[Bus]]
    is_served: Callable[[], bool]
    archive: FileArchive
    _kept: deque[JournalEntry] = field(default_factory=lambda: deque(maxlen=KEPT))
    _more: asyncio.Event = field(default_factory=asyncio.Event)
    """Replaced by another one each time it is set."""
    _listeners: int = 0
    _following: asyncio.Task[None] | None = None
    _losses: int = 0
    """How often the server went away."""

    async def entries(self, after: int, *, is_patient: bool = True) -> AsyncIterator[JournalEntry]:
        """Entries with a higher number than `after`, in order; it waits for more.

        Args:
            is_patient: False = it ends when the server goes away; else it never does.
        """
        self._listeners += 1
        if self._following is None or self._following.done():
            self._following = asyncio.create_task(self._follow())
        losses = self._losses
        try:
            while is_patient or self._losses == losses:
                more = self._more
                async for entry in self._known(after):
                    after = entry.seq
                    yield entry
                if self._last <= after:
                    await more.wait()
        finally:
            self._listeners -= 1
            if not self._listeners:
                await self.close()

    async def changes(self, after: int) -> AsyncIterator[int]:
        """The number of the newest entry, each time there is one beyond `after` and beyond the last one told; it ends when
        the server goes away."""
        async for entry in self.entries(after, is_patient=False):
            if entry.seq > after:
                after = max(entry.seq, self._last)
                yield after

    @property
    def is_idle(self) -> bool:
        """Whether nobody listens."""
        return not self._listeners

    @property
    def _last(self) -> int:
        return self._kept[-1].seq if self._kept else 0

    async def _known(self, after: int) -> AsyncIterator[JournalEntry]:
        if self._kept and self._kept[0].seq <= after + 1:
            for entry in [entry for entry in self._kept if entry.seq > after]:
                yield entry
        elif self.is_served():
            with suppress(CallboardError):
                async with self.bus() as bus:
                    async for entry in bus.journal(after):
                        yield entry
        else:
            for row in await asyncio.to_thread(lambda: list(self.archive.rows(after))):
                fields = {b"seq": b"%d" % row.seq, b"at": b"%d" % row.at, b"entry": row.entry.encode()}
                yield decode_entry(fields)

    async def _follow(self) -> None:
        """Until nobody listens. A server that goes away is waited for."""
        while True:
            if not self.is_served():
                await asyncio.sleep(LOOK_EVERY_S)
                continue
            try:
                async with self.bus() as bus:
                    start = self._last or max(0, await bus.seq() - 1)
                    async for entry in bus.journal(start, follow=True):
                        if entry.seq <= self._last:
                            self._kept.clear()  # the server lost its data, and counts anew
                        self._kept.append(entry)
                        self._wake()
            except CallboardError as error:
                logger.debug("journal cannot be followed just now", error=str(error))
                self._losses += 1
                self._wake()
                await asyncio.sleep(LOOK_EVERY_S)

    def _wake(self) -> None:
        waiting, self._more = self._more, asyncio.Event()
        waiting.set()

    async def close(self) -> None:
        if self._following is not None:
            following, self._following = self._following, None
            await end(following)
