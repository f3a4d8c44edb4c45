"""Runs a Runtime beside a test, and waits for what the journal says of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from handlers import Scripted

from callboard.agents.runtime import Runtime
from callboard.bus.bus import Bus
from callboard.bus.journal import JournalEntry


def everything(sender: str, kind: str) -> bool:
    """A capability table that allows all."""
    return True


@asynccontextmanager
async def running(
    bus: Bus,
    handler: Scripted,
    *,
    consumer: str = "driver-1.here.1",
    name: str = "driver-1",
    may_send: Callable[[str, str], bool] = everything,
    handler_timeout_s: float = 20.0,
    grace_s: float = 5.0,
    lease_s: float = 15.0,
    renew_s: float = 5.0,
) -> AsyncIterator[asyncio.Event]:
    """A Runtime at work until the block ends; gives its stop event. Retries and sweeps come fast."""
    runtime = Runtime(
        bus,
        {name: handler},
        consumer,
        may_send=may_send,
        handler_timeout_s=handler_timeout_s,
        grace_s=grace_s,
        retry_s=0.0,
        lease_s=lease_s,
        renew_s=renew_s,
        sweep_s=0.05,
    )
    stop = asyncio.Event()
    task = asyncio.create_task(runtime.run(stop))
    try:
        yield stop
    finally:
        stop.set()
        await task


async def entry(bus: Bus, so: Callable[[JournalEntry], bool], *, after: int = 0) -> JournalEntry:
    """The first journal entry of which it is so; waits for it."""
    async with asyncio.timeout(300):
        async for each in bus.journal(after, follow=True):
            if so(each):
                return each
    raise AssertionError


async def committed(bus: Bus, count: int) -> None:
    """Wait until so many messages were handled."""
    seen = 0
    async with asyncio.timeout(300):
        async for each in bus.journal(follow=True):
            seen += each.step == "commit"
            if seen == count:
                return
