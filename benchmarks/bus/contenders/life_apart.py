"""The lifecycle on our bus with each of the five agents in a process of its own, as a roster has them."""

from __future__ import annotations

import asyncio
import gc
from functools import partial

from benchmarks.bus.apart import Apart, Tell, heard
from benchmarks.bus.contenders.life_ours import Agents, assignment
from benchmarks.bus.job import Report
from benchmarks.bus.server import round_trips
from benchmarks.bus.stages import NAMES, timed

from callboard.agents.runtime import Runtime
from callboard.bus.bus import Bus


def run(url: str, count: int, report: Report) -> None:
    apart = Apart()
    gc.collect()
    gc.freeze()
    for name in NAMES:
        apart.fork(partial(_agent, url, name))

    def end(**figures: float) -> None:
        apart.end()
        report(**figures)

    asyncio.run(_run(url, count, end, apart))


async def _agent(url: str, name: str, tell: Tell) -> None:
    bus = await Bus.connect(url, "life")
    handlers, may_all = {name: Agents(tell)}, lambda *_: True
    await Runtime(bus, handlers, f"{name}.bench.1", may_send=may_all, handler_timeout_s=60.0).run(asyncio.Event())


async def _run(url: str, count: int, report: Report, apart: Apart) -> None:
    bus, ear = await Bus.connect(url, "life"), await apart.ear()

    async def one(n: int) -> None:
        await bus.send(assignment(n), sender="manager")
        await heard(ear)

    await timed(one, count, report, lambda: round_trips(url))
