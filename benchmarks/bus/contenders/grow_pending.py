"""How long a send, a read and a commit take on an inbox of which so many messages are held and not acknowledged."""

from __future__ import annotations

import asyncio
import gc

from benchmarks.bus.contenders.grow_backlog import NAME, SAMPLES, fill, times
from benchmarks.bus.figures import percentile
from benchmarks.bus.job import DOING, Report

from callboard.bus.address import with_options
from callboard.bus.bus import Bus
from callboard.bus.keys import GROUP
from callboard.bus.link import ask, client
from callboard.bus.messages import Draft, Outcome, TaskProgressed


def run(url: str, count: int, report: Report) -> None:
    asyncio.run(_run(url, count, report))


async def _run(url: str, count: int, report: Report) -> None:
    # more than an inbox takes otherwise
    bus = await Bus.connect(with_options(url, inbox_limit=0), "pending")
    server = client(url, socket_timeout_s=None)
    inbox, key = bus.inbox(NAME, f"{NAME}.bench.1"), bus.keys.inbox(NAME)
    await inbox.receive(1, block_s=0)
    draft = Draft(NAME, TaskProgressed(doing=DOING))
    await fill(url, bus, draft, count)
    for _ in range(0, count, 1000):
        await ask(server, "XREADGROUP", "GROUP", GROUP, "other.elsewhere.1", "COUNT", 1000, "STREAMS", key, ">")
    gc.collect()
    gc.freeze()
    sends = await times(lambda: bus.send(draft, sender="manager"))
    held = []

    async def read() -> None:
        held.extend(await inbox.receive(1, block_s=0))

    reads = await times(read)
    assert len(held) == SAMPLES
    commits = await times(lambda: held.pop().commit(Outcome()))
    report(send=percentile(sends, 50), read=percentile(reads, 50), commit=percentile(commits, 50))
