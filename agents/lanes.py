"""Lanes: what is in one lane is worked on one after the other, in order; lanes run side by side."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Lanes(Generic[T]):
    """Runs `work` on every item put in, in a task per lane that has any.

    Args:
        group: Where the tasks live; an error of `work` ends it.
    """

    def __init__(self, group: asyncio.TaskGroup, work: Callable[[T], Awaitable[None]]) -> None:
        self._group = group
        self._work = work
        self._waiting: dict[str, deque[T]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._room = asyncio.Event()
        self._is_closed = False

    @property
    def count(self) -> int:
        """Items that are worked on or wait."""
        return len(self._tasks) + sum(len(items) for items in self._waiting.values())

    def put(self, lane: str, item: T) -> None:
        self._waiting.setdefault(lane, deque()).append(item)
        if lane not in self._tasks and not self._is_closed:
            self._tasks[lane] = self._group.create_task(self._run(lane), name=f"lane {lane}")

    def close(self) -> None:
        """Begin nothing more."""
        self._is_closed = True

    def empty(self) -> list[T]:
        """Take out everything that waits, oldest first in each lane."""
        waiting = [item for items in self._waiting.values() for item in items]
        for items in self._waiting.values():
            items.clear()
        return waiting

    async def finished_one(self, timeout_s: float) -> None:
        """Wait until an item is finished, or for the timeout."""
        self._room.clear()
        try:
            async with asyncio.timeout(timeout_s):
                await self._room.wait()
        except TimeoutError:
            return

    async def end(self, grace_s: float) -> None:
        """Let what is being worked on finish within the grace, then cancel it and wait until it has cleaned up."""
        tasks = set(self._tasks.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=grace_s)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)

    async def _run(self, lane: str) -> None:
        waiting = self._waiting[lane]
        try:
            while waiting and not self._is_closed:
                await self._work(waiting.popleft())
                self._room.set()
        finally:
            del self._tasks[lane]
            if not waiting:
                self._waiting.pop(lane, None)
            self._room.set()
