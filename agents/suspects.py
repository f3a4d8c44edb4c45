"""Care with messages during which a process has died."""

from __future__ import annotations

import asyncio

LONGEST_S = 10.0
"""A message that its process survives for so long is hardly what kills it; a gate of many minutes must not hold up the
desk beside it."""


class Turn:
    """At most one message with which a process died before is worked on at a time, until it shows progress or has lived
    for a while.

    Without it the neighbours of a message that kills its process would be suspected with it each time.
    """

    def __init__(self, lock: asyncio.Lock, longest_s: float = LONGEST_S) -> None:
        self._lock = lock
        self._longest_s = longest_s
        self._end: asyncio.TimerHandle | None = None

    async def begin(self) -> None:
        await self._lock.acquire()
        self._end = asyncio.get_running_loop().call_later(self._longest_s, self.end)

    def end(self) -> None:
        if self._end is not None:
            self._end.cancel()
            self._end = None
            self._lock.release()
