"""FastStream on a Redis stream with a group: acks after the handler, 100 messages a read."""

from __future__ import annotations

import asyncio

from benchmarks.bus.job import Job, Report, Tally, job
from faststream.redis import RedisBroker, StreamSub
from redis.asyncio import Redis


def run(url: str, count: int, report: Report) -> None:
    asyncio.run(_run(url, count, report))


async def _run(url: str, count: int, report: Report) -> None:
    broker = RedisBroker(url, logger=None)
    tally, done = Tally(count), asyncio.Event()

    async def handle(each: Job) -> None:
        if tally.one():
            done.set()

    stream = StreamSub("faststream", group="g", consumer="c", max_records=100, polling_interval=100)
    broker.subscriber(stream=stream)(handle)
    client = Redis.from_url(url)
    await client.xgroup_create("faststream", "g", "0", mkstream=True)
    await client.aclose()
    await broker.connect()
    for n in range(count):
        await broker.publish(job(n), stream="faststream")
    await broker.start()
    await done.wait()
    report(rate=tally.rate())
