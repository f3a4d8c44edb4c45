"""So many idle agents over ten processes; otherwise as grow_idle."""

from __future__ import annotations

import asyncio
import gc
import random
import time
from functools import partial

from benchmarks.bus.apart import Apart, Tell, heard
from benchmarks.bus.contenders.grow_idle import BETWEEN_S, SAMPLES
from benchmarks.bus.figures import percentile
from benchmarks.bus.job import DOING, Report
from benchmarks.bus.server import memory_mb

from callboard.agents.runtime import Runtime, Work
from callboard.bus.bus import Bus
from callboard.bus.messages import Draft, Envelope, Outcome, TaskProgressed

HOSTS = 10
IDLE_S = 2.0


class Telling:
    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def lane(self, envelope: Envelope) -> str:
        return "one"

    async def handle(self, work: Work) -> Outcome:
        self._tell()
        return Outcome()


def run(url: str, count: int, report: Report) -> None:
    apart, empty_mb = Apart(), memory_mb(url)
    names = [f"agent-{n}" for n in range(count)]
    gc.collect()
    gc.freeze()
    for n in range(HOSTS):
        apart.fork(partial(_host, url, names[n::HOSTS], n))
    try:
        figures = asyncio.run(_measured(url, names, apart))
        figures["mb"] = memory_mb(url) - empty_mb
    finally:
        apart.end()
    report(**figures)


async def _host(url: str, names: list[str], n: int, tell: Tell) -> None:
    bus = await Bus.connect(url, "idle")
    handlers, may_all = dict.fromkeys(names, Telling(tell)), lambda *_: True
    runtime = Runtime(bus, handlers, f"host-{n}.bench.{n}", may_send=may_all, handler_timeout_s=60.0)
    await runtime.run(asyncio.Event())


async def _measured(url: str, names: list[str], apart: Apart) -> dict[str, float]:
    bus, ear, draw = await Bus.connect(url, "idle"), await apart.ear(), random.Random(1)

    async def one(name: str) -> float:
        began = time.perf_counter()
        await bus.send(Draft(name, TaskProgressed(doing=DOING)), sender="manager")
        took = await heard(ear) - began
        await asyncio.sleep(BETWEEN_S)
        return took * 1000

    for name in names[: 2 * HOSTS]:
        await one(name)
    took = [await one(draw.choice(names)) for _ in range(SAMPLES)]
    before = apart.cpu_s()
    await asyncio.sleep(IDLE_S)
    idle = (apart.cpu_s() - before) / IDLE_S
    await bus.close()
    return {"p50": percentile(took, 50), "p99": percentile(took, 99), "idle_cpu_percent": idle * 100}
