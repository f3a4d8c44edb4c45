"""Looks for due timers in a process of its own, until it is killed: `python timer_process.py URL RUN`.

It says on stdout when it begins: `looks`.
"""

from __future__ import annotations

import asyncio
import sys

from callboard.bus.bus import Bus


async def main(url: str, run: str) -> None:
    bus = await Bus.connect(url, run)
    print("looks", flush=True)
    while True:
        await bus.fire_due_timers()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
