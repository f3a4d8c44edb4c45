"""The bare loop (bare_loop.py) with a handler that does nothing."""

from __future__ import annotations

import asyncio

from benchmarks.bus.bare_loop import BareLoop, new
from benchmarks.bus.job import Report, Tally, job

BATCH = 100


def run(url: str, count: int, report: Report) -> None:
    asyncio.run(_run(url, count, report))


async def _run(url: str, count: int, report: Report) -> None:
    loop = BareLoop(url, "bare", ["worker"])
    await loop.begin()
    for start in range(0, count, 1000):
        some = range(start, min(start + 1000, count))
        await loop.put([new("worker", "job", **job(n).model_dump()) for n in some])
    tally = Tally(count)
    while tally.handled < count:
        batch = await loop.read(BATCH)
        for _ in batch:
            tally.one()
        await loop.commit(batch)
    report(rate=tally.rate())
