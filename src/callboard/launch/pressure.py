"""What is full just now: the server's memory or disk, or an inbox. Said while a roster runs, and by `callboard status`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from loguru import logger

from callboard.agents.settings import HANDS
from callboard.bus.bus import Bus
from callboard.bus.errors import BusError
from callboard.bus.gauges import BusGauges

LOOK_EVERY_S = 5.0
NEARLY = 0.98
"""Of its maxmemory: a server that refuses what is new stays a little below it."""


def full_places(gauges: BusGauges, inbox_limit: int) -> dict[str, str]:
    """What takes nothing more -> a sentence for people, with the way out.

    Args:
        inbox_limit: 0 = none.
    """
    found = {}
    used, limit = gauges.memory_bytes, gauges.memory_limit_bytes
    if limit and used >= NEARLY * limit:
        found["the bus's server"] = (
            f"the bus's server is full: {_mb(used)} of {_mb(limit)} MB are used. What is new is refused and work waits, "
            "nothing is lost: raise its maxmemory, or stop the roster and free some with `callboard clean`"
        )
    if gauges.disk_failed:
        found["the disk of the bus's server"] = (
            "the bus's server cannot write to its disk. What is new is refused and work waits: free some space there"
        )
    for each in gauges.inboxes:
        if inbox_limit and each.waiting + each.held >= inbox_limit:
            found[f"the inbox of {each.name}"] = (
                f"the inbox of {each.name} is full: {each.waiting + each.held} messages wait, and nothing new is sent to it. "
                f"It goes on once {each.name} has handled some: see .callboard/logs/{each.name}.log, `callboard bus top`"
            )
    return found


async def look_for_full(bus: Bus, names: Sequence[str]) -> dict[str, str]:
    """full_places, of a bus and the inboxes of these agents and of the manager's hands."""
    return full_places(await bus.gauges((*dict.fromkeys((*names, *HANDS)),)), bus.inbox_limit)


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What is said when a place becomes full, and when it has room again."""
    again = [f"{place} has room again: work goes on" for place in before if place not in now]
    return [text for place, text in now.items() if place not in before] + again


async def watch_pressure(bus: Bus, names: Sequence[str], say: Callable[[str], None]) -> None:
    """Say once each time that something is full, and that it has room again."""
    before: dict[str, str] = {}
    while True:
        try:
            now = await look_for_full(bus, names)
        except BusError as error:
            # who cannot work without it says so; here the next look may tell more
            logger.debug("bus cannot be gauged", error=str(error))
        else:
            for text in changes(before, now):
                say(text)
            before = now
        await asyncio.sleep(LOOK_EVERY_S)


def _mb(size: int) -> str:
    return f"{size / 1_000_000:.1f}"
