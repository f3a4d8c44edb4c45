"""What large messages do to the others: round trips of small ones beside a sender of 5 MB, against the same without it.

One process has a runtime that answers small messages, and a sender that waits for each answer. A second process meanwhile
puts 5 MB into the same inbox every second, past our sender, which would refuse them; the reader buries each unread.
Both are measured in turn, `--rounds` times; the worst that a small one had to wait is told too. Prints JSON; exit code 1 when the ratio of the p99s is 2 or more (fault T9).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import redis
from benchmarks.bus.server import running_server
from loguru import logger

from callboard.agents.runtime import Runtime, Work
from callboard.bus.bus import Bus
from callboard.bus.messages import Draft, Envelope, Outcome, TaskCancelled, TaskProgressed

LARGE = 5_000_001
EVERY_S = 1.0
MOST_RATIO = 2.0


class Answering:
    """Answers each message, and wakes who waits for it."""

    def __init__(self) -> None:
        self.handled = asyncio.Event()

    def lane(self, envelope: Envelope) -> str:
        return envelope.task

    async def handle(self, work: Work) -> Outcome:
        self.handled.set()
        return Outcome(messages=(Draft("manager", TaskProgressed(doing="done")),))


def put_large(url: str, key: str) -> None:
    """Until it is ended."""
    server, raw = redis.Redis.from_url(url), b"x" * LARGE
    while True:
        server.xadd(key, {"m": raw})
        time.sleep(EVERY_S)


@asynccontextmanager
async def answered(bus: Bus) -> AsyncIterator[Answering]:
    handler, stop = Answering(), asyncio.Event()
    runtime = Runtime(
        bus, {"worker": handler}, "worker.bench.1", may_send=lambda sender, kind: True, handler_timeout_s=60.0
    )
    task = asyncio.create_task(runtime.run(stop))
    try:
        yield handler
    finally:
        stop.set()
        await task


async def measured(bus: Bus, handler: Answering, count: int) -> tuple[float, float]:
    """p99 and the worst of the times from a send to its handler, in ms."""
    took = []
    for _ in range(count):
        handler.handled.clear()
        began = time.perf_counter()
        await bus.send(Draft("worker", TaskCancelled(reason="bench")), sender="manager")
        await handler.handled.wait()
        took.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(0.001)
    return statistics.quantiles(took, n=100)[98], max(took)


async def measure(url: str, rounds: int, count: int) -> dict[str, object]:
    alone, beside = [], []
    async with await Bus.connect(url, "large") as bus, answered(bus) as handler:
        await measured(bus, handler, count // 10)
        for _ in range(rounds):
            alone.append(await measured(bus, handler, count))
            argv = [sys.executable, "-m", "benchmarks.large_messages", url, bus.keys.inbox("worker")]
            other = await asyncio.create_subprocess_exec(*argv)
            try:
                beside.append(await measured(bus, handler, count))
            finally:
                other.kill()
                await other.wait()
        dead = len(await bus.dead())
    ratios = [with_large / without for (with_large, _), (without, _) in zip(beside, alone, strict=True)]
    return {
        "p99_and_worst_alone_ms": alone,
        "p99_and_worst_beside_ms": beside,
        "ratios": ratios,
        "ratio": statistics.median(ratios),
        "buried": dead,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("large", nargs="*", help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=2_000)
    options = parser.parse_args()
    if options.large:
        put_large(*options.large)
    logger.remove()
    with running_server() as url:
        found = asyncio.run(measure(url, options.rounds, options.count))
    print(json.dumps(found, indent=2))
    return 0 if float(str(found["ratio"])) < MOST_RATIO else 1


if __name__ == "__main__":
    raise SystemExit(main())
