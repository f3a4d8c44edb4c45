"""So many agents in one host, all idle but for one message at a time to one of them: how long until its handler begins."""

from __future__ import annotations

import asyncio
import gc
import random
import time

from benchmarks.bus.figures import percentile
from benchmarks.bus.job import DOING, Report
from benchmarks.bus.server import memory_mb

from callboard.agents.runtime import Runtime, Work
from callboard.bus.bus import Bus
from callboard.bus.messages import Draft, Envelope, Outcome, TaskProgressed

SAMPLES = 500
WARM_UP = 20
BETWEEN_S = 0.002


class Begun:
    def __init__(self) -> None:
        self.at = asyncio.Queue[float]()

    def lane(self, envelope: Envelope) -> str:
        return "one"

    async def handle(self, work: Work) -> Outcome:
        self.at.put_nowait(time.perf_counter())
        return Outcome()


def run(url: str, count: int, report: Report) -> None:
    asyncio.run(_run(url, count, report))


async def _run(url: str, count: int, report: Report) -> None:
    empty_mb = memory_mb(url)
    bus, begun, stop, draw = await Bus.connect(url, "idle"), Begun(), asyncio.Event(), random.Random(1)
    names = [f"agent-{n}" for n in range(count)]
    gc.collect()
    gc.freeze()
    may_all = lambda *_: True  # noqa: E731
    host = Runtime(bus, dict.fromkeys(names, begun), "host.bench.1", may_send=may_all, handler_timeout_s=60.0)
    took = list[float]()
    async with asyncio.TaskGroup() as group:
        group.create_task(host.run(stop))
        for n in range(WARM_UP + SAMPLES):
            began = time.perf_counter()
            await bus.send(Draft(draw.choice(names), TaskProgressed(doing=DOING)), sender="manager")
            if n >= WARM_UP:
                took.append((await begun.at.get() - began) * 1000)
            else:
                await begun.at.get()
            # The agents are idle: the commit is through, and the read waits, before the next message.
            await asyncio.sleep(BETWEEN_S)
        cpu = time.process_time()
        await asyncio.sleep(2.0)
        idle = (time.process_time() - cpu) / 2.0
        report(
            p50=percentile(took, 50),
            p99=percentile(took, 99),
            mb=memory_mb(url) - empty_mb,
            idle_cpu_percent=idle * 100,
        )
