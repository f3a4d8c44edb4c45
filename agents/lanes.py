"""Lanes: what is in one lane is worked on one after the other, in order; lanes run side by side."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Lanes(Generic[T]):
    """Says whose turn it is: at most one item of a lane at a time.

    Args:
        begin: Called with an item when its turn has come; `ended` has to be called once for each.
    """

    def __init__(self, begin: Callable[[T], None]) -> None:
        self._begin = begin
        self._busy: dict[str, deque[T] | None] = {}
        """Lanes in which something is worked on -> what waits behind it; most of the time nothing does."""
        self._room = asyncio.Event()
        self._is_closed = False

    def put(self, lane: str, item: T) -> None:
        if lane not in self._busy:
            self._busy[lane] = deque((item,)) if self._is_closed else None
            if not self._is_closed:
                self._begin(item)
        elif (waiting := self._busy[lane]) is None:
            self._busy[lane] = deque((item,))
        else:
            waiting.append(item)

    def ended(self, lane: str) -> None:
        """What was worked on in it is finished: the next one's turn has come."""
        self._room.set()
        waiting = self._busy[lane]
        if not waiting:
            del self._busy[lane]
        elif not self._is_closed:
            self._begin(waiting.popleft())

    def close(self) -> None:
        """Begin nothing more."""
        self._is_closed = True

    def empty(self) -> list[T]:
        """Take out everything that waits, oldest first in each lane."""
        waiting = [item for items in self._busy.values() if items for item in items]
        for items in self._busy.values():
            if items:
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
