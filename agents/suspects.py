"""Care with messages during which a process has died."""

from __future__ import annotations

import asyncio


class Turn:
    """At most one message with which a process died before is worked on at a time, until it shows progress.

    Without it the neighbours of a message that kills its process would be suspected with it each time.
    """

    def __init__(self, lock: asyncio.Lock) -> None:
        self._lock = lock
        self._is_ours = False

    async def begin(self) -> None:
        await self._lock.acquire()
        self._is_ours = True

    def end(self) -> None:
        if self._is_ours:
            self._is_ours = False
            self._lock.release()
