"""Waiting for room: an inbox that is full, or a server without memory or disk, takes nothing just now."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from loguru import logger

from callboard.bus.errors import InboxFull

T = TypeVar("T")

ROOM_DELAY_S = 1.0
"""Between two tries."""


async def until_room(attempt: Callable[[], Awaitable[T]], stop: asyncio.Event | None = None) -> T:
    """Try until there is room; said once.

    Args:
        stop: Who gives none is cancelled at a stop.

    Raises:
        InboxFull: There was none by the time of `stop`.
    """
    is_said = False
    while True:
        try:
            return await attempt()
        except InboxFull as error:
            if stop is not None and stop.is_set():
                raise
            if not is_said:
                logger.warning("no room, trying again until there is some", error=str(error))
            is_said = True
        await _pause(stop)


async def _pause(stop: asyncio.Event | None) -> None:
    if stop is None:
        await asyncio.sleep(ROOM_DELAY_S)
        return
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), ROOM_DELAY_S)
