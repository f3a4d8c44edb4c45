"""One look for all who wait for it: many who ask at once cost what one does, and nobody hears what was true before they asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Shared(Generic[T]):
    """At most one look is under way, and one waits for its end; whoever asks gets what the next one finds that begins.

    Args:
        look: Finds it. What it raises is raised for all who wait for that look.
    """

    def __init__(self, look: Callable[[], Awaitable[T]]) -> None:
        self._look = look
        self._now: asyncio.Task[T] | None = None
        self._next: asyncio.Task[T] | None = None

    async def ask(self) -> T:
        if self._next is None:
            self._next = asyncio.create_task(self._after(self._now))
            self._next.add_done_callback(self._ended)
        # who hangs up takes nothing away from the others
        return await asyncio.shield(self._next)

    async def _after(self, before: asyncio.Task[T] | None) -> T:
        if before is not None:
            await asyncio.wait({before})
        self._now, self._next = self._next, None
        return await self._look()

    def _ended(self, task: asyncio.Task[T]) -> None:
        if self._now is task:
            self._now = None
        if self._next is task:
            self._next = None
        if not task.cancelled():
            task.exception()  # nobody may be left to hear of it

    async def close(self) -> None:
        left = [task for task in (self._now, self._next) if task is not None]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
