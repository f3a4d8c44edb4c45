"""Callboard's runtime with a handler that does nothing: typed, leased, fenced, deduplicated, committed with a journal entry."""

from __future__ import annotations

import asyncio
import gc

from benchmarks.bus.job import Report, Tally, job
from redis.asyncio import Redis

from callboard.agents.runtime import Runtime, Work
from callboard.bus.bus import Bus
from callboard.bus.clock import utc_now
from callboard.bus.messages import Draft, Envelope, Outcome, TaskProgressed, new_id

NAME = "worker"


class Counting:
    """Every message is in a lane of its own."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self.all_begun = asyncio.Event()

    def lane(self, envelope: Envelope) -> str:
        return envelope.id

    async def handle(self, work: Work) -> Outcome:
        if self._tally.one():
            self.all_begun.set()
        return Outcome()


def run(url: str, count: int, report: Report) -> None:
    asyncio.run(_run(url, count, report))


async def _run(url: str, count: int, report: Report) -> None:
    bus = await Bus.connect(url, "bench")
    await fill(url, bus, NAME, count)
    tally = Tally(count)
    settle()
    handler, stop = Counting(tally), asyncio.Event()
    runtime = Runtime(bus, {NAME: handler}, f"{NAME}.bench.1", may_send=lambda *_: True, handler_timeout_s=60.0)
    work = asyncio.create_task(runtime.run(stop))
    await handler.all_begun.wait()
    while (await bus.backlog([NAME]))[NAME]:
        pass
    rate = tally.rate()
    assert await bus.seq() == count, "every message has its journal entry"
    report(rate=rate)
    stop.set()
    await work


def settle() -> None:
    """What the fork server does before it forks agents: what was imported is not looked at again and again."""
    gc.collect()
    gc.freeze()


async def fill(url: str, bus: Bus, inbox: str, count: int) -> None:
    """Put messages into an inbox as `send` would, but many at once: this part is not measured."""
    client = Redis.from_url(url)
    for start in range(0, count, 1000):
        pipe = client.pipeline(transaction=False)
        for n in range(start, min(start + 1000, count)):
            each = job(n)
            draft = Draft(inbox, TaskProgressed(doing=each.doing), task=each.task, attempt=each.attempt)
            envelope = draft.stamp(id=new_id(), run=bus.run, sender="driver-1", now=utc_now())
            pipe.xadd(bus.keys.inbox(inbox), {"m": envelope.encode()})
        await pipe.execute()
    await client.aclose()
