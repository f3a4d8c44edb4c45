"""Watches the free space while a roster runs: with `appendfsync always` a full disk would end the server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from callboard.agents.manager.decision import MANAGER
from callboard.bus.board import RunDoc
from callboard.bus.bus import Bus
from callboard.bus.errors import BusError
from callboard.bus.messages import DiskChanged, Draft
from callboard.launch.checks import LEAST_FREE_BYTES

LOOK_EVERY_S = 5.0
BEGUN_S = 0.25


async def watch_disk(
    bus: Bus, free_bytes: Callable[[], int], say: Callable[[str], None], every_s: float = LOOK_EVERY_S
) -> None:
    """Tell the manager, once each time, when there is too little space and when there is enough again."""
    # before the roster is told the desk has no run that it could pause
    while (run := (await bus.board()).run).state == "created":  # noqa: ASYNC110 - the manager brings it about
        await asyncio.sleep(BEGUN_S)
    # an earlier launch may have ended while the run waited for space
    was_low = _waits(run)
    while True:
        free = free_bytes()
        is_low = free < LEAST_FREE_BYTES
        if is_low != was_low:
            say(f"{free // 1_000_000} MB free: " + ("new work waits" if is_low else "work goes on"))
        try:
            # what an earlier launch said of its disk may be heard only now: the run waits, and nothing changes any more
            if is_low != was_low or (not is_low and _waits((await bus.board()).run)):
                await bus.send(Draft(MANAGER, DiskChanged(is_low=is_low, free_bytes=free)), sender="launcher")
        except BusError:
            # a server that refuses to write, or is away, hands nothing new out anyway; told at the next look
            is_low = was_low
        was_low = is_low
        await asyncio.sleep(every_s)


def _waits(run: RunDoc) -> bool:
    return run.state == "paused" and run.reason == "disk"
