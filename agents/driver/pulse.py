"""Whether an attempt gets anywhere: measured from the clone and from what the brain says, never from silence alone.

A measurement that finds the same files and not one more line is a quiet one. Quiet measurements are counted, not timed: a
process that was paused, or a machine that slept, has measured nothing meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Awaitable, Callable, Iterable

from callboard.agents.driver.progress import Progress
from callboard.agents.workspace.git_output import TreeChange
from callboard.bus.errors import WorkspaceError

Measure = Callable[[], Awaitable[str]]
"""A digest of all that the clone holds; raises WorkspaceError where that cannot be said now."""


class Pulse:
    """Beside a brain at work: passes on what it says, and measures.

    Args:
        tell: Told after each measurement: the digest, and for how many seconds nothing has moved.
    """

    def __init__(
        self, progress: Progress, measure: Measure, tell: Callable[[str, float], Awaitable[None]], *, every_s: float
    ) -> None:
        self._progress = progress
        self._measure = measure
        self._tell = tell
        self._every_s = every_s
        self._closed = asyncio.Event()
        self._heard = 0
        self._last: tuple[str, int] = ("", 0)
        self._quiet = 0

    async def report(self, text: str) -> None:
        """One line of the brain's, or one result of a tool."""
        self._heard += 1
        await self._progress.report(text)

    async def pump(self) -> None:
        """Until closed; a measurement under way is finished."""
        both = [asyncio.ensure_future(self._progress.pump()), asyncio.ensure_future(self._beat())]
        try:
            await asyncio.gather(*both)
        finally:
            self.close()
            await asyncio.wait(both)

    def close(self) -> None:
        self._progress.close()
        self._closed.set()

    async def _beat(self) -> None:
        while not await self._is_closed():
            with contextlib.suppress(WorkspaceError):
                await self.look()

    async def _is_closed(self) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._every_s):
                await self._closed.wait()
        return self._closed.is_set()

    async def look(self) -> None:
        """Measure once, and say so."""
        found = (await self._measure(), self._heard)
        self._quiet = self._quiet + 1 if found == self._last else 0
        self._last = found
        await self._tell(found[0], self._quiet * self._every_s)


def change_digest(changes: Iterable[TreeChange]) -> str:
    """16 hex digits over what a change makes of which paths, whatever else is in the trees; "" when nothing is changed."""
    rows = [f"{change.path}\0{change.new_mode}\0{change.new_sha}" for change in changes]
    return hashlib.sha256("\0".join(rows).encode("utf-8", "surrogateescape")).hexdigest()[:16] if rows else ""
