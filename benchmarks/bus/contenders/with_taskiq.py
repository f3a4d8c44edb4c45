"""taskiq with its Redis stream broker: a group, acks after the handler, 100 messages a read, 100 handlers at once."""

from __future__ import annotations

import asyncio

from benchmarks.bus.job import Job, Report, Tally, job
from taskiq.api import run_receiver_task
from taskiq_redis import RedisStreamBroker


def run(url: str, count: int, report: Report) -> None:
    asyncio.run(_run(url, count, report))


async def _run(url: str, count: int, report: Report) -> None:
    broker = RedisStreamBroker(url, xread_count=100)
    tally, done = Tally(count), asyncio.Event()

    async def handle(each: Job) -> None:
        if tally.one():
            done.set()

    task = broker.register_task(handle, task_name="handle")
    await broker.startup()
    for n in range(count):
        await task.kiq(job(n))
    async with asyncio.TaskGroup() as group:
        group.create_task(run_receiver_task(broker, max_async_tasks=100, max_prefetch=100))
        await done.wait()
        report(rate=tally.rate())
