"""The thin loop: one read and one call of a script of ten lines per batch. No fence, no leases, no failures, no board.

The least that could be called a commit: what is new is written down and remembered, all of it is acknowledged. It shows what
the bus's promises cost on the server.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
import uuid
from pathlib import Path
from typing import cast

from benchmarks.bus.job import Report, Tally, job
from redis.asyncio import Redis

from callboard.bus.link import ask, client

BATCH = 100
SCRIPT = (Path(__file__).parent / "thin.lua").read_text("utf-8")
SHA = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()
KEYS = ("thin:inbox", "thin:journal", "thin:done")


def run(url: str, count: int, report: Report) -> None:
    asyncio.run(_run(url, count, report))


async def _run(url: str, count: int, report: Report) -> None:
    server = client(url, socket_timeout_s=None)
    await ask(server, "SCRIPT", "LOAD", SCRIPT)
    await ask(server, "XGROUP", "CREATE", KEYS[0], "g", "0", "MKSTREAM")
    for start in range(0, count, 1000):
        pipe = server.pipeline(transaction=False)
        for n in range(start, min(start + 1000, count)):
            document = {"id": str(uuid.uuid4()), "kind": "job", "body": job(n).model_dump()}
            pipe.xadd(KEYS[0], {"m": json.dumps(document)})
        await pipe.execute()
    tally = Tally(count)
    while tally.handled < count:
        await _batch(server, tally)
    report(rate=tally.rate())


async def _batch(server: Redis, tally: Tally) -> None:
    reading = ("XREADGROUP", "GROUP", "g", "c", "COUNT", BATCH, "BLOCK", 1000, "STREAMS", KEYS[0], ">")
    [(_, entries)] = cast(list[tuple[bytes, list[tuple[bytes, list[bytes]]]]], await ask(server, *reading))
    args: list[str | bytes | int] = [time.time_ns() // 1_000_000]
    for id, fields in entries:
        message = json.loads(fields[1])
        tally.one()
        args += [id, message["id"], json.dumps({"step": "commit", "cause": message["id"]})]
    await ask(server, "EVALSHA", SHA, 3, *KEYS, *args)
