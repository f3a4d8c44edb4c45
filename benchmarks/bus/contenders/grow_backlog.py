"""How long one send and one read take on an inbox with so many messages that nobody has read."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable

from benchmarks.bus.figures import percentile
from benchmarks.bus.job import DOING, Report

from callboard.bus.address import with_options
from callboard.bus.bus import Bus
from callboard.bus.clock import utc_now
from callboard.bus.link import ask, client
from callboard.bus.messages import Draft, TaskProgressed, new_id

SAMPLES = 300
FILL = "for i = 1, ARGV[2] do redis.call('XADD', KEYS[1], '*', 'm', ARGV[1]) end"
AT_ONCE = 10_000
NAME = "worker"


def run(url: str, count: int, report: Report) -> None:
    asyncio.run(_run(url, count, report))


async def _run(url: str, count: int, report: Report) -> None:
    # a backlog as long as this is refused otherwise
    bus = await Bus.connect(with_options(url, inbox_limit=0), "backlog")
    inbox = bus.inbox(NAME, f"{NAME}.bench.1")
    await inbox.receive(1, block_s=0)
    draft = Draft(NAME, TaskProgressed(doing=DOING))
    await fill(url, bus, draft, count)
    gc.collect()
    gc.freeze()
    sends = await times(lambda: bus.send(draft, sender="manager"))
    reads = await times(lambda: inbox.receive(1, block_s=0))
    report(send=percentile(sends, 50), read=percentile(reads, 50))


async def fill(url: str, bus: Bus, draft: Draft, count: int) -> None:
    server = client(url, socket_timeout_s=None)
    raw = draft.stamp(id=new_id(), run=bus.run, sender="manager", now=utc_now()).encode()
    for start in range(0, count, AT_ONCE):
        await ask(server, "EVAL", FILL, 1, bus.keys.inbox(NAME), raw, min(AT_ONCE, count - start))
    await server.aclose()


async def times(work: Callable[[], Awaitable[object]]) -> list[float]:
    """Milliseconds of each of some."""
    took = list[float]()
    for _ in range(SAMPLES):
        began = time.perf_counter()
        await work()
        took.append((time.perf_counter() - began) * 1000)
    return took
